/**
 * Copies cells of the map into columns, for responses that are sent while the
 * map changes.
 *
 * @module
 */
import {
  type CellReader,
  ChangedCells,
  type ChangedCellsOptions,
  contains,
  Freshness,
  type Grid,
  type Region,
} from "../grid/mod.ts";
import { type CellColumns, newColumns } from "../feed/columns.ts";

const FIRST_CAPACITY_CELLS = 1024;

/** Which cells of a layer to read. */
export type Selection = Omit<ChangedCellsOptions, "limit">;

/**
 * Copies the cells of a layer that changed since a revision, up to a limit.
 *
 * @param limit maximum number of cells
 * @param grid the layer; undefined for a layer without cells
 * @returns undefined if there are more cells than the limit
 */
export function copyAtMost(
  limit: number,
  grid: Grid | undefined,
  { since, region }: Selection,
): CellColumns | undefined {
  if (grid === undefined) return newColumns(0);
  let cells = newColumns(FIRST_CAPACITY_CELLS);
  const changed = new ChangedCells(grid, { since, region, limit });
  while (changed.next()) {
    if (cells.length === cells.x.length) cells = enlarge(cells);
    addCell(cells, changed.cell);
  }
  return changed.exceeded ? undefined : cells;
}

/** Appends the current cell of a reader; the columns must have room. */
export function addCell(to: CellColumns, cell: CellReader): void {
  const row = to.length++;
  const value = cell.value;
  to.x[row] = cell.x;
  to.y[row] = cell.y;
  to.value[row] = value;
  to.stale[row] = value >= 0 && cell.freshness === Freshness.Stale ? 1 : 0;
  to.time[row] = cell.time;
}

/** Copies a cell to a row of the same columns or of others. */
export function copyCell(
  from: CellColumns,
  row: number,
  to: CellColumns,
  toRow: number,
): void {
  to.x[toRow] = from.x[row]!;
  to.y[toRow] = from.y[row]!;
  to.value[toRow] = from.value[row]!;
  to.stale[toRow] = from.stale[row]!;
  to.time[toRow] = from.time[row]!;
}

/**
 * Returns the cells of a region. Returns the same columns if the region is null
 * or has all cells.
 */
export function cellsWithin(
  cells: CellColumns,
  region: Region | null,
): CellColumns {
  if (region === null) return cells;
  const { x, y, length } = cells;
  const rows: number[] = [];
  for (let row = 0; row < length; row++) {
    if (contains(region, x[row]!, y[row]!)) rows.push(row);
  }
  if (rows.length === length) return cells;
  const within = newColumns(rows.length);
  within.length = rows.length;
  rows.forEach((row, index) => copyCell(cells, row, within, index));
  return within;
}

function enlarge(cells: CellColumns): CellColumns {
  const larger = newColumns(2 * cells.length);
  larger.length = cells.length;
  larger.x.set(cells.x);
  larger.y.set(cells.y);
  larger.value.set(cells.value);
  larger.stale.set(cells.stale);
  larger.time.set(cells.time);
  return larger;
}
