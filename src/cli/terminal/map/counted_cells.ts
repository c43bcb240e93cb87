/**
 * The cells of a layer and their counts, for tables and maps.
 *
 * @module
 */
import { CellTable } from "../../../grid/cell_table.ts";
import { Freshness } from "../../../grid/freshness.ts";
import { CellCounter, type CellCounts } from "../../../grid/cell_counter.ts";
import type { MapView } from "../../../request/mod.ts";
import { levelOf, wasStale } from "../../../grid/status.ts";

/** The cells of a layer as the server sent them, and their counts. */
export class CountedCells {
  readonly table: CellTable = new CellTable();
  #counter = new CellCounter();

  /** Adds the cells of a reply or of an event; they replace earlier ones. */
  add(view: Pick<MapView, "cells" | "time" | "staleAfter">): void {
    const { length, x, y, value, time } = view.cells;
    for (let i = 0; i < length; i++) {
      const isStale = wasStale(time[i]!, view);
      this.put(x[i]!, y[i]!, value[i]!, time[i]!, isStale);
    }
  }

  /**
   * Adds or replaces a cell.
   *
   * @param time of the observation, ms since 1970; NaN if not known
   */
  put(
    x: number,
    y: number,
    value: number,
    time: number,
    isStale: boolean,
  ): void {
    const { table } = this;
    const before = table.length;
    const row = table.insert(x, y);
    if (row < before) {
      this.#counter.remove(table.value[row]!, this.#freshnessOf(row));
    }
    table.value[row] = value;
    table.time[row] = time;
    table.stale[row] = isStale ? 1 : 0;
    this.#counter.add(value, this.#freshnessOf(row));
  }

  /** Removes all cells. */
  clear(): void {
    this.table.clear();
    this.#counter = new CellCounter();
  }

  /** Returns the {@linkcode Level} of the cell in a row of the table. */
  levelOfRow(row: number): number {
    return levelOf(this.table.value[row]!, this.table.stale[row] === 1);
  }

  /** Returns the number of cells by status. */
  counts(): CellCounts {
    return this.#counter.counts();
  }

  #freshnessOf(row: number): Freshness {
    return this.table.stale[row] === 1 ? Freshness.Stale : Freshness.Fresh;
  }
}
