/** Times without records. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  clipGaps,
  type Gap,
  gapAt,
  gapSeconds,
  mergeGaps,
} from "../../src/history/gaps.ts";
import { dayOf, hourOf, quarterOf, startOf } from "../../src/history/hour.ts";

const gaps = fc.array(
  fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 12 }))
    .map(([from, length]): Gap => ({ from, to: from + length })),
  { maxLength: 8 },
);

function secondsIn(gaps: readonly Gap[]): number[] {
  return Array.from({ length: 100 }, (_, second) => second)
    .filter((second) =>
      gaps.some(({ from, to }) => from <= second && second < to)
    );
}

Deno.test("gaps: merge, clip, count and find equal a recount", () => {
  const bound = fc.nat({ max: 80 });
  fc.assert(fc.property(gaps, bound, bound, (gaps, from, to) => {
    const all = secondsIn(gaps);
    const merged = mergeGaps(gaps);
    assert.deepEqual(secondsIn(merged), all);
    merged.forEach(({ from, to }, i) => {
      assert.ok(from < to && (i === 0 || merged[i - 1]!.to < from));
    });
    const within = all.filter((second) => from <= second && second < to);
    assert.deepEqual(secondsIn(clipGaps(gaps, from, to)), within);
    assert.equal(gapSeconds(merged, from, to), within.length);
    assert.equal(gapAt(gaps, from) !== undefined, all.includes(from));
  }));
});

Deno.test("hours, days and quarters of a second", () => {
  assert.equal(hourOf(7199), 1);
  assert.equal(startOf(2), 7200);
  assert.equal(dayOf(hourOf(86_400)), 1);
  assert.equal(dayOf(23), 0);
  assert.equal(quarterOf(1799), 1);
});
