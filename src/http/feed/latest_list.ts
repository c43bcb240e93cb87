/**
 * The cells of a view with the latest observations.
 *
 * @module
 */
import { copyCell } from "../cell_columns.ts";
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import type { LatestChange } from "../../feed/messages.ts";

/** Maximum number of cells in the list. */
export const MAX_LATEST = 30;

/** Returns the source of the last reading of a cell; undefined if unknown. */
export type SourceOf = (x: number, y: number) => string | undefined;

/**
 * The cells with the latest observations, each once. Cells that turn stale are
 * not added, because nothing was observed.
 */
export class LatestList {
  /** The latest first. */
  #cells = newColumns(MAX_LATEST);
  #changed = false;

  /** True if the list has changed since {@linkcode LatestList.take}. */
  get changed(): boolean {
    return this.#changed;
  }

  /** The cells, the latest first. */
  get cells(): CellColumns {
    return this.#cells;
  }

  /** Adds changed cells; replaces those that are in the list. */
  add(changed: CellColumns): void {
    const all = newColumns(MAX_LATEST + Math.min(changed.length, MAX_LATEST));
    for (const row of latestRows(changed)) {
      copyCell(changed, row, all, all.length++);
    }
    const added = all.length;
    if (added === 0) return;
    for (let row = 0; row < this.#cells.length; row++) {
      if (!has(all, added, this.#cells.x[row]!, this.#cells.y[row]!)) {
        copyCell(this.#cells, row, all, all.length++);
      }
    }
    const next = newColumns(MAX_LATEST);
    for (const row of latestRows(all)) copyCell(all, row, next, next.length++);
    this.#cells = next;
    this.#changed = true;
  }

  /** Removes all cells. */
  clear(): void {
    this.#cells.length = 0;
    this.#changed = true;
  }

  /** Returns the list in the form of the message; sets `changed` to false. */
  take(sourceOf: SourceOf): LatestChange[] {
    this.#changed = false;
    const { length, x, y, value, time } = this.#cells;
    const changes: LatestChange[] = [];
    for (let row = 0; row < length; row++) {
      const source = sourceOf(x[row]!, y[row]!) ?? null;
      changes.push([x[row]!, y[row]!, value[row]!, time[row]!, source]);
    }
    return changes;
  }
}

/**
 * Returns the rows of the latest observations, the latest first, without
 * stale cells. Rows with equal times keep their order.
 */
export function latestRows({ length, time, stale }: CellColumns): number[] {
  const rows: number[] = [];
  let earliest = -Infinity;
  for (let row = 0; row < length; row++) {
    const at = time[row]!;
    if (
      rows.length === MAX_LATEST && at <= earliest || stale[row] === 1
    ) continue;
    let place = rows.length;
    while (place > 0 && time[rows[place - 1]!]! < at) place--;
    rows.splice(place, 0, row);
    if (rows.length > MAX_LATEST) rows.pop();
    earliest = time[rows.at(-1)!]!;
  }
  return rows;
}

function has(cells: CellColumns, length: number, x: number, y: number) {
  for (let row = 0; row < length; row++) {
    if (cells.x[row] === x && cells.y[row] === y) return true;
  }
  return false;
}
