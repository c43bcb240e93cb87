import assert from "node:assert/strict";
import fc from "fast-check";
import { assertLayer, Topics } from "../../src/protocol/mod.ts";
import { assertZoneName, textProblem } from "../../src/protocol/topics.ts";
import { attempt, errorOf, pure } from "./support.ts";

pure("Topics names every topic under its prefix", () => {
  const topics = new Topics();
  assert.equal(topics.request, "occupancy/request");
  assert.equal(topics.response, "occupancy/response");
  assert.equal(topics.state, "occupancy/server/state");
  assert.equal(topics.errors, "occupancy/errors");
  assert.equal(topics.dataFilter, "occupancy/data/#");
  assert.equal(topics.data(), "occupancy/data");
  assert.equal(topics.data("default"), "occupancy/data");
  assert.equal(topics.data("campus2/l2"), "occupancy/data/campus2/l2");
  assert.equal(topics.changes("default"), "occupancy/changes");
  assert.equal(topics.changes("l2"), "occupancy/changes/l2");
  assert.equal(topics.responseFor("me/1"), "occupancy/response/me/1");
  assert.equal(new Topics("a/b").data("l2"), "a/b/data/l2");
  assert.equal(topics.marker("me"), "occupancy/server/barrier/me");
  assert.equal(topics.serverCheck("me"), "occupancy/server/me");
  assert.deepEqual(topics.serverOnlyFilters, [
    "occupancy/server/#",
    "occupancy/changes/#",
    "occupancy/response/#",
    "occupancy/zone/#",
    "occupancy/source/#",
    "occupancy/errors",
  ]);
  assert.deepEqual(topics.clientFilters, [
    "occupancy/server/state",
    "occupancy/server/state/+",
    ...topics.serverOnlyFilters.slice(1),
  ]);
  assert.equal(topics.clientCheck("me"), "occupancy/check/me");
  assert.deepEqual(topics.serverSubscriptions("me"), [
    topics.dataFilter,
    topics.request,
    topics.marker("me"),
  ]);
  assert.deepEqual(topics.serverLiveSubscriptions(), [topics.state]);
});

pure("Topics.sourceEvent() has one level for each source", () => {
  const topics = new Topics();
  assert.equal(topics.sourceEvent("cam-7"), "occupancy/source/cam-7/event");
  assert.equal(
    topics.sourceEvent("Büro/1 +#100%\0"),
    "occupancy/source/Büro%2F1 %2B%23100%25%00/event",
  );
  const special = fc.constantFrom(..."/+#%\0\n\x85\ufffd\ufffe\u{1ffff}a2F");
  const name = fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }),
    fc.string({ unit: special, minLength: 1 }),
  );
  fc.assert(fc.property(name, (name) => {
    const topic = topics.sourceEvent(name);
    const levels = topic.split("/");
    assert.equal(levels.length, 4, topic);
    assertLayer(levels[2]!.slice(0, 50)); // no characters that are forbidden
    assert.equal(decodeURIComponent(levels[2]!), name, "so none are equal");
  }));
});

const BAD_LEVELS: [string, RegExp][] = [
  ["", /is empty/],
  ["a/+/b", /wildcard/],
  ["a#", /wildcard/],
  ["/a", /empty level/],
  ["a/", /empty level/],
  ["a//b", /empty level/],
  ["B\ufffdro", /not valid UTF-8/],
  ["a\0b", /control character/],
  ["a\nb", /control character/],
  ["a\x85b", /control character/],
  ["a\ufffe", /control character/],
  ["\ud800", /surrogate/],
  ["é".repeat(101), /over 200 bytes/],
  ["a".repeat(100_000), /over 200 bytes/],
];

pure("Topics() refuses a prefix that is not a topic name", () => {
  for (const [prefix, reason] of [...BAD_LEVELS, ["$SYS", /starts with \$/]]) {
    const error = errorOf(() => new Topics(prefix as string));
    assert.equal(error.code, "bad-prefix");
    assert.match(error.message, reason as RegExp);
  }
});

