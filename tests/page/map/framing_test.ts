/** What the map shows while the user has not moved it. */
import assert from "node:assert/strict";
import {
  allOf,
  homeOf,
  limitPadding,
  minScaleOf,
  overlap,
} from "../../../src/page/map/framing.ts";

const PLAN = [-1, -1, 119, 79] as const;

Deno.test({
  name: "homeOf() is the plan with the cells around it, without distant cells",
  permissions: "none",
  fn: () => {
    const cells = (x0: number, y0: number, x1: number, y1: number) => ({
      x0,
      y0,
      x1,
      y1,
    });
    assert.equal(homeOf({ plan: undefined, cells: undefined }), undefined);
    assert.deepEqual(homeOf({ plan: PLAN, cells: undefined }), PLAN);
    assert.deepEqual(
      homeOf({ plan: undefined, cells: cells(3, 4, 3, 5) }),
      [3, 4, 4, 6],
    );
    assert.deepEqual(homeOf({ plan: PLAN, cells: cells(3, 4, 5, 6) }), PLAN);
    assert.deepEqual(
      homeOf({ plan: PLAN, cells: cells(-20, 0, 139, 0) }),
      [-20, -1, 140, 79],
    );
    const far = { plan: PLAN, cells: cells(0, 0, 5, 900) };
    assert.deepEqual(homeOf(far), PLAN);
    assert.deepEqual(allOf(far), [-1, -1, 119, 901]);
  },
});

Deno.test({
  name: "minScaleOf() lets plan and cells fill half of the map",
  permissions: "none",
  fn: () => {
    assert.equal(minScaleOf([0, 0, 1000, 100], [800, 600]), 0.4);
    assert.equal(minScaleOf([0, 0, 100, 1000], [800, 600]), 0.3);
    // A few cells: not larger than 4 pixels each.
    assert.equal(minScaleOf([0, 0, 1, 1], [800, 600]), 4);
  },
});

Deno.test({
  name: "limitPadding() leaves most of a small map to the cells",
  permissions: "none",
  fn: () => {
    const padding = { top: 24, right: 24, bottom: 66, left: 60 };
    assert.deepEqual(limitPadding(padding, [800, 600]), padding);
    const { top, bottom, left, right } = limitPadding(padding, [800, 100]);
    assert.ok(Math.abs(top + bottom - 40) < 1e-9);
    assert.deepEqual([left, right], [60, 24]);
  },
});

Deno.test({
  name: "overlap() is true for a common part, not for a common edge",
  permissions: "none",
  fn: () => {
    assert.equal(overlap([0, 0, 2, 2], [1, 1, 3, 3]), true);
    assert.equal(overlap([0, 0, 2, 2], [2, 0, 3, 2]), false);
    assert.equal(overlap([0, 0, 2, 2], [0, 5, 2, 6]), false);
  },
});
