import assert from "node:assert/strict";
import fc from "fast-check";
import {
  contains,
  intersection,
  isInt32,
  type Region,
  regionFrom,
} from "../../src/protocol/region.ts";

Deno.test({
  name: "isInt32() accepts 32-bit signed integers only",
  permissions: "none",
  fn: () => {
    for (const value of [0, -0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      assert.equal(isInt32(value), true, String(value));
    }
    for (const value of [0.5, 2 ** 31, -(2 ** 31) - 1, NaN, Infinity]) {
      assert.equal(isInt32(value), false, String(value));
    }
    for (const value of ["1", null, undefined, [1], true]) {
      assert.equal(isInt32(value), false, String(value));
    }
  },
});

Deno.test({
  name: "regionFrom() accepts four 32-bit integers in order",
  permissions: "none",
  fn: () => {
    assert.deepEqual(
      regionFrom([-0, -2, 3, 4]),
      { x0: 0, y0: -2, x1: 3, y1: 4 },
    );
    assert.ok(Object.is(regionFrom([-0, 0, 1, 1])!.x0, 0));
    const invalid = [
      [0, 0, 1],
      [0, 0, 1, 1, 1],
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 0.5, 1],
      [0, 0, 2 ** 31, 1],
      ["0", 0, 1, 1],
      null,
      undefined,
      "0,0,1,1",
    ];
    for (const value of invalid) {
      assert.equal(regionFrom(value), undefined, JSON.stringify(value));
    }
  },
});

Deno.test({
  name: "intersection() contains what both regions contain",
  permissions: "none",
  fn: () => {
    const coordinate = fc.integer({ min: -5, max: 5 });
    const region: fc.Arbitrary<Region> = fc.tuple(
      coordinate,
      coordinate,
      coordinate,
      coordinate,
    ).map(([a, b, c, d]) => ({
      x0: Math.min(a, c),
      y0: Math.min(b, d),
      x1: Math.max(a, c),
      y1: Math.max(b, d),
    }));
    fc.assert(fc.property(
      region,
      region,
      coordinate,
      coordinate,
      (one, other, x, y) => {
        assert.equal(
          contains(intersection(one, other), x, y),
          contains(one, x, y) && contains(other, x, y),
        );
      },
    ));
  },
});
