import assert from "node:assert/strict";
import type { Series } from "../../../src/history/answers.ts";
import { curveOf } from "../../../src/page/history/day_curve.ts";
import { unknownTimes } from "../../../src/page/history/zone_plot.ts";

const QUARTER_MS = 900_000;

function seriesOf(
  mean: (number | null)[],
  gaps: readonly (readonly [number, number])[] = [],
): Series {
  return {
    ...{ from: 0, to: mean.length * QUARTER_MS, step: "15m" as const },
    ...{ timezone: "UTC", layer: "default", gaps, mean, least: mean },
    start: mean.map((_, index) => index * QUARTER_MS),
    most: mean.map((count) => count === null ? null : count + 1),
    occupied: mean,
    known: mean.map((count) => count === null ? 0 : 1),
    entries: mean,
  };
}

Deno.test("a step of which nothing is known ends a part: it is not zero", () => {
  const { parts, most } = curveOf(seriesOf([4, 5, null, 0, 2]), Infinity);
  assert.equal(parts.length, 2);
  assert.deepEqual(parts[0]!.map(([, count]) => count), [4, 4, 5]);
  assert.deepEqual(parts[1]!.map(([, count]) => count), [0, 0, 2, 2]);
  assert.deepEqual(most, { count: 6, from: QUARTER_MS, to: 2 * QUARTER_MS });
});

Deno.test("no part is in a gap that begins or ends within a step", () => {
  const gap = [0.5 * QUARTER_MS, 2.5 * QUARTER_MS] as const;
  const { parts } = curveOf(seriesOf([4, null, 6, 7], [gap]), Infinity);
  for (const part of parts) {
    for (const [time] of part) {
      assert.ok(time <= gap[0] || time >= gap[1], String(time));
    }
  }
  assert.equal(parts.length, 2);
});

Deno.test("a day without data has no curve, and no largest count", () => {
  const { parts, most } = curveOf(seriesOf([null, null]), Infinity);
  assert.deepEqual(parts, []);
  assert.equal(most, undefined);
});

Deno.test("unknownTimes() has gaps and unknown steps, but nothing of the future", () => {
  const series = seriesOf([1, null, 2, null], [[0, 10]]);
  assert.deepEqual(unknownTimes(series, 3 * QUARTER_MS), [
    [0, 10],
    [QUARTER_MS, 2 * QUARTER_MS],
  ]);
});
