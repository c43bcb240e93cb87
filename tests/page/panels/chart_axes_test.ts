/** The axes of the chart. */
import assert from "node:assert/strict";
import { formatShortCount } from "../../../src/page/elements/format.ts";
import {
  COUNT_STEPS,
  rangeOf,
  TIME_STEPS_S,
} from "../../../src/page/panels/chart_axes.ts";

const options = { permissions: "none" } as const;

Deno.test("the counts of the chart start at zero", options, () => {
  for (const max of [0, 1, 12, 10_500, 16e9]) {
    const [from, to] = rangeOf(max);
    assert.equal(from, 0);
    assert.ok(to > max);
  }
});

Deno.test("no two ticks of the counts have the same label", options, () => {
  for (let max = 1; max < 1e10; max = Math.ceil(max * 1.07)) {
    const [, to] = rangeOf(max);
    for (const step of COUNT_STEPS) {
      const ticks = Math.floor(to / step) + 1;
      // uPlot chooses a step with at most four ticks in the height of the chart.
      if (ticks < 2 || ticks > 6) continue;
      const labels = Array.from(
        { length: ticks },
        (_, index) => formatShortCount(index * step),
      );
      assert.equal(new Set(labels).size, ticks, `${max}: ${labels}`);
    }
  }
});

Deno.test(
  "ticks of the time are whole minutes, as their labels",
  options,
  () => {
    for (const step of TIME_STEPS_S) assert.equal(step % 60, 0);
  },
);
