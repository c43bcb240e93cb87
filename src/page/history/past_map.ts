/**
 * The map at a time of the past, moved forwards and backwards by the changes of
 * an hour.
 *
 * @module
 */

import { CellCounter, type CellCounts } from "../../grid/cell_counter.ts";
import { Freshness } from "../../grid/freshness.ts";
import type { CellColumnsJson } from "../feed/history_requests.ts";
import { LayerCells } from "../map/layer_cells.ts";
import type { PastHour } from "./past_hour.ts";
import type { ZoneTallies } from "./zone_tallies.ts";

/** The map. */
export class PastMapState {
  /** Replaced if cells disappear. */
  cells: LayerCells = new LayerCells();
  #counter = new CellCounter();
  #hour: PastHour | undefined;
  /** How many changes of the hour are applied. */
  #applied = 0;
  #zones: ZoneTallies | undefined;

  /** The hour that the map is in. */
  get hour(): PastHour | undefined {
    return this.#hour;
  }

  /** How many changes of the hour the map has. */
  get applied(): number {
    return this.#applied;
  }

  get counts(): CellCounts {
    return this.#counter.counts();
  }

  /** Takes each change from now on; they must have the present cells. */
  set zones(zones: ZoneTallies | undefined) {
    this.#zones = zones;
  }

  /** Empties the map, as for another layer. */
  clear(): void {
    this.cells = new LayerCells();
    this.#counter = new CellCounter();
    this.#hour = this.#zones = undefined;
    this.#applied = 0;
  }

  /**
   * Shows a time.
   *
   * @param hour the hour of the time
   * @returns whether {@linkcode PastMapState.cells} was replaced: then zones
   * must be set again
   */
  show(hour: PastHour, ms: number): boolean {
    const end = hour.countUntil(ms);
    let replaced = false;
    if (hour !== this.#hour || end < this.#applied) {
      replaced = this.#begin(hour);
    }
    for (; this.#applied < end; this.#applied++) {
      this.#set(hour.changes, this.#applied);
    }
    return replaced;
  }

  /** Shows the begin of an hour. Sets only cells that differ. */
  #begin(hour: PastHour): boolean {
    const { start } = hour;
    const { length } = start.x;
    let found = 0;
    const { table } = this.cells;
    for (let i = 0; i < length; i++) {
      if (table.find(start.x[i]!, start.y[i]!) >= 0) found++;
    }
    // Cells of the map that had not been reported at the begin of the hour.
    const replaced = found < table.length;
    if (replaced) this.clear();
    for (let i = 0; i < length; i++) this.#set(start, i);
    this.#hour = hour;
    this.#applied = 0;
    return replaced;
  }

  #set(columns: CellColumnsJson, index: number): void {
    const { table } = this.cells;
    const x = columns.x[index]!;
    const y = columns.y[index]!;
    const value = columns.value[index]!;
    const stale = columns.stale[index] === 1;
    const since = columns.since[index] ?? NaN;
    const row = table.find(x, y);
    const before = row < 0
      ? undefined
      : { value: table.value[row]!, stale: table.stale[row] === 1 };
    const isSame = before !== undefined && before.value === value &&
      before.stale === stale;
    if (isSame) {
      table.time[row] = since;
      return;
    }
    if (before !== undefined) {
      this.#counter.remove(before.value, freshness(before.stale));
    }
    this.#counter.add(value, freshness(stale));
    this.cells.set(x, y, value, since, stale);
    this.#zones?.change(row < 0 ? table.length - 1 : row, table, before, {
      value,
      stale,
    });
  }
}

function freshness(stale: boolean): Freshness {
  return stale ? Freshness.Stale : Freshness.Fresh;
}
