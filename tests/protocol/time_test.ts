import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_TIME_MS, parseTimestamp } from "../../src/protocol/mod.ts";
import { checkReadingTime, checkReplyTime } from "../../src/protocol/time.ts";
import { embedded, parse, pure, utf8 } from "./support.ts";

function timestamp(text: string): number {
  const bytes = embedded(utf8(text));
  return parseTimestamp(bytes, 0, bytes.length);
}

pure("parseTimestamp() agrees with Date.toISOString() for every time", () => {
  const range = { min: 0, max: MAX_TIME_MS };
  fc.assert(fc.property(fc.integer(range), (ms) => {
    assert.equal(timestamp(new Date(ms).toISOString()), ms);
  }));
});

pure("parseTimestamp() subtracts the offset", () => {
  const noon = Date.UTC(2026, 0, 31, 12);
  const minutes = { min: -1439, max: 1439 };
  fc.assert(fc.property(fc.integer(minutes), (offset) => {
    const local = new Date(noon + offset * 60_000).toISOString().slice(0, 19);
    const sign = offset < 0 ? "-" : "+";
    const hours = String(Math.trunc(Math.abs(offset) / 60)).padStart(2, "0");
    const rest = String(Math.abs(offset) % 60).padStart(2, "0");
    assert.equal(timestamp(`${local}${sign}${hours}:${rest}`), noon);
  }));
});

pure("parseTimestamp() reads the forms of RFC 3339", () => {
  const second = Date.UTC(2026, 0, 31, 12, 0, 5);
  const table: [string, number][] = [
    ["2026-01-31T12:00:05Z", second],
    ["2026-01-31t12:00:05z", second],
    ["2026-01-31T12:00:05-00:00", second],
    ["2026-01-31T12:00:05.1Z", second + 100],
    ["2026-01-31T12:00:05.12Z", second + 120],
    ["2026-01-31T12:00:05.1239999999Z", second + 123],
    ["2026-01-31T12:00:05.9+00:00", second + 900],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
    ["1970-01-01T00:00:00Z", 0],
    ["1969-12-31T23:59:59Z", -1000],
    ["1969-12-31T23:00:00-02:00", 3_600_000],
  ];
  for (const [text, ms] of table) assert.equal(timestamp(text), ms, text);
  assert.ok(timestamp("0075-01-01T00:00:00Z") < 0);
});

pure(
  "parseTimestamp() reads a leap second as the end of the previous second",
  () => {
    const last = Date.UTC(2016, 11, 31, 23, 59, 59, 999);
    assert.equal(timestamp("2016-12-31T23:59:60Z"), last);
    assert.equal(timestamp("2016-12-31T23:59:60.5Z"), last);
    assert.equal(timestamp("2017-01-01T05:29:60+05:30"), last);
    assert.equal(timestamp("2016-12-31T15:59:60-08:00"), last);
    assert.equal(timestamp("2016-12-31T12:00:60Z"), NaN);
    assert.equal(timestamp("2016-12-31T23:59:60+01:00"), NaN);
  },
);

pure("parseTimestamp() returns NaN for other text", () => {
  for (
    const text of [
      "",
      "now",
      "2026-01-31",
      "2026-01-31T12:00Z",
      "2026-01-31T12:00:05",
      "2026-01-31 12:00:05Z",
      "2026-01-31T12:00:05 Z",
      "2026-01-31T12:00:05.Z",
      "2026-01-31T12:00:05,5Z",
      "2026-01-31T12:00:05Zx",
      "2026-01-31T12:00:05+0100",
      "2026-01-31T12:00:05+24:00",
      "2026-01-31T12:00:05+01:60",
      "2026-01-31T12:00:05*01:00",
      "2026-13-01T12:00:05Z",
      "2026-00-01T12:00:05Z",
      "2026-02-29T12:00:05Z",
      "1900-02-29T12:00:05Z",
      "2026-04-31T12:00:05Z",
      "2026-01-00T12:00:05Z",
      "2026-01-31T24:00:00Z",
      "2026-01-31T12:60:05Z",
      "2026-01-31T12:00:61Z",
      "20a6-01-31T12:00:05Z",
      "+026-01-31T12:00:05Z",
      "2026/01/31T12:00:05Z",
      "2026-01-31T12:00:05." + "1".repeat(100) + "Z",
    ]
  ) assert.equal(timestamp(text), NaN, text);
});

pure("parseTimestamp() never throws for arbitrary bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const ms = parseTimestamp(bytes, 0, bytes.length);
    assert.ok(Number.isNaN(ms) || Number.isInteger(ms));
  }));
});

pure("checkReadingTime() accepts both ranges and truncates fractions", () => {
  for (const ms of [0, 1, 1e8, 1e11, 1.7e12, 1e14]) {
    assert.equal(checkReadingTime(ms), ms);
  }
  assert.equal(checkReadingTime(1.7e12 + 0.75), 1.7e12);
  assert.ok(Object.is(checkReadingTime(-0), 0));
  const refused = [NaN, -1, -0.5, 1e8 + 1, 1.7e9, 1e11 - 1, 1e14 + 1, Infinity];
  for (const ms of refused) assert.equal(checkReadingTime(ms), NaN);
  assert.equal(checkReplyTime(1.7e9), 1.7e9);
  assert.equal(checkReplyTime(-1), NaN);
});

pure("CSV and JSON refuse the same times", () => {
  const table: [string, RegExp][] = [
    ["-1", /negative/],
    ["-0.5", /negative/],
    ["1700000000", /looks like seconds: send milliseconds/],
    ["1700000000.25", /looks like seconds/],
    ["1700000000000000", /looks like microseconds/],
    ["1700000000000000000", /looks like nanoseconds/],
  ];
  for (const [time, reason] of table) {
    const payloads = [
      `1,2,3,${time}`,
      `{"x":1,"y":2,"value":3,"time":${time}}`,
      `{"cells":[[1,2,3,${time}]]}`,
      `{"cells":[${" ".repeat(300)}[1,2,3,${time}]]}`,
    ];
    for (const payload of payloads) {
      const { rows, refusals, refused } = parse(payload);
      assert.deepEqual(rows, []);
      assert.deepEqual(refused, ["1:bad-time"]);
      assert.match(refusals.kept[0]!.message, reason);
    }
  }
});

pure("a refused time string is reported with the reason", () => {
  const table: [string, RegExp][] = [
    ["yesterday", /neither milliseconds since 1970 nor RFC 3339/],
    ["1960-01-01T00:00:00Z", /before 1970/],
    ["1971-01-01T00:00:00Z", /before March 1973/],
    ["9999-01-01T00:00:00Z", /after November 5138/],
    ["x".repeat(10_000), /over 64 characters/],
  ];
  for (const [time, reason] of table) {
    const { refusals } = parse(JSON.stringify({ x: 1, y: 2, value: 3, time }));
    assert.equal(refusals.kept[0]!.code, "bad-time");
    assert.match(refusals.kept[0]!.message, reason);
    assert.ok(refusals.kept[0]!.message.length < 150);
    if (time.length > 1000) continue;
    assert.match(parse(`1,2,3,${time}`).refusals.kept[0]!.message, reason);
  }
  const { refusals } = parse('{"x":1,"y":2,"value":3,"time":"1700000000000"}');
  assert.match(refusals.kept[0]!.message, /send the number without quotes/);
  assert.match(
    parse('{"x":1,"y":2,"value":3,"time":[]}').refusals.kept[0]!.message,
    /neither a number nor an RFC 3339 string/,
  );
});
