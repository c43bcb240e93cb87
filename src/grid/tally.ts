/**
 * The counts of a layer, kept up to date cell by cell.
 *
 * @module
 */

import { Freshness } from "./freshness.ts";

/** What the cells of a layer say. `cells = free + occupied + unknown + stale`. */
export interface CellCounts {
  /** Coordinates ever seen. */
  readonly cells: number;
  /** Fresh cells with value 0. */
  readonly free: number;
  /** Fresh cells with a value above 0. */
  readonly occupied: number;
  /** Cells with a value below 0, and forgotten ones. */
  readonly unknown: number;
  /** Cells that are stale and not unknown; they are neither free nor occupied. */
  readonly stale: number;
  /** The sum of the values of the occupied cells; exact up to 2^53. */
  readonly people: number;
}

/** The counts of no cells. */
export const NO_CELLS: CellCounts = {
  cells: 0,
  free: 0,
  occupied: 0,
  unknown: 0,
  stale: 0,
  people: 0,
};

/** Adds the counts of two sets of cells. */
export function addCounts(a: CellCounts, b: CellCounts): CellCounts {
  return {
    cells: a.cells + b.cells,
    free: a.free + b.free,
    occupied: a.occupied + b.occupied,
    unknown: a.unknown + b.unknown,
    stale: a.stale + b.stale,
    people: a.people + b.people,
  };
}

/** Counts that are raised and lowered as cells come and change. */
export class Tally {
  #free = 0;
  #occupied = 0;
  #unknown = 0;
  #stale = 0;
  #people = 0;

  /** Counts a cell in. */
  add(value: number, freshness: Freshness): void {
    this.#count(value, freshness, 1);
  }

  /** Counts a cell out, given what it was counted in with. */
  remove(value: number, freshness: Freshness): void {
    this.#count(value, freshness, -1);
  }

  /** The counts as they are now. */
  counts(): CellCounts {
    return {
      cells: this.#free + this.#occupied + this.#unknown + this.#stale,
      free: this.#free,
      occupied: this.#occupied,
      unknown: this.#unknown,
      stale: this.#stale,
      people: this.#people,
    };
  }

  #count(value: number, freshness: Freshness, cells: 1 | -1): void {
    if (value < 0 || freshness === Freshness.Forgotten) this.#unknown += cells;
    else if (freshness === Freshness.Stale) this.#stale += cells;
    else if (value === 0) this.#free += cells;
    else {
      this.#occupied += cells;
      this.#people += cells * value;
    }
  }
}
