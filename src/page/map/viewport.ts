/**
 * Maps cells to pixels of a canvas.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";

/** The part of the map that a canvas shows. x grows to the right. */
export interface Viewport {
  /** Canvas pixels. */
  readonly width: number;
  /** Canvas pixels. */
  readonly height: number;
  /** The coordinate in the centre, in cells: 0.5 is the centre of cell 0. */
  readonly x: number;
  readonly y: number;
  /** Canvas pixels per cell. */
  readonly scale: number;
  /** Whether y grows upwards; else downwards. */
  readonly yUp: boolean;
}

/** The left edge of a column of cells, in whole canvas pixels. */
export function leftOf({ x, scale, width }: Viewport, column: number): number {
  return Math.round((column - x) * scale + width / 2);
}

/**
 * The top edge of a row of cells, in whole canvas pixels.
 *
 * @param rows number of rows, from `row` on
 */
export function topOf(viewport: Viewport, row: number, rows = 1): number {
  return lineAt(viewport, viewport.yUp ? row + rows : row);
}

/**
 * The bottom edge of a row of cells, in whole canvas pixels.
 *
 * @param rows number of rows, from `row` on
 */
export function bottomOf(viewport: Viewport, row: number, rows = 1): number {
  return lineAt(viewport, viewport.yUp ? row : row + rows);
}

/** The cells that are visible, at least in part. */
export function visibleRegion(
  { width, height, x, y, scale }: Viewport,
): Region {
  const halfWidth = width / 2 / scale;
  const halfHeight = height / 2 / scale;
  return {
    x0: Math.floor(x - halfWidth),
    y0: Math.floor(y - halfHeight),
    x1: Math.ceil(x + halfWidth) - 1,
    y1: Math.ceil(y + halfHeight) - 1,
  };
}

/**
 * The line between the rows `edge - 1` and `edge`, in whole canvas pixels from
 * the top.
 */
export function lineAt(
  { y, scale, height, yUp }: Viewport,
  edge: number,
): number {
  const down = yUp ? y - edge : edge - y;
  return Math.round(down * scale + height / 2);
}
