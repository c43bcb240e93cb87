/**
 * Counts the cells of a layer by status, updated with each change of a cell.
 *
 * @module
 */

import { Freshness } from "./freshness.ts";

/** Number of cells by status. `cells = free + occupied + unknown + stale`. */
export interface CellCounts {
  /** Coordinates that were ever reported. */
  readonly cells: number;
  /** Fresh cells with value 0. */
  readonly free: number;
  /** Fresh cells with a value above 0. */
  readonly occupied: number;
  /** Cells with a value below 0, and forgotten cells. */
  readonly unknown: number;
  /** Stale cells with a known value; they are neither free nor occupied. */
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

/** Counts that are updated with each change of a cell. */
export class CellCounter {
  #free = 0;
  #occupied = 0;
  #unknown = 0;
  #stale = 0;
  #people = 0;

  /** Adds a cell. */
  add(value: number, freshness: Freshness): void {
    this.#count(value, freshness, 1);
  }

  /** Removes a cell; takes the values that it was added with. */
  remove(value: number, freshness: Freshness): void {
    this.#count(value, freshness, -1);
  }

  /** Removes a cell, and adds it with other values. */
  replace(
    oldValue: number,
    oldFreshness: Freshness,
    value: number,
    freshness: Freshness,
  ): void {
    if (
      oldValue > 0 && value > 0 && freshness === oldFreshness &&
      freshness === Freshness.Fresh
    ) {
      this.#people += value - oldValue; // as most changes of a count
      return;
    }
    this.remove(oldValue, oldFreshness);
    this.add(value, freshness);
  }

  /** Returns the present counts. */
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
