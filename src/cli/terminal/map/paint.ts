import type { Canvas } from "./canvas.ts";
import { Level } from "../../../grid/status.ts";
import {
  Color,
  type ColorDepth,
  colorOfLevel,
  glyphOfLevel,
  PLAIN,
  type Style,
  styleOf,
} from "./palette.ts";
import type { Points } from "./points.ts";

const SPACE = 0x20;
const UPPER_HALF = 0x2580; // ▀
const LOWER_HALF = 0x2584; // ▄
/** What unknown is hatched with where all of a character is. */
export const HATCH = "░";
/** How that looks. */
export const HATCHED: Style = styleOf(Color.Unknown, Color.UnknownBack);

/** Where on a canvas. */
interface Place {
  readonly column: number;
  readonly row: number;
}

/**
 * Paints points onto a canvas, two to a character, one above the other. What is
 * beyond the canvas is cut off.
 *
 * @param side Points that a cell is wide; without colours each cell is drawn
 * once, at its first point
 */
export function paintPoints(
  canvas: Canvas,
  at: Place,
  points: Points,
  { side, depth }: { readonly side: number; readonly depth: ColorDepth },
): void {
  const { width, height, level } = points;
  const columns = Math.min(width, canvas.width - at.column);
  const rows = Math.min(Math.ceil(height / 2), canvas.height - at.row);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const upper = 2 * row * width + column;
      const to = { column: at.column + column, row: at.row + row };
      if (depth !== "none") paintHalves(canvas, to, points, upper);
      else if (column % side === 0) {
        // An odd height leaves the last lower half without a point.
        const below = level[upper + width] ?? Level.None;
        const glyph = glyphOfLevel(Math.max(level[upper]!, below));
        canvas.put(to.column, to.row, glyph.charCodeAt(0), PLAIN);
      }
    }
  }
}

function paintHalves(
  canvas: Canvas,
  { column, row }: Place,
  { width, level, sparse }: Points,
  upper: number,
): void {
  const lower = upper + width;
  const above = colorOfLevel(level[upper]!, sparse[upper] === 1);
  const below = colorOfLevel(level[lower] ?? Level.None, sparse[lower] === 1);
  if (above === Color.Unknown && below === Color.Unknown) {
    canvas.put(column, row, HATCH.charCodeAt(0), HATCHED);
  } else if (above === below) {
    // A space shows no seam, where half blocks of some fonts do.
    canvas.put(column, row, SPACE, styleOf(Color.Default, above));
  } else if (above === Color.Default) {
    canvas.put(column, row, LOWER_HALF, styleOf(below));
  } else {
    canvas.put(column, row, UPPER_HALF, styleOf(above, below));
  }
}
