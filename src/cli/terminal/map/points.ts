import type { CountedCells } from "./counted_cells.ts";
import { Level } from "../../../grid/status.ts";
import type { Viewport } from "./viewport.ts";

/** A picture of square points, row by row. */
export interface Points {
  readonly width: number;
  readonly height: number;
  /** The greatest {@linkcode Level} of the cells that a point stands for. */
  readonly level: Uint8Array;
  /** 1 where fewer than half of the cells of a point are occupied. */
  readonly sparse: Uint8Array;
}

/**
 * Draws the cells that a viewport shows. Costs what the map holds: about 10 ns
 * a cell.
 */
export function drawPoints(cells: CountedCells, view: Viewport): Points {
  const { width, height } = view;
  const level = new Uint8Array(width * height);
  const sparse = new Uint8Array(width * height);
  if (view.cellsPerPoint < 1) drawMagnified(cells, view, level);
  else drawGathered(cells, view, level, sparse);
  return { width, height, level, sparse };
}

function drawGathered(
  cells: CountedCells,
  { cellsPerPoint, left, top, width, height }: Viewport,
  greatest: Uint8Array,
  sparse: Uint8Array,
): void {
  const { length, x, y } = cells.table;
  /** Occupied cells less the others. */
  const balance = new Int32Array(width * height);
  for (let i = 0; i < length; i++) {
    const column = Math.floor((x[i]! - left) / cellsPerPoint);
    const row = Math.floor((y[i]! - top) / cellsPerPoint);
    if (column < 0 || column >= width || row < 0 || row >= height) continue;
    const at = row * width + column;
    const level = cells.levelOfRow(i);
    if (level > greatest[at]!) greatest[at] = level;
    balance[at]! += level >= Level.Occupied ? 1 : -1;
  }
  for (let at = 0; at < balance.length; at++) {
    if (balance[at]! < 0) sparse[at] = 1;
  }
}

/** A point has one cell at most, so there is nothing to gather. */
function drawMagnified(
  cells: CountedCells,
  { cellsPerPoint, left, top, width, height }: Viewport,
  to: Uint8Array,
): void {
  const { length, x, y } = cells.table;
  const side = Math.round(1 / cellsPerPoint);
  // Where there is room, a gap tells neighbours apart.
  const inked = side > 2 ? side - 1 : side;
  for (let i = 0; i < length; i++) {
    const column = (x[i]! - left) * side;
    const row = (y[i]! - top) * side;
    if (column < 0 || column >= width || row < 0 || row >= height) continue;
    const level = cells.levelOfRow(i);
    for (let down = row; down < row + inked; down++) {
      const start = down * width + column;
      to.fill(level, start, start + inked);
    }
  }
}
