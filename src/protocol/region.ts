/**
 * Coordinates and rectangles of cells, as in requests and in the map.
 *
 * @module
 */

/** The smallest coordinate and value. */
export const INT32_MIN = -(2 ** 31);
/** The largest coordinate and value. */
export const INT32_MAX: number = 2 ** 31 - 1;

/** A rectangle of cells, both corners included. `x0 <= x1`, `y0 <= y1`. */
export interface Region {
  /** The smallest x. */
  readonly x0: number;
  /** The smallest y. */
  readonly y0: number;
  /** The largest x. */
  readonly x1: number;
  /** The largest y. */
  readonly y1: number;
}

/** A region in JSON. */
export type RegionTuple = readonly [
  x0: number,
  y0: number,
  x1: number,
  y1: number,
];

/**
 * Returns true if a value is a 32-bit signed integer, as coordinates are.
 *
 * @param value any value
 */
export function isInt32(value: unknown): value is number {
  return typeof value === "number" && value === (value | 0);
}

/**
 * Returns the region of a {@linkcode RegionTuple}; undefined if the value is
 * not an array of four 32-bit integers in the right order.
 *
 * @param value any value, such as parsed JSON
 */
export function regionFrom(value: unknown): Region | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  if (!value.every(isInt32)) return undefined;
  const [x0, y0, x1, y1] = value as [number, number, number, number];
  if (x0 > x1 || y0 > y1) return undefined;
  // Sums turn negative zeros into zeros.
  return { x0: x0 + 0, y0: y0 + 0, x1: x1 + 0, y1: y1 + 0 };
}

/**
 * Returns true if a region contains a coordinate.
 *
 * @param region the region, edges included
 * @param x int32
 * @param y int32
 */
export function contains(
  { x0, y0, x1, y1 }: Region,
  x: number,
  y: number,
): boolean {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
}

/**
 * Returns the region that two regions share.
 *
 * @param one a region
 * @param other another region
 * @returns an empty region (x0 > x1 or y0 > y1) if they share no coordinate
 */
export function intersection(one: Region, other: Region): Region {
  return {
    x0: Math.max(one.x0, other.x0),
    y0: Math.max(one.y0, other.y0),
    x1: Math.min(one.x1, other.x1),
    y1: Math.min(one.y1, other.y1),
  };
}
