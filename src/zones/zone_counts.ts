/**
 * Counts the cells of one tile for the zones that it belongs to.
 *
 * @module
 */

import { type Grid, TileStatus } from "../grid/mod.ts";
import { TILE_BITS, TILE_SIDE } from "../grid/tiles.ts";
import type { TileMask } from "./tile_zones.ts";

/** The cells of a zone, or of a part of it. */
export interface ZoneCounts {
  /** Cells of the map: coordinates that were reported. */
  readonly cells: number;
  /** Fresh cells with a value above 0. */
  readonly occupied: number;
  /** Cells with a known value that is too old for the zone. */
  readonly stale: number;
  /** Cells with a value below 0, and forgotten cells. */
  readonly unknown: number;
  /** The sum of the values of the occupied cells; exact up to 2^53. */
  readonly sum: number;
}

/**
 * Counts the cells of one tile after the other. It reads a tile once, and then
 * counts it for each zone with some operations on words of 32 cells.
 */
export class TileCounter implements ZoneCounts {
  cells = 0;
  occupied = 0;
  stale = 0;
  unknown = 0;
  sum = 0;
  readonly #status = new TileStatus();
  /** Stale cells by {@linkcode TileCounter.#staleAfter}. */
  readonly #staleCells = new Uint32Array(TILE_SIDE);
  /** The last `staleAfter` of a zone of this tile; undefined if none had one. */
  #staleAfter: number | undefined;
  #now = 0;
  #due = Infinity;
  #hasStale = false;

  /**
   * Reads a tile. All counts are those of this tile until the next call.
   *
   * @param grid the layer
   * @param tile the number of the tile
   * @param now the clock, ms since 1970, for zones with their own `staleAfter`
   * @param withTimes true if there are such zones
   */
  read(grid: Grid, tile: number, now: number, withTimes: boolean): void {
    grid.readTile(tile, this.#status, withTimes);
    this.#now = now;
    this.#staleAfter = undefined;
    this.#due = Infinity;
    this.#hasStale = false;
  }

  /**
   * Up to this time no cell of the tile becomes stale for those zones with
   * their own `staleAfter` that were counted; ms since 1970.
   */
  get due(): number {
    return this.#due;
  }

  /**
   * True if a cell of the tile is stale by the `staleAfter` of a zone that was
   * counted. A reading that only updates its time makes it fresh again, without
   * a new revision.
   */
  get hasStale(): boolean {
    return this.#hasStale;
  }

  /**
   * Counts the cells of a zone: the properties of this object are then those of
   * the zone.
   *
   * @param mask its cells in the tile
   * @param staleAfter of the zone, ms; undefined: as the map says
   */
  count(mask: TileMask, staleAfter: number | undefined): void {
    const { present, unknown, positive, value } = this.#status;
    const stale = staleAfter === undefined
      ? this.#status.stale
      : this.#staleBy(staleAfter);
    let cells = 0, occupied = 0, staleCells = 0, unknownCells = 0, sum = 0;
    for (let row = 0; row < TILE_SIDE; row++) {
      const found = present[row]! & (mask === "all" ? -1 : mask[row]!);
      if (found === 0) continue;
      cells += bitCount(found);
      unknownCells += bitCount(found & unknown[row]!);
      staleCells += bitCount(found & stale[row]!);
      let counted = found & positive[row]! & ~stale[row]!;
      occupied += bitCount(counted);
      while (counted !== 0) {
        sum += value[row << TILE_BITS | 31 - Math.clz32(counted & -counted)]!;
        counted &= counted - 1;
      }
    }
    this.cells = cells;
    this.occupied = occupied;
    this.stale = staleCells;
    this.unknown = unknownCells;
    this.sum = sum;
  }

  /** Returns the known cells that are older than a zone allows. */
  #staleBy(staleAfter: number): Uint32Array {
    const stale = this.#staleCells;
    if (staleAfter === this.#staleAfter) return stale;
    this.#staleAfter = staleAfter;
    const { present, unknown, time } = this.#status;
    const now = this.#now;
    for (let row = 0; row < TILE_SIDE; row++) {
      let old = 0;
      let known = present[row]! & ~unknown[row]!;
      for (; known !== 0; known &= known - 1) {
        const bit = known & -known;
        const observed = time[row << TILE_BITS | 31 - Math.clz32(bit)]!;
        if (now > observed + staleAfter) old |= bit;
        // A time ahead of the clock may be replaced by an earlier one without a
        // new revision: check the cell again as if it were observed now.
        else {
          const due = Math.min(observed, now) + staleAfter;
          if (due < this.#due) this.#due = due;
        }
      }
      stale[row] = old;
      if (old !== 0) this.#hasStale = true;
    }
    return stale;
  }
}

/** Returns the number of bits of a word that are 1. */
function bitCount(word: number): number {
  word -= word >>> 1 & 0x55555555;
  word = (word & 0x33333333) + (word >>> 2 & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
