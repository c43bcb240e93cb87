import type { KnownCells } from "./known_cells.ts";
import type { Viewport } from "./viewport.ts";

/** A picture of square points, row by row, each a {@linkcode Level}. */
export interface Points {
  readonly width: number;
  readonly height: number;
  readonly level: Uint8Array;
}

/**
 * Draws the cells that a viewport shows. A point that stands for several cells
 * has the greatest of their levels. Costs what the map holds, about 5 ns a cell.
 */
export function drawPoints(cells: KnownCells, view: Viewport): Points {
  const { width, height } = view;
  const level = new Uint8Array(width * height);
  if (view.cellsPerPoint < 1) drawMagnified(cells, view, level);
  else drawGathered(cells, view, level);
  return { width, height, level };
}

function drawGathered(
  { size, x, y, level: levels }: KnownCells,
  { cellsPerPoint, left, top, width, height }: Viewport,
  to: Uint8Array,
): void {
  for (let i = 0; i < size; i++) {
    const column = Math.floor((x[i]! - left) / cellsPerPoint);
    const row = Math.floor((y[i]! - top) / cellsPerPoint);
    if (column < 0 || column >= width || row < 0 || row >= height) continue;
    const at = row * width + column;
    if (levels[i]! > to[at]!) to[at] = levels[i]!;
  }
}

function drawMagnified(
  { size, x, y, level: levels }: KnownCells,
  { cellsPerPoint, left, top, width, height }: Viewport,
  to: Uint8Array,
): void {
  const side = Math.round(1 / cellsPerPoint);
  for (let i = 0; i < size; i++) {
    const column = (x[i]! - left) * side;
    const row = (y[i]! - top) * side;
    if (column < 0 || column >= width || row < 0 || row >= height) continue;
    for (let down = row; down < row + side; down++) {
      const start = down * width + column;
      to.fill(levels[i]!, start, start + side);
    }
  }
}
