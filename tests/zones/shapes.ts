/**
 * Random polygons, and the rule of membership written as it is stated, with
 * whole numbers of any size: slow, and without a rounding error.
 */
import fc from "fast-check";
import { maskHolds } from "../../src/zones/tile_mask.ts";
import type { TileMask } from "../../src/zones/tile_zones.ts";
import type { Polygon, Position, Ring, Zone } from "../../src/zones/zone.ts";

/** Coordinates of the exact rule are multiples of 1/SCALE. */
const SCALE = 1024;

export const INT32_MIN = -(2 ** 31);
export const INT32_MAX = 2 ** 31 - 1;

/** Returns a zone with defaults. */
export function zoneOf(name: string, ...polygons: Polygon[]): Zone {
  return {
    name,
    layer: "default",
    title: undefined,
    capacity: undefined,
    occupiedWhen: { cells: 1 },
    clearAfter: 0,
    staleAfter: undefined,
    polygons,
  };
}

/** Returns the ring of an axis-parallel rectangle. */
export function rectangle(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): Ring {
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]];
}

/** Returns a ring through points, closed. */
export function closed(points: readonly Position[]): Ring {
  return [...points, points[0]!];
}

/**
 * Returns true if a cell belongs to a polygon, by the stated rule.
 *
 * @param polygon coordinates are multiples of 1/1024
 */
export function belongs(polygon: Polygon, x: number, y: number): boolean {
  const X = exact(x + 0.5);
  const Y = exact(y + 0.5);
  let inside = false;
  for (const ring of polygon) {
    for (let i = 1; i < ring.length; i++) {
      const [x1, y1] = ring[i - 1]!.map(exact) as [bigint, bigint];
      const [x2, y2] = ring[i]!.map(exact) as [bigint, bigint];
      if ((y1 <= Y) === (y2 <= Y)) continue;
      // X >= x1 + (x2 - x1) * (Y - y1) / (y2 - y1)
      const left = (X - x1) * (y2 - y1);
      const right = (x2 - x1) * (Y - y1);
      if (y2 > y1 ? left >= right : left <= right) inside = !inside;
    }
  }
  return inside;
}

function exact(value: number): bigint {
  return BigInt(value * SCALE);
}

/** Returns the cells of a tile in a mask, 0 or 1, by key. */
export function cellsOf(mask: TileMask | undefined): number[] {
  return Array.from(
    { length: 1024 },
    (_, key) => mask !== undefined && maskHolds(mask, key) ? 1 : 0,
  );
}

/** Returns the cells of a tile that belong to one of some polygons, by key. */
export function expectedCells(
  polygons: readonly Polygon[],
  tx: number,
  ty: number,
): number[] {
  return Array.from(
    { length: 1024 },
    (_, key) => {
      const x = tx * 32 + key % 32;
      const y = ty * 32 + Math.floor(key / 32);
      return polygons.some((polygon) => belongs(polygon, x, y)) ? 1 : 0;
    },
  );
}

/**
 * The place of a shape: near zero, far away, at the corners. Integers, so that
 * sums stay multiples of 1/1024; room for 256 cells in each direction.
 */
export const origin: fc.Arbitrary<Position> = fc.tuple(offset(), offset());

function offset(): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: -100, max: 100 }),
    fc.integer({ min: INT32_MIN + 256, max: INT32_MAX - 256 }),
    fc.constantFrom(INT32_MIN + 256, INT32_MAX - 255),
  );
}

/** Corners and centres of cells, points on the way, and points anywhere. */
const coordinate = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -80, max: 80 }).map((half) => half / 2),
  fc.integer({ min: -40 * SCALE, max: 40 * SCALE }).map((n) => n / SCALE),
  fc.integer({ min: -256, max: 256 }),
);

/** A closed ring around zero; may cross and touch itself. */
const ring: fc.Arbitrary<Ring> = fc.array(
  fc.tuple(coordinate, coordinate),
  { minLength: 3, maxLength: 40, size: "max" },
).map(closed);

/** A ring and holes, which may cross it. */
const polygon: fc.Arbitrary<Polygon> = fc.array(ring, {
  minLength: 1,
  maxLength: 3,
});

/** Polygons that may overlap, around one place. */
export const polygons: fc.Arbitrary<readonly Polygon[]> = fc.tuple(
  origin,
  fc.array(polygon, { minLength: 1, maxLength: 3 }),
).map(([[dx, dy], polygons]) =>
  polygons.map((polygon) =>
    polygon.map((ring) =>
      ring.map(([x, y]) => [clip(x + dx), clip(y + dy)] as const)
    )
  )
);

function clip(coordinate: number): number {
  return Math.max(INT32_MIN, Math.min(coordinate, 2 ** 31));
}
