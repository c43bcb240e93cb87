/**
 * A box of cells between two corners.
 *
 * @module
 */

import type { Region } from "../../grid/mod.ts";

const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

/** A coordinate. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The region that has both cells, whichever way they lie. */
export function between(one: Point, other: Point): Region {
  return {
    x0: Math.min(one.x, other.x),
    y0: Math.min(one.y, other.y),
    x1: Math.max(one.x, other.x),
    y1: Math.max(one.y, other.y),
  };
}

/** A coordinate that can be: 32-bit integers only. */
export function clamped({ x, y }: Point): Point {
  return { x: clamp(x), y: clamp(y) };
}

/** The part of a region that can be. */
export function clampedRegion({ x0, y0, x1, y1 }: Region): Region {
  return { x0: clamp(x0), y0: clamp(y0), x1: clamp(x1), y1: clamp(y1) };
}

/** A region with room around it: half of its width and height on each side. */
export function widened({ x0, y0, x1, y1 }: Region): Region {
  const across = Math.ceil((x1 - x0 + 1) / 2);
  const down = Math.ceil((y1 - y0 + 1) / 2);
  return clampedRegion({
    x0: x0 - across,
    y0: y0 - down,
    x1: x1 + across,
    y1: y1 + down,
  });
}

/** Whether a region has all of another. */
export function contains(outer: Region, inner: Region): boolean {
  return outer.x0 <= inner.x0 && outer.y0 <= inner.y0 &&
    outer.x1 >= inner.x1 && outer.y1 >= inner.y1;
}

function clamp(number: number): number {
  return Math.min(Math.max(number, LEAST), MOST);
}
