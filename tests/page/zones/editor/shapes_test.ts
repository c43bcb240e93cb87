import assert from "node:assert/strict";
import fc from "fast-check";
import inPolygon from "robust-point-in-polygon";
import { countCells } from "../../../../src/page/zones/editor/cells_covered.ts";
import {
  addCorner,
  addHole,
  closeRing,
  cornersOf,
  countHoles,
  moveCorner,
  nearestCorner,
  positionOf,
  rectangleOf,
  removeCorner,
  translate,
  withoutIdleCorner,
} from "../../../../src/page/zones/editor/shapes.ts";
import {
  snapAlongEdge,
  snapToCells,
} from "../../../../src/page/zones/editor/snapping.ts";
import type { Polygon } from "../../../../src/zones/zone.ts";

const SQUARE: readonly Polygon[] = [[rectangleOf([0, 0], [10, 10])]];
const FIRST = { polygon: 0, ring: 0, corner: 0 };

Deno.test("a rectangle is the same from any two opposite corners", () => {
  const ring = rectangleOf([1, 2], [5, 4]);
  assert.deepEqual(ring, [[1, 2], [5, 2], [5, 4], [1, 4], [1, 2]]);
  assert.deepEqual(rectangleOf([5, 2], [1, 4]), ring);
  assert.deepEqual(rectangleOf([5, 4], [1, 2]), ring);
});

Deno.test("moving the first corner moves the repeated last position", () => {
  const [[ring]] = moveCorner(SQUARE, FIRST, [-1, -2]) as [Polygon];
  assert.deepEqual(ring![0], [-1, -2]);
  assert.deepEqual(ring!.at(-1), [-1, -2]);
  assert.deepEqual(SQUARE[0]![0]![0], [0, 0], "the old one is not changed");
});

Deno.test("corners are added in the middle and removed down to a triangle", () => {
  const more = addCorner(SQUARE, { ...FIRST, corner: 3 });
  assert.equal(cornersOf(more).length, 5);
  assert.deepEqual(positionOf(more, { ...FIRST, corner: 4 }), [0, 5]);
  const triangle = removeCorner(SQUARE, FIRST)!;
  assert.equal(cornersOf(triangle).length, 3);
  assert.equal(removeCorner(triangle, FIRST), undefined);
});

Deno.test("a hole is inside the zone or at its edge, and goes with its third corner", () => {
  const hole = closeRing([[2, 2], [4, 2], [4, 4]]);
  const holed = addHole(SQUARE, hole)!;
  assert.equal(countHoles(holed), 1);
  assert.deepEqual(
    removeCorner(holed, { polygon: 0, ring: 1, corner: 1 }),
    SQUARE,
  );
  assert.ok(addHole(SQUARE, rectangleOf([0, 0], [3, 3])));
  assert.equal(addHole(SQUARE, rectangleOf([8, 8], [12, 9])), undefined);
});

Deno.test("of several polygons one can be removed", () => {
  const triangle = closeRing([[20, 0], [22, 0], [22, 2]]);
  const path = { polygon: 1, ring: 0, corner: 0 };
  assert.deepEqual(removeCorner([...SQUARE, [triangle]], path), SQUARE);
});

Deno.test("zones stay within the cells", () => {
  const far = translate(SQUARE, 1e12, -1e12);
  assert.deepEqual(far[0]![0]![2], [2 ** 31, -(2 ** 31) + 10]);
  assert.deepEqual(
    moveCorner(SQUARE, FIRST, [-1e12, 0])[0]![0]![0],
    [-(2 ** 31), 0],
  );
});

Deno.test("the nearest corner is found, also of a hole", () => {
  const holed = addHole(SQUARE, rectangleOf([2, 2], [4, 4]))!;
  assert.deepEqual(nearestCorner(holed, [4.5, 4]), {
    path: { polygon: 0, ring: 1, corner: 2 },
    distance: 0.5,
  });
});

Deno.test("a corner that a click left on an edge is none", () => {
  const clicked = [[[[0, 0], [4, 0], ...SQUARE[0]![0]!.slice(1)]]] as const;
  assert.equal(withoutIdleCorner(SQUARE, clicked), SQUARE);
  const moved = moveCorner(clicked, { ...FIRST, corner: 1 }, [4, -3]);
  assert.equal(withoutIdleCorner(SQUARE, moved), moved);
});

Deno.test("a position snaps to the corner of a cell, or along an edge", () => {
  assert.deepEqual(snapToCells([1.4, -0.4], true), [1, 0]);
  assert.deepEqual(snapToCells([1.4, -0.4], false), [1.40625, -0.40625]);
  assert.deepEqual(snapAlongEdge([3.4, 7], [[0, 7], [10, 7]]), [3, 7]);
  assert.deepEqual(snapAlongEdge([5, 3.6], [[5, 0.5], [5, 3.7]]), [5, 3.6]);
  assert.deepEqual(snapAlongEdge([1.1, 1.1], [[0, 0], [9, 9]]), [1.1, 1.1]);
});

Deno.test("cells are counted as an independent test of their centres does", () => {
  const at = fc.tuple(
    fc.integer({ min: -9, max: 9 }),
    fc.integer({ min: -9, max: 9 }),
  );
  fc.assert(
    fc.property(fc.array(at, { minLength: 3, maxLength: 7 }), (corners) => {
      const ring = closeRing(corners);
      if (ring.length < 4) return;
      let count = 0;
      let onEdge = 0;
      for (let y = -10; y < 10; y++) {
        for (let x = -10; x < 10; x++) {
          const side = inPolygon(
            ring.slice(1) as [number, number][],
            [x + 0.5, y + 0.5],
          );
          if (side < 0) count++;
          if (side === 0) onEdge++;
        }
      }
      const counted = countCells([[ring]])!;
      assert.ok(counted >= count && counted <= count + onEdge);
    }),
  );
});

Deno.test("counting is fast for large zones, with holes", () => {
  const all = rectangleOf([-(2 ** 31), -(2 ** 31)], [2 ** 31, 2 ** 31]);
  assert.equal(countCells([[all, rectangleOf([0, 0], [3, 2])]]), 2 ** 64 - 6);
  const slanted = closeRing([[0, 0], [2 ** 30, 2 ** 30], [0, 2 ** 30]]);
  assert.equal(countCells([[slanted]]), undefined);
});
