/**
 * Writes the values of cells into a map, where the cells are wide enough.
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
  type Style,
  styleOf,
} from "./palette.ts";
import type { Place } from "./pixels.ts";
import type { Viewport } from "./viewport.ts";

/** Options of {@linkcode writeValues}. */
export interface ValueOptions {
  /** The width of a cell, in pixels. */
  readonly side: number;
  readonly depth: ColorDepth;
  /** Whether y grows upwards. */
  readonly yUp: boolean;
}

/** Minimum width of a cell with its value, in pixels. */
const MIN_VALUE_SIDE = 4;

/**
 * Writes the values of occupied cells into them, where a cell is wide enough.
 *
 * @param at the place of the first pixel
 */
export function writeValues(
  canvas: Canvas,
  at: Place,
  cells: CountedCells,
  { left, top, width, height }: Viewport,
  { side, depth, yUp }: ValueOptions,
): void {
  if (side < MIN_VALUE_SIDE) return;
  const { length, x, y, value } = cells.table;
  const columns = side - 1; // the last one is a gap
  const rows = side / 2;
  const middle = (rows - 1) >> 1;
  for (let row = 0; row < length; row++) {
    const level = cells.levelOfRow(row);
    if (level < Level.StaleOccupied) continue;
    const px = (x[row]! - left) * side;
    const py = (y[row]! - top) * side;
    if (px < 0 || px >= width || py < 0 || py >= height) continue;
    const text = shortValue(value[row]!, columns);
    if (text === undefined) continue;
    const upper = (yUp ? height - py - side : py) / 2;
    if (depth === "none") {
      // Stale cells keep their character.
      if (level !== Level.StaleOccupied) {
        canvas.write(at.column + px, at.row + upper, [[text]]);
      }
      continue;
    }
    const line = upper + (yUp ? rows - 1 - middle : middle);
    const start = px + (columns - text.length >> 1);
    canvas.write(at.column + start, at.row + line, [[text, valueStyle(level)]]);
  }
}

function valueStyle(level: number): Style {
  const ink = level === Level.StaleOccupied ? Color.Unknown : Color.Ink;
  return styleOf(ink, colorOfLevel(level));
}

const compact = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumFractionDigits: 0,
});

/** The value in few characters, such as `12K`; undefined if that is too long. */
function shortValue(value: number, columns: number): string | undefined {
  const exact = String(value);
  if (exact.length <= columns) return exact;
  const rounded = compact.format(value);
  return rounded.length <= columns ? rounded : undefined;
}
