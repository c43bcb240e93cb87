/**
 * Arithmetic with coordinates and regions of cells.
 *
 * @module
 */

import {
  INT32_MAX,
  INT32_MIN,
  type Region,
  regionFrom,
  type RegionTuple,
} from "../../protocol/region.ts";

/** A coordinate of a cell. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The region of one cell. */
export function regionOf({ x, y }: Point): Region {
  return { x0: x, y0: y, x1: x, y1: y };
}

/**
 * The smallest region with both cells, which may be any two opposite corners.
 */
export function regionBetween(a: Point, b: Point): Region {
  return {
    x0: Math.min(a.x, b.x),
    y0: Math.min(a.y, b.y),
    x1: Math.max(a.x, b.x),
    y1: Math.max(a.y, b.y),
  };
}

/** The nearest valid coordinate: cells have 32-bit signed integers. */
export function clampPoint({ x, y }: Point): Point {
  return { x: clamp(x), y: clamp(y) };
}

/** A region with both corners moved to the nearest valid coordinates. */
export function clampRegion({ x0, y0, x1, y1 }: Region): Region {
  return { x0: clamp(x0), y0: clamp(y0), x1: clamp(x1), y1: clamp(y1) };
}

/** A region enlarged by half of its width and height on each side. */
export function enlarge({ x0, y0, x1, y1 }: Region): Region {
  const marginX = Math.ceil((x1 - x0 + 1) / 2);
  const marginY = Math.ceil((y1 - y0 + 1) / 2);
  return clampRegion({
    x0: x0 - marginX,
    y0: y0 - marginY,
    x1: x1 + marginX,
    y1: y1 + marginY,
  });
}

/**
 * The smallest region with all cells of a layer.
 *
 * @param reported by the server, once a second; null without cells
 * @param loaded of the cells that are loaded, which may be a part of them
 */
export function boundsOf(
  reported: RegionTuple | null,
  loaded: Region | undefined,
): Region | undefined {
  const all = regionFrom(reported);
  if (all === undefined || loaded === undefined) return all ?? loaded;
  return {
    x0: Math.min(all.x0, loaded.x0),
    y0: Math.min(all.y0, loaded.y0),
    x1: Math.max(all.x1, loaded.x1),
    y1: Math.max(all.y1, loaded.y1),
  };
}

/** Whether a region contains all of another. */
export function containsRegion(outer: Region, inner: Region): boolean {
  return outer.x0 <= inner.x0 && outer.y0 <= inner.y0 &&
    outer.x1 >= inner.x1 && outer.y1 >= inner.y1;
}

function clamp(value: number): number {
  return Math.min(Math.max(value, INT32_MIN), INT32_MAX);
}
