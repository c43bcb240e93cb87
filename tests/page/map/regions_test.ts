import assert from "node:assert/strict";
import {
  between,
  clampedRegion,
  contains,
  widened,
} from "../../../src/page/map/regions.ts";

const options = { permissions: "none" } as const;
const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

Deno.test("between() has both corners, whichever way they lie", options, () => {
  const region = { x0: -3, y0: 2, x1: 4, y1: 9 };
  assert.deepEqual(between({ x: -3, y: 2 }, { x: 4, y: 9 }), region);
  assert.deepEqual(between({ x: 4, y: 2 }, { x: -3, y: 9 }), region);
});

Deno.test(
  "widened() has room on all sides, and stays within what can be",
  options,
  () => {
    const region = { x0: 0, y0: 0, x1: 9, y1: 3 };
    assert.deepEqual(widened(region), { x0: -5, y0: -2, x1: 14, y1: 5 });
    assert.ok(contains(widened(region), region));
    const all = { x0: LEAST, y0: LEAST, x1: MOST, y1: MOST };
    assert.deepEqual(widened(all), all);
  },
);

Deno.test("clampedRegion() leaves out what no cell can have", options, () => {
  assert.deepEqual(
    clampedRegion({ x0: -1e12, y0: 0, x1: 1e12, y1: 5 }),
    { x0: LEAST, y0: 0, x1: MOST, y1: 5 },
  );
});
