/** The sweep for crossing edges, beside a test of all pairs. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { findCrossing } from "../../src/zones/crossings.ts";
import type { Polygon, Position, Ring } from "../../src/zones/zone.ts";
import { atOnce } from "../../src/common/at_once.ts";
import { pure } from "./support.ts";

/** Closes a ring of corners. */
function ring(...corners: Position[]): Ring {
  return [...corners, corners[0]!];
}

/** Exact for small whole numbers. */
function side(a: Position, b: Position, c: Position): number {
  return Math.sign(
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]),
  );
}

/** True if any two edges cross, by looking at all pairs. */
function crossesByPairs(polygon: Polygon): boolean {
  const edges = polygon.flatMap((ring) =>
    ring.slice(1).map((end, i) => [ring[i]!, end] as const)
  );
  return edges.some(([a, b], i) =>
    edges.slice(i + 1).some(([c, d]) =>
      side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0
    )
  );
}

const crossing = (polygon: Polygon) => atOnce(findCrossing(polygon));

pure("findCrossing() finds a crossing exactly if two edges cross", () => {
  for (const max of [3, 6, 20]) {
    const number = fc.integer({ min: 0, max });
    const corners = fc.array(fc.tuple(number, number), {
      minLength: 3,
      maxLength: 12,
    });
    const rings = fc.array(corners, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(rings, (rings) => {
        const polygon = rings.map((corners) => ring(...corners));
        const found = crossing(polygon);
        assert.equal(found !== undefined, crossesByPairs(polygon));
        if (found === undefined) return;
        const [[a, b], [c, d]] = found.map(({ ring, position }) =>
          polygon[ring - 1]!.slice(position - 1, position + 1)
        ) as [[Position, Position], [Position, Position]];
        assert.ok(crossesByPairs([[a, b], [c, d]]));
      }),
      { numRuns: 1500 },
    );
  }
});

pure("findCrossing() finds the one crossing of a long zigzag", () => {
  const count = 2000;
  const points: Position[] = [];
  for (let i = 0; i < count; i++) points.push([i, i % 2 === 0 ? 0 : 1e4]);
  points.push([count, -10], [0, -10]);
  assert.equal(crossing([ring(...points)]), undefined);
  // A spike of one tooth over the next one.
  const spiked = points.with(1001, [1003.9, 1e4]);
  assert.notEqual(crossing([ring(...spiked)]), undefined);
});

pure("findCrossing() allows rings that touch", () => {
  const touching: Record<string, Polygon> = {
    "an eight": [
      ring([0, 0], [2, 2], [4, 0], [4, 4], [2, 2], [0, 4]),
    ],
    "a corner on an edge": [ring([0, 0], [4, 0], [4, 4], [2, 0], [0, 4])],
    "a hole at the outer ring": [
      ring([0, 0], [4, 0], [4, 4], [0, 4]),
      ring([0, 2], [2, 1], [2, 3]),
    ],
    "a spike": [ring([0, 0], [4, 0], [6, 0], [4, 0], [4, 4])],
    "a position twice": [ring([0, 0], [4, 0], [4, 0], [4, 4])],
    "a corner on a slope, with 7 decimals": [
      ring([0, 0], [3000, 1000], [0, 3000]),
      ring([1, 0.3333333], [1, 2], [0.1, 1]),
    ],
  };
  for (const [name, polygon] of Object.entries(touching)) {
    assert.equal(crossing(polygon), undefined, name);
  }
});

pure("findCrossing() finds rings that cross each other, and corners", () => {
  const crossed: Record<string, Polygon> = {
    "a bow-tie": [ring([0, 0], [4, 4], [4, 0], [0, 4])],
    "a hole that leaves": [
      ring([0, 0], [4, 0], [4, 4], [0, 4]),
      ring([3, 1], [5, 2], [3, 3]),
    ],
    "at the corners of all cells": [
      ring(
        [-(2 ** 31), -(2 ** 31)],
        [2 ** 31, 2 ** 31],
        [2 ** 31, -(2 ** 31)],
        [
          -(2 ** 31),
          2 ** 31,
        ],
      ),
    ],
  };
  for (const [name, polygon] of Object.entries(crossed)) {
    assert.notEqual(crossing(polygon), undefined, name);
  }
  assert.deepEqual(crossing(crossed["a bow-tie"]!), [
    { ring: 1, position: 1 },
    { ring: 1, position: 3 },
  ]);
});
