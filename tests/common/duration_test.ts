import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDuration, writeDuration } from "../../src/common/duration.ts";

function rejects(parse: (text: string) => unknown, texts: string[]): void {
  for (const text of texts) {
    assert.throws(() => parse(text), RangeError, JSON.stringify(text));
  }
}

Deno.test({
  name: "parseDuration() reads a number with a unit; seconds without one",
  permissions: "none",
  fn: () => {
    const cases = {
      "500ms": 500,
      "1.5s": 1500,
      "2": 2000,
      "0": 0,
      "10m": 600_000,
      "2h": 7_200_000,
      "7d": 604_800_000,
      " 5 s ": 5000,
    };
    for (const [text, ms] of Object.entries(cases)) {
      assert.equal(parseDuration(text), ms, text);
    }
    rejects(parseDuration, ["", "s", "-1s", "1e3", "1w", "1 s s", "NaN", ".5"]);
  },
});

Deno.test({
  name: "parseDuration() rejects more than a hundred years",
  permissions: "none",
  fn: () => {
    assert.equal(parseDuration("36500d"), 3_153_600_000_000);
    rejects(parseDuration, ["36501d", "9".repeat(400), "1" + "0".repeat(30)]);
  },
});

Deno.test({
  name: "writeDuration() writes the largest unit without a fraction",
  permissions: "none",
  fn: () => {
    const cases = {
      "0s": 0,
      "1ms": 1,
      "1500ms": 1500,
      "90s": 90_000,
      "10m": 600_000,
      "2h": 7_200_000,
      "7d": 604_800_000,
    };
    for (const [text, ms] of Object.entries(cases)) {
      assert.equal(writeDuration(ms), text);
    }
  },
});

Deno.test({
  name: "parseDuration() reads what writeDuration() wrote",
  permissions: "none",
  fn: () => {
    const ms = fc.integer({ min: 0, max: 3_153_600_000_000 });
    fc.assert(fc.property(ms, (ms) => {
      assert.equal(parseDuration(writeDuration(ms)), ms);
    }));
  },
});
