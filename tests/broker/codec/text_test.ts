/** UTF-8, topic names and topic filters. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  countLevels,
  isTopicFilter,
  isTopicName,
  parseFilter,
} from "../../../src/broker/codec/topic_names.ts";
import {
  decodeUtf8,
  scanUtf8,
  TextKind,
} from "../../../src/broker/codec/utf8.ts";
import { hex } from "../../support/packet_bytes.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** Returns true if a string of MQTT may consist of these bytes. */
function isValidUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  return scanUtf8(bytes, from, to) !== TextKind.Invalid;
}

/** What the standard decoder says; NUL is not allowed in MQTT. */
function isValid(bytes: Uint8Array): boolean {
  try {
    return !strict.decode(bytes).includes("\0");
  } catch {
    return false;
  }
}

test("every sequence of two bytes is judged as by TextDecoder", () => {
  for (let pair = 0; pair < 0x1_0000; pair++) {
    const bytes = Uint8Array.of(pair >> 8, pair & 0xff);
    assert.equal(isValidUtf8(bytes, 0, 2), isValid(bytes), pair.toString(16));
  }
});

test("every first and second byte of longer sequences as well", () => {
  for (let lead = 0xe0; lead < 0x100; lead++) {
    for (let second = 0; second < 0x100; second++) {
      for (const rest of [[0x80], [0xbf], [0x7f], [0x80, 0x80], [0xbf, 0xc0]]) {
        const bytes = Uint8Array.of(lead, second, ...rest);
        assert.equal(isValidUtf8(bytes, 0, bytes.length), isValid(bytes));
      }
    }
  }
});

test("any bytes are judged as by TextDecoder (MQTT 5, 1.5.4-1, 1.5.4-2)", () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 12 })
      .map((text) => encoder.encode(text)),
    // A valid text with one other byte.
    fc.tuple(fc.string({ unit: "binary", minLength: 1 }), fc.nat(), fc.nat(255))
      .map(([text, at, byte]) => {
        const bytes = encoder.encode(text);
        return bytes.with(at % bytes.length, byte);
      }),
  );
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.equal(isValidUtf8(bytes, 0, bytes.length), isValid(bytes));
    }),
    { numRuns: 3000 },
  );
});

test("a text is judged within its bounds only", () => {
  const bytes = hex("ff 61 e282ac 62 ff");
  assert.ok(isValidUtf8(bytes, 1, 6));
  assert.ok(!isValidUtf8(bytes, 0, 6));
  assert.ok(!isValidUtf8(bytes, 1, 4), "cut inside of a character");
  assert.ok(!isValidUtf8(bytes, 3, 6), "begins inside of a character");
  assert.ok(isValidUtf8(bytes, 1, 1));
});

test("control characters are found: U+0001 to U+001F, U+007F to U+009F", () => {
  for (let code = 1; code < 0x200; code++) {
    const bytes = encoder.encode(`a${String.fromCharCode(code)}b`);
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    assert.equal(
      scanUtf8(bytes, 0, bytes.length),
      isControl ? TextKind.WithControls : TextKind.Plain,
    );
  }
});

test("any text is decoded as by TextDecoder, a byte order mark kept", () => {
  const texts = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 80 }),
    fc.string({ unit: "grapheme-ascii", maxLength: 80 }),
  );
  fc.assert(fc.property(texts, fc.boolean(), (text, hasMark) => {
    const whole = (hasMark ? "\ufeff" : "") + text;
    const bytes = encoder.encode(`<${whole}>`);
    assert.equal(decodeUtf8(bytes, 1, bytes.length - 1), whole);
  }));
});

test("topic names (MQTT 5, 4.7)", () => {
  for (
    const topic of ["a", "/", "a/b", "$SYS/x", " ", "é", "a".repeat(65_535)]
  ) {
    assert.ok(isTopicName(topic), topic.slice(0, 20));
  }
  const bad = [
    ...["", "+", "a/#", "a\0", "\ud800", "a".repeat(65_536)],
    "é".repeat(32_768),
  ];
  for (const topic of bad) assert.ok(!isTopicName(topic), topic.slice(0, 20));
});

test("topic filters (MQTT 5, 4.7.1)", () => {
  const good = [
    ...["#", "+", "/", "/#", "+/+", "a/+/b", "a/#", "+/#", "/+", "+/", "a//b"],
    ...["$SYS/#", "a", " ", "a/+/#"],
  ];
  for (const filter of good) assert.ok(isTopicFilter(filter), filter);
  const bad = [
    ...["", "a#", "#a", "#/", "#/a", "a/#/b", "++", "+a", "a+", "a/b+", "a/+b"],
    ...["##", "a\0", "\udfff/#", `${"a".repeat(65_534)}/#`],
  ];
  for (const filter of bad) assert.ok(!isTopicFilter(filter), filter);
});

test("filters of shared subscriptions (MQTT 5, 4.8.2)", () => {
  assert.deepEqual(parseFilter("$share/g/a/#"), {
    shareName: "g",
    topicFilter: "a/#",
  });
  assert.deepEqual(parseFilter("$share/g//"), {
    shareName: "g",
    topicFilter: "/",
  });
  assert.deepEqual(parseFilter("$shared/g/a"), {
    shareName: undefined,
    topicFilter: "$shared/g/a",
  });
  for (const bad of ["$share/", "$share//a", "$share/g", "$share/g/", "a#"]) {
    assert.equal(parseFilter(bad), undefined, bad);
  }
});

test("levels are counted", () => {
  const counts = ["a", "/", "a/b", "a//b", "/a/"].map(countLevels);
  assert.deepEqual(counts, [1, 2, 2, 3, 3]);
});
