import { type CellReader, Freshness, type Region } from "../../grid/mod.ts";
import { type CellColumns, newColumns, statusOf } from "../../feed/columns.ts";

/** Adds the cell that a reader is on; there must be room. */
export function addCell(to: CellColumns, cell: CellReader): void {
  const row = to.length++;
  const value = cell.value;
  to.x[row] = cell.x;
  to.y[row] = cell.y;
  to.value[row] = value;
  to.status[row] = statusOf(value, cell.freshness === Freshness.Stale);
  to.time[row] = cell.time;
}

/** Copies a cell to another row, of the same columns or others. */
export function copyCell(
  from: CellColumns,
  row: number,
  to: CellColumns,
  toRow: number,
): void {
  to.x[toRow] = from.x[row]!;
  to.y[toRow] = from.y[row]!;
  to.value[toRow] = from.value[row]!;
  to.status[toRow] = from.status[row]!;
  to.time[toRow] = from.time[row]!;
}

/** The cells of a region; the columns themselves if it is null. */
export function cellsWithin(
  cells: CellColumns,
  region: Region | null,
): CellColumns {
  if (region === null) return cells;
  const { x0, y0, x1, y1 } = region;
  const { x, y, length } = cells;
  const rows: number[] = [];
  for (let row = 0; row < length; row++) {
    const column = x[row]!;
    const line = y[row]!;
    if (column >= x0 && column <= x1 && line >= y0 && line <= y1) {
      rows.push(row);
    }
  }
  if (rows.length === length) return cells;
  const within = newColumns(rows.length);
  within.length = rows.length;
  rows.forEach((row, index) => copyCell(cells, row, within, index));
  return within;
}
