/**
 * Counts the cells of one tile for the zones that it belongs to.
 *
 * @module
 */

import { CellRows, Freshness, type Grid } from "../grid/mod.ts";
import { keyOf, TILE_CELLS } from "../grid/tiles.ts";
import type { TileMask } from "./tile_zones.ts";

/** Words of a bit set of the cells of a tile, see {@linkcode TileMask}. */
const ROWS = 32;

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

/** The cells of one tile by status. */
class StatusRows {
  readonly occupied = new Uint32Array(ROWS);
  readonly stale = new Uint32Array(ROWS);
  /** No cell becomes stale up to this time, ms since 1970. */
  due = Infinity;
  hasStale = false;

  clear(): void {
    this.occupied.fill(0);
    this.stale.fill(0);
    this.due = Infinity;
    this.hasStale = false;
  }
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
  readonly #rows = new CellRows();
  readonly #keys = new Uint16Array(TILE_CELLS);
  /** The values of the present cells, by key. */
  readonly #values = new Int32Array(TILE_CELLS);
  readonly #present = new Uint32Array(ROWS);
  readonly #unknown = new Uint32Array(ROWS);
  /** By the freshness of the map. */
  readonly #byMap = new StatusRows();
  /** By `staleAfter` of a zone: the last one that was counted. */
  readonly #byZone = new StatusRows();
  #staleAfter: number | undefined;
  #length = 0;
  #now = 0;
  #due = Infinity;
  #hasStale = false;

  /**
   * Reads a tile. All counts are those of this tile until the next call.
   *
   * @param grid the layer
   * @param tile the number of the tile
   * @param now the clock, ms since 1970, for zones with their own `staleAfter`
   * @returns the number of cells
   */
  read(grid: Grid, tile: number, now: number): number {
    const rows = this.#rows;
    const length = grid.readTile(tile, rows);
    const present = this.#present.fill(0);
    const unknown = this.#unknown.fill(0);
    this.#byMap.clear();
    const { occupied, stale } = this.#byMap;
    for (let i = 0; i < length; i++) {
      const key = keyOf(rows.x[i]!, rows.y[i]!);
      const value = rows.value[i]!;
      const row = key >> 5;
      const bit = 1 << (key & 31);
      this.#keys[i] = key;
      this.#values[key] = value;
      present[row]! |= bit;
      if (value < 0) unknown[row]! |= bit;
      else if (rows.freshness[i] === Freshness.Stale) stale[row]! |= bit;
      else if (value > 0) occupied[row]! |= bit;
    }
    this.#length = length;
    this.#now = now;
    this.#staleAfter = undefined;
    this.#due = Infinity;
    this.#hasStale = false;
    return length;
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
    const { occupied, stale } = this.#statusFor(staleAfter);
    this.cells =
      this.occupied =
      this.stale =
      this.unknown =
      this.sum =
        0;
    for (let row = 0; row < ROWS; row++) {
      const present = this.#present[row]! & (mask === "all" ? -1 : mask[row]!);
      if (present === 0) continue;
      this.cells += bitCount(present);
      this.unknown += bitCount(present & this.#unknown[row]!);
      this.stale += bitCount(present & stale[row]!);
      let counted = present & occupied[row]!;
      this.occupied += bitCount(counted);
      while (counted !== 0) {
        this.sum += this
          .#values[row << 5 | 31 - Math.clz32(counted & -counted)]!;
        counted &= counted - 1;
      }
    }
  }

  #statusFor(staleAfter: number | undefined): StatusRows {
    if (staleAfter === undefined) return this.#byMap;
    const status = this.#byZone;
    if (staleAfter === this.#staleAfter) return status;
    this.#staleAfter = staleAfter;
    status.clear();
    const { value, time } = this.#rows;
    const now = this.#now;
    for (let i = 0; i < this.#length; i++) {
      if (value[i]! < 0) continue;
      const key = this.#keys[i]!;
      const bit = 1 << (key & 31);
      if (now > time[i]! + staleAfter) {
        status.stale[key >> 5]! |= bit;
        status.hasStale = true;
        continue;
      }
      if (value[i]! > 0) status.occupied[key >> 5]! |= bit;
      // A time ahead of the clock may be replaced by an earlier one without a
      // new revision: check the cell again as if it were observed now.
      status.due = Math.min(status.due, Math.min(time[i]!, now) + staleAfter);
    }
    this.#due = Math.min(this.#due, status.due);
    this.#hasStale ||= status.hasStale;
    return status;
  }
}

/** Returns the number of bits of a word that are 1. */
function bitCount(word: number): number {
  word -= word >>> 1 & 0x55555555;
  word = (word & 0x33333333) + (word >>> 2 & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
