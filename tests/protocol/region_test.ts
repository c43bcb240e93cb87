import assert from "node:assert/strict";
import fc from "fast-check";
import {
  contains,
  intersection,
  isInt32,
  parseJsonInteger,
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
  name: "parseJsonInteger() accepts the integers of JSON only",
  permissions: "none",
  fn: () => {
    const valid: [text: string, value: number][] = [
      ["0", 0],
      ["-0", 0],
      ["12", 12],
      ["-3", -3],
      ["1.0", 1],
      ["1e3", 1000],
      ["10E-1", 1],
    ];
    for (const [text, value] of valid) {
      assert.ok(Object.is(parseJsonInteger(text), value), text);
    }
    const other = ["", "+1", "01", "1.", ".5", "1.5", "0x1", "NaN", " 1", "1,"];
    for (const text of other) {
      assert.equal(parseJsonInteger(text), undefined, text);
    }
    fc.assert(fc.property(fc.string({ maxLength: 12 }), (text) => {
      let value: unknown;
      try {
        value = text.trim() === text ? JSON.parse(text) : undefined;
      } catch {
        // not JSON
      }
      const expected = Number.isInteger(value)
        ? value as number + 0
        : undefined;
      assert.equal(parseJsonInteger(text), expected, text);
    }));
  },
});

Deno.test({
  name: "regionFrom() accepts four 32-bit integers, and sorts the corners",
  permissions: "none",
  fn: () => {
    assert.deepEqual(
      regionFrom([-0, -2, 3, 4]),
      { x0: 0, y0: -2, x1: 3, y1: 4 },
    );
    for (const corners of [[3, 4, 0, -2], [0, 4, 3, -2], [3, -2, 0, 4]]) {
      assert.deepEqual(regionFrom(corners), { x0: 0, y0: -2, x1: 3, y1: 4 });
    }
    assert.ok(Object.is(regionFrom([-0, 0, 1, 1])!.x0, 0));
    const invalid = [
      [0, 0, 1],
      [0, 0, 1, 1, 1],
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
