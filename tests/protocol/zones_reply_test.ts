/** Requests for zones and their replies, as text. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeRequest,
  parseAnyReply,
  parseReply,
  parseRequest,
  Topics,
  ZonesAssembler,
  type ZonesPart,
  ZonesReplyWriter,
} from "../../src/protocol/mod.ts";
import { errorOf, pure, utf8 } from "./support.ts";

const NOW = 1_760_000_000_000;
const topics = new Topics();

function parse(body: unknown) {
  return parseRequest(utf8(JSON.stringify(body)), { topics });
}

pure("parseRequest() reads requests for all zones or for some", () => {
  const rest = { replyTopic: "occupancy/response", maxBytes: 262_144 };
  assert.deepEqual(parse({ zones: true }), { kind: "zones", ...rest });
  assert.deepEqual(
    parse({
      zones: ["b", "a", "b"],
      transaction: 7,
      layer: null,
      region: null,
      since: null,
      format: "json",
      maxBytes: 2000,
    }),
    {
      ...{ kind: "zones", transaction: 7, names: ["b", "a"] },
      ...{ replyTopic: "occupancy/response", maxBytes: 2000 },
    },
  );
  assert.deepEqual(parse({ zones: [] }), { kind: "zones", names: [], ...rest });
  assert.equal(parse({ zones: null }).kind, "map");
  const sent = encodeRequest({ zones: ["lobby"], transaction: "q" });
  assert.equal(parseRequest(sent, { topics }).kind, "zones");
});

pure("parseRequest() refuses what is not a request for zones", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["bad-zones", { zones: false }],
    ["bad-zones", { zones: "lobby" }],
    ["bad-zones", { zones: { lobby: true } }],
    ["bad-zones", { zones: [1] }],
    ["bad-zones", { zones: new Array(10_001).fill("a") }],
    ["bad-zones", { zones: true, layer: "l2" }],
    ["bad-zones", { zones: true, region: [0, 0, 1, 1] }],
    ["bad-zones", { zones: true, since: 0 }],
    ["bad-zone", { zones: ["a/b"] }],
    ["bad-zone", { zones: ["#"] }],
    ["bad-zone", { zones: [" "] }],
    ["bad-format", { zones: true, format: "csv" }],
    ["bad-max-bytes", { zones: true, maxBytes: 1 }],
    ["bad-reply-topic", { zones: "no", replyTo: "elsewhere" }],
  ];
  for (const [code, body] of cases) {
    assert.equal(errorOf(() => parse(body)).code, code, JSON.stringify(body));
  }
});

pure(
  "ZonesReplyWriter writes parts of the maximum size that join again",
  () => {
    fc.assert(fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), {
        maxLength: 60,
      }),
      fc.integer({ min: 1024, max: 5000 }),
      fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
      (titles, maxBytes, transaction) => {
        const zones = titles.map((title, i) => ({ zone: `z${i}`, title }));
        const writer = new ZonesReplyWriter({
          ...(transaction !== undefined && { transaction }),
          ...{ revision: 12, time: NOW, maxBytes },
        });
        const fits = zones.filter((zone) =>
          utf8(JSON.stringify(zone)).length < 800
        );
        for (const zone of fits) writer.zone(JSON.stringify(zone));
        const payloads = writer.finish();
        const assembler = new ZonesAssembler();
        for (const payload of payloads.toReversed()) {
          assert.ok(payload.length <= maxBytes);
          const part = parseAnyReply(payload);
          assert.ok("zones" in part);
          assert.equal(part.transaction, transaction);
          assembler.add(part);
        }
        assert.ok(assembler.complete);
        assert.equal(assembler.header?.revision, 12);
        assert.equal(assembler.header?.time, NOW);
        assert.deepEqual(assembler.zones(), fits);
      },
    ));
  },
);

pure("ZonesReplyWriter refuses a zone that fits no part", () => {
  const options = { revision: 1, time: NOW, maxBytes: 1024 };
  const writer = new ZonesReplyWriter(options);
  writer.zone('{"zone":"a"}');
  assert.throws(() => writer.zone(`"${"x".repeat(1000)}"`), RangeError);
  const part = parseAnyReply(writer.finish()[0]!) as ZonesPart;
  assert.deepEqual(part.zones, [{ zone: "a" }]);
  assert.throws(() => writer.zone('{"zone":"b"}'), /finished/);
});

pure("a reply with more zones than a buffer has many full parts", () => {
  const writer = new ZonesReplyWriter({
    ...{ revision: 1, time: NOW, maxBytes: 262_144 },
  });
  const json = JSON.stringify({ zone: "z", title: "x".repeat(280) });
  for (let i = 0; i < 10_000; i++) writer.zone(json);
  const parts = writer.finish();
  assert.ok(parts.length > 11 && parts.length < 14, `${parts.length} parts`);
  const counts = parts.map((part) => {
    assert.ok(part.length <= 262_144);
    return (parseAnyReply(part) as ZonesPart).zones.length;
  });
  assert.equal(counts.reduce((sum, count) => sum + count), 10_000);
});

pure("parseReply() refuses zones, and parseAnyReply() invalid ones", () => {
  const body = {
    ...{ status: "ok", revision: 1, time: NOW, part: 1, parts: 1, zones: [] },
  };
  const of = (changes: Record<string, unknown>) =>
    utf8(JSON.stringify({ ...body, ...changes }));
  assert.equal(errorOf(() => parseReply(of({}))).code, "bad-reply");
  for (
    const changes of [
      ...[{ revision: -1 }, { time: "now" }, { part: 2 }, { parts: 0 }],
      ...[{ zones: {} }, { status: "done" }, { transaction: [] }],
    ]
  ) {
    const { code } = errorOf(() => parseAnyReply(of(changes)));
    assert.equal(code, "bad-reply", JSON.stringify(changes));
  }
});
