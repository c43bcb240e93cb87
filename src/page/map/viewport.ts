/**
 * Which cells are where on the screen.
 *
 * @module
 */

import type { Region } from "../../grid/mod.ts";

/** What a canvas shows. x grows to the right and y downwards, as in the terminal. */
export interface Frame {
  /** In pixels of the canvas. */
  readonly width: number;
  readonly height: number;
  /** What is in the middle, in cells: 0.5 is the centre of cell 0. */
  readonly x: number;
  readonly y: number;
  /** Pixels a cell. */
  readonly scale: number;
}

/** Where cell x begins, in whole pixels from the left. */
export function leftOf({ x, scale, width }: Frame, column: number): number {
  return Math.round((column - x) * scale + width / 2);
}

/** Where cell y begins, in whole pixels from the top. */
export function topOf({ y, scale, height }: Frame, row: number): number {
  return Math.round((row - y) * scale + height / 2);
}

/** All cells of which anything is seen. */
export function seen({ width, height, x, y, scale }: Frame): Region {
  const across = width / 2 / scale;
  const down = height / 2 / scale;
  return {
    x0: Math.floor(x - across),
    y0: Math.floor(y - down),
    x1: Math.ceil(x + across) - 1,
    y1: Math.ceil(y + down) - 1,
  };
}
