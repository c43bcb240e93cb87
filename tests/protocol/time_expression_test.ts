import assert from "node:assert/strict";
import fc from "fast-check";
import { timeZoneOf } from "../../src/history/time_zone.ts";
import {
  parseTimeExpression,
  ProtocolError,
  resolveTime,
} from "../../src/protocol/mod.ts";
import { pure } from "./support.ts";

const NOW = Date.UTC(2026, 10, 28, 12, 30);

function timeIn(zone: string, value: unknown): number {
  const firstAt = (local: number) => timeZoneOf(zone).firstAt(local);
  return resolveTime(parseTimeExpression(value, "at"), { now: NOW, firstAt });
}

pure("a time has any of these forms", () => {
  const noon = Date.UTC(2026, 10, 24, 12);
  const table: [unknown, number][] = [
    [noon, noon],
    [String(noon), noon],
    ["2026-11-24T12:00:00Z", noon],
    ["2026-11-24T13:00:00.5+01:00", noon + 500],
    ["2026-11-24T13:00", noon],
    ["2026-11-24t13:00:01", noon + 1000],
    ["2026-11-24", noon - 13 * 3_600_000],
    ["now", NOW],
    ["-2h", NOW - 7_200_000],
    ["-1.5h", NOW - 5_400_000],
    ["-30d", NOW - 30 * 86_400_000],
    ["-90s", NOW - 90_000],
    ["-0ms", NOW],
    [0, 0],
    ["0", 0],
  ];
  for (const [value, expected] of table) {
    assert.equal(timeIn("Europe/Berlin", value), expected, String(value));
  }
});

pure("a local time that the clock leaves out is that of the change", () => {
  const change = Date.UTC(2026, 2, 29, 1);
  assert.equal(timeIn("Europe/Berlin", "2026-03-29T02:30"), change);
  // It occurs twice: the first one.
  const first = Date.UTC(2026, 9, 25, 0, 30);
  assert.equal(timeIn("Europe/Berlin", "2026-10-25T02:30"), first);
});

pure("a time before 1970 is 1970", () => {
  assert.equal(timeIn("UTC", "-36500d"), 0);
});

pure("what is not a time is refused with its name and a hint", () => {
  const table: [unknown, RegExp][] = [
    ["", /^at is not a time: ""$/],
    ["yesterday", /^at is not a time: "yesterday"$/],
    ["-2", /^at is not a time: "-2"$/],
    ["-2w", /^at is not a time: "-2w"$/],
    ["-40000d", /^at is not a time: "-40000d"$/],
    ["+2h", /^at is not a time: "\+2h"$/],
    ["2026-02-30", /^at is not a time: "2026-02-30"$/],
    ["2026-11-24T25:00", /^at is not a time/],
    ["2026-11-24T12:00:60", /^at is not a time/],
    ["2026-11-24T23:59:60", /^at is not a time/],
    ["1960-01-01T00:00:00Z", /^at: time .* is before 1970$/],
    [1_764_300_000, /^at: time 1764300000 looks like seconds/],
    ["1764300000", /^at: time 1764300000 looks like seconds/],
    [1.7e18, /^at: time .* looks like nanoseconds/],
    [-5, /^at: time is negative: -5$/],
    [NaN, /^at is not a time: NaN$/],
    [null, /^at is not a time: null$/],
    [true, /^at is not a time: true$/],
    [["now"], /^at is not a time: an array$/],
    ["9".repeat(100_000), /^at is not a time: "9+…"$/],
  ];
  for (const [value, message] of table) {
    assert.throws(
      () => parseTimeExpression(value, "at"),
      (error) =>
        error instanceof ProtocolError && error.code === "bad-time" &&
        message.test(error.message) && error.hint !== undefined,
      String(value).slice(0, 50),
    );
  }
});

pure("the hint for a + that an address has lost names %2B", () => {
  assert.throws(
    () => parseTimeExpression("2026-11-24T12:00:00 01:00", "from"),
    ({ hint }: ProtocolError) => /%2B/.test(hint!),
  );
});

pure("any value is a time, or refused", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    try {
      const time = timeIn("UTC", value);
      assert.ok(time >= 0);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }));
});
