import assert from "node:assert/strict";
import fc from "fast-check";
import {
  firstCellFrom,
  firstCellRightOf,
  roundCoordinate,
} from "../../src/zones/edge_crossing.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

const LIMIT = 2 ** 31;

const coordinate = fc.oneof(
  fc.integer({ min: -LIMIT, max: LIMIT }),
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: -40, max: 40 }).map((half) => half / 2),
  fc.double({ min: -LIMIT, max: LIMIT, noNaN: true }),
  fc.double({ min: -3, max: 3, noNaN: true }),
);

test("firstCellFrom() is the first cell with its centre at or after it", () => {
  assert.equal(firstCellFrom(0), 0);
  assert.equal(firstCellFrom(0.5), 0);
  assert.equal(firstCellFrom(0.5000000000000001), 1);
  assert.equal(firstCellFrom(-0.5), -1);
  assert.equal(firstCellFrom(-0.49999999999999994), 0);
  assert.equal(firstCellFrom(-LIMIT), -LIMIT);
  assert.equal(firstCellFrom(LIMIT), LIMIT);
  fc.assert(fc.property(coordinate, (value) => {
    const cell = firstCellFrom(value);
    assert.ok(Number.isInteger(cell));
    assert.ok(cell + 0.5 >= value);
    assert.ok(cell - 0.5 < value);
  }));
});

test("coordinates are rounded to multiples of 2^-20", () => {
  assert.equal(roundCoordinate(0.1 + 0.2), roundCoordinate(0.3));
  assert.equal(roundCoordinate(2 ** -20), 2 ** -20);
  assert.equal(roundCoordinate(0.4 * 2 ** -20), 0);
  assert.equal(roundCoordinate(LIMIT - 2 ** -20), LIMIT - 2 ** -20);
  fc.assert(fc.property(coordinate, (value) => {
    const rounded = roundCoordinate(value);
    assert.ok(Number.isInteger(rounded * 2 ** 20));
    assert.ok(Math.abs(rounded - value) <= 2 ** -21);
  }));
});

test("firstCellRightOf() takes a centre on the edge", () => {
  // The diagonal goes through all centres.
  assert.equal(firstCellRightOf(0, 0, 10, 10, 3), 3);
  assert.equal(firstCellRightOf(10, 0, 0, 10, 3), 6);
  assert.equal(firstCellRightOf(-LIMIT, -LIMIT, LIMIT, LIMIT, 7), 7);
  assert.equal(firstCellRightOf(LIMIT, -LIMIT, -LIMIT, LIMIT, 7), -8);
  assert.equal(firstCellRightOf(4.5, -1, 4.5, 9, 3), 4);
  assert.equal(firstCellRightOf(4.5000001, -1, 4.5000001, 9, 3), 5);
});

test("firstCellRightOf() sees the smallest difference", () => {
  const step = 2 ** -20;
  assert.equal(firstCellRightOf(0, 0, 10 + step, 10, 3), 4);
  assert.equal(firstCellRightOf(0, 0, 10, 10 + step, 3), 3);
  assert.equal(firstCellRightOf(step, 0, 10, 10, 3), 4);
  assert.equal(firstCellRightOf(-step, 0, 10, 10, 3), 3);
  const [low, high] = [-LIMIT, LIMIT];
  assert.equal(firstCellRightOf(low, low, high, high - step, 7), 8);
  assert.equal(firstCellRightOf(low, low, high - step, high, 7), 7);
  // The products to compare are 2^62 and 2^62 - 1/4.
  assert.equal(firstCellRightOf(0, -0.5, LIMIT, LIMIT, LIMIT - 1), LIMIT);
});

test("firstCellRightOf() equals a computation with fractions", () => {
  const rounded = coordinate.map(roundCoordinate);
  const edge = fc.tuple(rounded, rounded, rounded, rounded)
    .map(([x1, y1, x2, y2]) => y1 < y2 ? [x1, y1, x2, y2] : [x2, y2, x1, y1])
    .filter(([, y1, , y2]) => firstCellFrom(y1!) < firstCellFrom(y2!)) as //
    fc.Arbitrary<[number, number, number, number]>;
  fc.assert(
    fc.property(
      edge,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (edge, at) => {
        const [x1, y1, x2, y2] = edge;
        const from = firstCellFrom(y1);
        const y = from + Math.floor((firstCellFrom(y2) - from) * at);
        const cell = firstCellRightOf(x1, y1, x2, y2, y);
        assert.ok(isRight(edge, cell, y), `${cell} is right of the edge`);
        assert.ok(!isRight(edge, cell - 1, y), `${cell - 1} is left of it`);
      },
    ),
    { numRuns: 2000 },
  );
});

/** The rule in units of 2^-20. */
function isRight(
  edge: readonly [number, number, number, number],
  x: number,
  y: number,
): boolean {
  const [x1, y1, x2, y2] = edge.map(units) as [bigint, bigint, bigint, bigint];
  return (units(x + 0.5) - x1) * (y2 - y1) >= (x2 - x1) * (units(y + 0.5) - y1);
}

function units(coordinate: number): bigint {
  return BigInt(coordinate * 2 ** 20);
}
