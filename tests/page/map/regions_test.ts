import assert from "node:assert/strict";
import {
  clampRegion,
  containsRegion,
  enlarge,
  regionBetween,
} from "../../../src/page/map/regions.ts";
import { INT32_MAX, INT32_MIN } from "../../../src/protocol/region.ts";

const permissions = "none";

Deno.test({
  name: "regionBetween() returns the same region for any opposite corners",
  permissions,
  fn: () => {
    const region = { x0: -3, y0: 2, x1: 4, y1: 9 };
    assert.deepEqual(regionBetween({ x: -3, y: 2 }, { x: 4, y: 9 }), region);
    assert.deepEqual(regionBetween({ x: 4, y: 2 }, { x: -3, y: 9 }), region);
  },
});

Deno.test({
  name:
    "enlarge() adds half of the size on each side, within valid coordinates",
  permissions,
  fn: () => {
    const region = { x0: 0, y0: 0, x1: 9, y1: 3 };
    assert.deepEqual(enlarge(region), { x0: -5, y0: -2, x1: 14, y1: 5 });
    assert.ok(containsRegion(enlarge(region), region));
    const all = { x0: INT32_MIN, y0: INT32_MIN, x1: INT32_MAX, y1: INT32_MAX };
    assert.deepEqual(enlarge(all), all);
  },
});

Deno.test({
  name: "clampRegion() moves the corners to valid coordinates",
  permissions,
  fn: () => {
    assert.deepEqual(
      clampRegion({ x0: -1e12, y0: 0, x1: 1e12, y1: 5 }),
      { x0: INT32_MIN, y0: 0, x1: INT32_MAX, y1: 5 },
    );
  },
});
