/**
 * Reads the cells of a layer that changed since a revision, up to a limit.
 *
 * @module
 */

import type { CellReader } from "./cell_reader.ts";
import type { Grid } from "./grid.ts";
import type { Region } from "../protocol/region.ts";

/** Options of {@linkcode ChangedCells}. */
export interface ChangedCellsOptions {
  /** Only cells with a later revision than this one; 0 for all cells. */
  readonly since: number;
  /** Only cells in this region. Default: the whole layer. */
  readonly region?: Region | undefined;
  /** Maximum number of cells. Default: no limit. */
  readonly limit?: number;
}

/**
 * Reads the cells that changed since a revision, up to a limit, without copying
 * them. Valid until the next write to the layer.
 *
 * @example
 * ```ts
 * import { ChangedCells, type Grid } from "./mod.ts";
 *
 * function sumOfChanged(grid: Grid, since: number): number | undefined {
 *   const changed = new ChangedCells(grid, { since, limit: 1000 });
 *   let sum = 0;
 *   while (changed.next()) sum += changed.cell.value;
 *   return changed.exceeded ? undefined : sum;
 * }
 * ```
 */
export class ChangedCells {
  /** The cell that {@linkcode ChangedCells.next} moved to. */
  readonly cell: CellReader;
  readonly #limit: number;
  #count = 0;
  #exceeded = false;

  /** @throws {RangeError} if the region is not valid, see `Grid.cells` */
  constructor(
    grid: Grid,
    { since, region, limit = Infinity }: ChangedCellsOptions,
  ) {
    this.cell = grid.cells(
      region === undefined ? { since } : { since, region },
    );
    this.#limit = limit;
  }

  /**
   * True if {@linkcode ChangedCells.next} stopped at the limit: cells are left.
   */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /**
   * Moves to the next cell.
   *
   * @returns false if there are no more cells, or if the limit is reached
   * @throws {Error} if the layer was written to in between
   */
  next(): boolean {
    if (!this.cell.next()) return false;
    if (this.#count === this.#limit) {
      this.#exceeded = true;
      return false;
    }
    this.#count++;
    return true;
  }
}
