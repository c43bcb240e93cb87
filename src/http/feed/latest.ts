import { copyCell } from "../cell_columns.ts";
import { type CellColumns, isStale, newColumns } from "../../feed/columns.ts";
import type { LatestChange } from "../../feed/messages.ts";

/** How many changes are told. */
export const LATEST = 30;

/** Who reported a cell last, if that is known. */
export type SourceOf = (x: number, y: number) => string | undefined;

/**
 * The cells of a view that were observed last, each once. Stale cells do not come
 * in: growing old is no news.
 */
export class LatestList {
  /** The newest first. */
  #cells = newColumns(LATEST);
  #dirty = false;

  /** True if it is other than when it was last asked for. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** The cells, the newest first. */
  get cells(): CellColumns {
    return this.#cells;
  }

  /** Takes in what changed: what it says of a cell replaces what is known of it. */
  add(changed: CellColumns): void {
    const all = newColumns(LATEST + Math.min(changed.length, LATEST));
    for (const row of newestRows(changed)) {
      copyCell(changed, row, all, all.length++);
    }
    const come = all.length;
    if (come === 0) return;
    for (let row = 0; row < this.#cells.length; row++) {
      if (!has(all, come, this.#cells.x[row]!, this.#cells.y[row]!)) {
        copyCell(this.#cells, row, all, all.length++);
      }
    }
    const next = newColumns(LATEST);
    for (const row of newestRows(all)) copyCell(all, row, next, next.length++);
    this.#cells = next;
    this.#dirty = true;
  }

  /** Forgets all. */
  clear(): void {
    this.#cells.length = 0;
    this.#dirty = true;
  }

  /** What is to be told, the newest first. */
  take(sourceOf: SourceOf): LatestChange[] {
    this.#dirty = false;
    const { length, x, y, value, time } = this.#cells;
    const changes: LatestChange[] = [];
    for (let row = 0; row < length; row++) {
      const source = sourceOf(x[row]!, y[row]!) ?? null;
      changes.push([x[row]!, y[row]!, value[row]!, time[row]!, source]);
    }
    return changes;
  }
}

/** The rows that were observed last, the newest first; of equal ones the first. */
export function newestRows({ length, time, status }: CellColumns): number[] {
  const rows: number[] = [];
  let least = -Infinity;
  for (let row = 0; row < length; row++) {
    const at = time[row]!;
    if (rows.length === LATEST && at <= least || isStale(status[row]!)) {
      continue;
    }
    let place = rows.length;
    while (place > 0 && time[rows[place - 1]!]! < at) place--;
    rows.splice(place, 0, row);
    if (rows.length > LATEST) rows.pop();
    least = time[rows.at(-1)!]!;
  }
  return rows;
}

function has(cells: CellColumns, length: number, x: number, y: number) {
  for (let row = 0; row < length; row++) {
    if (cells.x[row] === x && cells.y[row] === y) return true;
  }
  return false;
}
