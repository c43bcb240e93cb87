/**
 * Draws cells as pixels, and paints pixels as characters. A character shows two
 * pixels, one above the other, by half blocks of different colors.
 *
 * @module
 */
import { Level } from "../../../grid/status.ts";
import type { Canvas } from "./canvas.ts";
import type { CountedCells } from "./counted_cells.ts";
import {
  Color,
  type ColorDepth,
  colorOfLevel,
  glyphOfLevel,
  PLAIN,
  type Style,
  styleOf,
} from "./palette.ts";
import type { Viewport } from "./viewport.ts";

const SPACE = 0x20;
const UPPER_HALF = 0x2580; // ▀
const LOWER_HALF = 0x2584; // ▄
/** The character of unknown cells, where both pixels are unknown. */
export const HATCH = "░";
/** The style of {@linkcode HATCH}. */
export const HATCHED: Style = styleOf(Color.Unknown, Color.UnknownBack);

/** A picture in columns, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** The highest {@linkcode Level} of the cells of a pixel. */
  readonly level: Uint8Array;
  /** 1 if fewer than half of the cells of a pixel are occupied. */
  readonly sparse: Uint8Array;
}

/** Draws the cells of a viewport. Reads all cells: about 10 ns per cell. */
export function drawPixels(cells: CountedCells, viewport: Viewport): Pixels {
  const { width, height } = viewport;
  const level = new Uint8Array(width * height);
  const sparse = new Uint8Array(width * height);
  if (viewport.cellsPerPixel < 1) drawEnlarged(cells, viewport, level);
  else drawReduced(cells, viewport, level, sparse);
  return { width, height, level, sparse };
}

/** Turns a picture upside down: for layers whose y grows upwards. */
export function flipRows(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  const flip = (from: Uint8Array) => {
    const to = new Uint8Array(from.length);
    for (let row = 0; row < height; row++) {
      const start = (height - 1 - row) * width;
      to.set(from.subarray(start, start + width), row * width);
    }
    return to;
  };
  return {
    width,
    height,
    level: flip(pixels.level),
    sparse: flip(pixels.sparse),
  };
}

/** Draws cells of which a pixel shows one or more. */
function drawReduced(
  cells: CountedCells,
  { cellsPerPixel, left, top, width, height }: Viewport,
  highest: Uint8Array,
  sparse: Uint8Array,
): void {
  const { length, x, y } = cells.table;
  /** Of each pixel: the number of occupied cells minus that of the others. */
  const balance = new Int32Array(width * height);
  for (let row = 0; row < length; row++) {
    const px = Math.floor((x[row]! - left) / cellsPerPixel);
    const py = Math.floor((y[row]! - top) / cellsPerPixel);
    if (px < 0 || px >= width || py < 0 || py >= height) continue;
    const at = py * width + px;
    const level = cells.levelOfRow(row);
    if (level > highest[at]!) highest[at] = level;
    balance[at]! += level >= Level.Occupied ? 1 : -1;
  }
  for (let at = 0; at < balance.length; at++) {
    if (balance[at]! < 0) sparse[at] = 1;
  }
}

/** Draws cells that are several pixels wide. */
function drawEnlarged(
  cells: CountedCells,
  { cellsPerPixel, left, top, width, height }: Viewport,
  to: Uint8Array,
): void {
  const { length, x, y } = cells.table;
  const side = Math.round(1 / cellsPerPixel);
  // Wide cells have a gap between them.
  const filled = side > 2 ? side - 1 : side;
  for (let row = 0; row < length; row++) {
    const px = (x[row]! - left) * side;
    const py = (y[row]! - top) * side;
    if (px < 0 || px >= width || py < 0 || py >= height) continue;
    const level = cells.levelOfRow(row);
    for (let line = py; line < py + filled; line++) {
      const start = line * width + px;
      to.fill(level, start, start + filled);
    }
  }
}

/** A place on a canvas. */
interface Place {
  readonly column: number;
  readonly row: number;
}

/**
 * Paints pixels onto a canvas; those outside are cut off.
 *
 * @param at the place of the first pixel
 * @param options side: width of a cell, in pixels; without colors each cell is
 * one character, at its first pixel
 */
export function paintPixels(
  canvas: Canvas,
  at: Place,
  pixels: Pixels,
  { side, depth }: { readonly side: number; readonly depth: ColorDepth },
): void {
  const { width, height, level } = pixels;
  const columns = Math.min(width, canvas.width - at.column);
  const rows = Math.min(Math.ceil(height / 2), canvas.height - at.row);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const upper = 2 * row * width + column;
      const to = { column: at.column + column, row: at.row + row };
      if (depth !== "none") paintHalves(canvas, to, pixels, upper);
      else if (column % side === 0) {
        // An odd height leaves the last lower half without a pixel.
        const below = level[upper + width] ?? Level.None;
        const glyph = glyphOfLevel(Math.max(level[upper]!, below));
        canvas.put(to.column, to.row, glyph.charCodeAt(0), PLAIN);
      }
    }
  }
}

/** Paints a pixel and the one below it as one character. */
function paintHalves(
  canvas: Canvas,
  { column, row }: Place,
  { width, level, sparse }: Pixels,
  upper: number,
): void {
  const lower = upper + width;
  const above = colorOfLevel(level[upper]!, sparse[upper] === 1);
  const below = colorOfLevel(level[lower] ?? Level.None, sparse[lower] === 1);
  if (above === Color.Unknown && below === Color.Unknown) {
    canvas.put(column, row, HATCH.charCodeAt(0), HATCHED);
  } else if (above === below) {
    // Half blocks of some fonts leave a seam; a space does not.
    canvas.put(column, row, SPACE, styleOf(Color.Default, above));
  } else if (above === Color.Default) {
    canvas.put(column, row, LOWER_HALF, styleOf(below));
  } else {
    canvas.put(column, row, UPPER_HALF, styleOf(above, below));
  }
}
