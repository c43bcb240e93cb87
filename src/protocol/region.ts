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
 * Returns the region between two opposite corners `[x0,y0,x1,y1]`, in any
 * order; undefined if the value is not an array of four 32-bit integers.
 *
 * @param value any value, such as parsed JSON
 */
export function regionFrom(value: unknown): Region | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  if (!value.every(isInt32)) return undefined;
  const [x0, y0, x1, y1] = value as [number, number, number, number];
  return sortedRegion({ x0, y0, x1, y1 });
}

/**
 * Returns the region between two opposite corners.
 *
 * @param corners int32, in any order
 */
export function sortedRegion({ x0, y0, x1, y1 }: Region): Region {
  // Sums turn negative zeros into zeros.
  return {
    x0: Math.min(x0, x1) + 0,
    y0: Math.min(y0, y1) + 0,
    x1: Math.max(x0, x1) + 0,
    y1: Math.max(y0, y1) + 0,
  };
}

/** A number of JSON (RFC 8259, 6). */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Returns the integer of a text that is a number of JSON: `1`, `1.0` and `1e0`
 * are 1. So addresses and options accept the numbers of requests.
 *
 * @param text the text, without white space
 * @returns undefined for other texts, such as `+1`, `01` and `1.5`
 */
export function parseJsonInteger(text: string): number | undefined {
  if (!JSON_NUMBER.test(text)) return undefined;
  const number = Number(text) + 0; // no negative zero
  return Number.isInteger(number) ? number : undefined;
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
