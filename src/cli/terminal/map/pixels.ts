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
  glyphOfMany,
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
  /** The number of cells of a pixel; empty if a cell is wider than a pixel. */
  readonly cells: Uint32Array;
  /** How many of them are occupied. */
  readonly occupied: Uint32Array;
}

/** Draws the cells of a viewport. Reads all cells: about 10 ns per cell. */
export function drawPixels(cells: CountedCells, viewport: Viewport): Pixels {
  const { width, height, cellsPerPixel } = viewport;
  const counted = cellsPerPixel < 1 ? 0 : width * height;
  const pixels: Pixels = {
    width,
    height,
    level: new Uint8Array(width * height),
    cells: new Uint32Array(counted),
    occupied: new Uint32Array(counted),
  };
  if (cellsPerPixel < 1) drawEnlarged(cells, viewport, pixels.level);
  else drawReduced(cells, viewport, pixels);
  return pixels;
}

/** Turns a picture upside down: for layers whose y grows upwards. */
export function flipRows(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  const flip = <A extends Uint8Array | Uint32Array>(from: A): A => {
    const to = from.slice() as A;
    if (from.length === 0) return to;
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
    cells: flip(pixels.cells),
    occupied: flip(pixels.occupied),
  };
}

/** Draws cells of which a pixel shows one or more. */
function drawReduced(
  cells: CountedCells,
  { cellsPerPixel, left, top, width, height }: Viewport,
  to: Pixels,
): void {
  const { length, x, y } = cells.table;
  for (let row = 0; row < length; row++) {
    const px = Math.floor((x[row]! - left) / cellsPerPixel);
    const py = Math.floor((y[row]! - top) / cellsPerPixel);
    if (px < 0 || px >= width || py < 0 || py >= height) continue;
    const at = py * width + px;
    const level = cells.levelOfRow(row);
    if (level > to.level[at]!) to.level[at] = level;
    to.cells[at]!++;
    if (level >= Level.Occupied) to.occupied[at]!++;
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
export interface Place {
  readonly column: number;
  readonly row: number;
}

/**
 * Paints pixels onto a canvas; those outside are cut off.
 *
 * @param at the place of the first pixel
 * @param options side: width of a cell, in pixels; without colors each cell is
 * one character, at its first pixel. isMany: a pixel stands for many cells
 */
export function paintPixels(
  canvas: Canvas,
  at: Place,
  pixels: Pixels,
  { side, depth, isMany }: {
    readonly side: number;
    readonly depth: ColorDepth;
    readonly isMany: boolean;
  },
): void {
  const { width, height } = pixels;
  // Without colors, a wide cell is one character in its first line.
  const step = Math.max(2, side);
  const columns = Math.min(width, canvas.width - at.column);
  const rows = Math.min(Math.ceil(height / 2), canvas.height - at.row);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const upper = 2 * row * width + column;
      const to = { column: at.column + column, row: at.row + row };
      if (depth !== "none") paintHalves(canvas, to, pixels, upper);
      else if (column % side === 0 && 2 * row % step === 0) {
        const glyph = glyphAt(pixels, upper, isMany);
        canvas.put(to.column, to.row, glyph.charCodeAt(0), PLAIN);
      }
    }
  }
}

/** The character of a pixel and the one below it, without colors. */
function glyphAt(
  { width, level, cells, occupied }: Pixels,
  upper: number,
  isMany: boolean,
): string {
  // An odd height leaves the last lower half without a pixel.
  const lower = upper + width;
  const highest = Math.max(level[upper]!, level[lower] ?? Level.None);
  if (!isMany) return glyphOfLevel(highest);
  return glyphOfMany(
    highest,
    occupied[upper]! + (occupied[lower] ?? 0),
    cells[upper]! + (cells[lower] ?? 0),
  );
}

/** Paints a pixel and the one below it as one character. */
function paintHalves(
  canvas: Canvas,
  { column, row }: Place,
  pixels: Pixels,
  upper: number,
): void {
  const above = colorAt(pixels, upper);
  const below = colorAt(pixels, upper + pixels.width);
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

/** The color of a pixel; fainter if fewer than half of its cells are occupied. */
function colorAt({ level, cells, occupied }: Pixels, at: number): number {
  const isSparse = 2 * (occupied[at] ?? 0) < (cells[at] ?? 0);
  return colorOfLevel(level[at] ?? Level.None, isSparse);
}