pure("assertLayer() refuses names that are not topic levels", () => {
  for (const [layer, reason] of BAD_LEVELS) {
    const error = errorOf(() => assertLayer(layer));
    assert.equal(error.code, "bad-layer");
    assert.match(error.message, reason);
    assert.equal(errorOf(() => new Topics().data(layer)).code, "bad-layer");
  }
  assertLayer("é".repeat(100));
  assertLayer("$level 2/[north]");
});

pure("assertZoneName() refuses names that are not one topic level", () => {
  for (const [name, reason] of BAD_LEVELS) {
    const error = errorOf(() => assertZoneName(name));
    assert.equal(error.code, "bad-zone");
    if (!name.includes("/")) assert.match(error.message, reason);
  }
  for (const name of ["a/b", "/", " ", "\u3000"]) {
    assert.equal(errorOf(() => assertZoneName(name)).code, "bad-zone");
  }
  assertZoneName("é".repeat(100));
  assertZoneName("$room 2.14 [north] <b>");
});

pure("textProblem() allows all that people read, and no control", () => {
  for (const text of ["", "a/b + #1", "Büro 🚪", "x".repeat(200)]) {
    assert.equal(textProblem(text), undefined);
  }
  for (const text of ["a\nb", "\x9b", "\ud800", "\ufffd", "x".repeat(201)]) {
    assert.notEqual(textProblem(text), undefined);
  }
});

pure("layerOf() is the inverse of data(), for every layer and prefix", () => {
  const level = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  fc.assert(fc.property(level, level, level, (prefix, layer, other) => {
    const topics = attempt((): Topics => new Topics(prefix));
    if (topics === undefined) return;
    for (const name of [layer, other, layer]) {
      const topic = attempt((): string => topics.data(name));
      if (topic === undefined) {
        assert.equal(topics.layerOf(`${prefix}/data/${name}`), undefined);
      } else assert.equal(topics.layerOf(topic), name);
    }
  }));
});

pure("layerOf() returns the default layer for both of its topics", () => {
  const topics = new Topics();
  assert.equal(topics.layerOf("occupancy/data"), "default");
  assert.equal(topics.layerOf("occupancy/data/default"), "default");
});

pure("layerOf() returns undefined for topics without readings", () => {
  const topics = new Topics();
  for (
    const topic of [
      "",
      "occupancy",
      "occupancy/database",
      "occupancy/request",
      "occupancy/data/",
      "occupancy/data//l2",
      "occupancy/data/" + "l".repeat(201),
      "other/occupancy/data",
    ]
  ) assert.equal(topics.layerOf(topic), undefined, topic);
});

pure(
  "assertReplyTopic() accepts only the response topic and topics below it",
  () => {
    const topics = new Topics();
    topics.assertReplyTopic("occupancy/response");
    topics.assertReplyTopic("occupancy/response/a");
    topics.assertReplyTopic("occupancy/response/a/b");
    for (
      const topic of [
        "",
        "occupancy",
        "occupancy/responses",
        "occupancy/data",
        "occupancy/server/state",
        "other/response",
        "$SYS/x",
        "#",
        "occupancy/response/",
        "occupancy/response/#",
        "occupancy/zone/#",
        "occupancy/response/+",
        "occupancy/response/a//b",
        "occupancy/response/a\0",
        "occupancy/response/\udfff",
        "occupancy/response/" + "a".repeat(201),
      ]
    ) {
      const error = errorOf(() => topics.assertReplyTopic(topic));
      assert.equal(error.code, "bad-reply-topic", topic);
      assert.ok(error.message.length < 150);
    }
    assert.equal(
      errorOf(() => topics.responseFor("+")).code,
      "bad-reply-topic",
    );
  },
);

pure("layerOf() returns the same for topics that come again", () => {
  const topics = new Topics();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 1500; i++) {
      assert.equal(topics.layerOf(`occupancy/data/l${i}`), `l${i}`);
      assert.equal(topics.layerOf(`occupancy/data/l${i}//x`), undefined);
      assert.equal(topics.layerOf("occupancy/data"), "default");
    }
  }
});
