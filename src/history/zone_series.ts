/**
 * Counts a zone in every second of an hour, from the changes of its tiles.
 *
 * @module
 */

import { TILE_CELLS } from "../grid/tiles.ts";
import { maskHolds } from "../zones/tile_mask.ts";
import type { TileMask } from "../zones/tile_zones.ts";
import type { Zone } from "../zones/zone.ts";
import type { ZoneCounts } from "../zones/zone_counts.ts";
import { isOccupied } from "../zones/zone_state.ts";
import { clipGaps, type Gap } from "./gaps.ts";
import {
  DAY_HOURS,
  DAY_QUARTERS,
  HOUR_SECONDS,
  QUARTER_SECONDS,
  startOf,
} from "./hour.ts";
import type { TileChanges } from "./tile_changes.ts";
import type { TileFrame } from "./tile_frame.ts";
import type { ZoneQuarters } from "./zone_quarters.ts";

const HOUR_QUARTERS = HOUR_SECONDS / QUARTER_SECONDS;
const MAX_ENTRIES = 0xffff;

/** Counts that change from second to second. */
class Counts implements ZoneCounts {
  cells = 0;
  occupied = 0;
  stale = 0;
  unknown = 0;
  sum = 0;

  clear(): void {
    this.cells = 0;
    this.occupied = 0;
    this.stale = 0;
    this.unknown = 0;
    this.sum = 0;
  }
}

/** How long the cells of a zone were known, by quarter of a day (UTC). */
export class KnownCells {
  /** The most cells that were reported at one time. */
  readonly most: Float64Array<ArrayBuffer> = new Float64Array(DAY_QUARTERS);
  /** The sum of the seconds in which each was known. */
  readonly seconds: Float64Array<ArrayBuffer> = new Float64Array(DAY_QUARTERS);

  /** Removes all quarters. */
  clear(): void {
    this.most.fill(0);
    this.seconds.fill(0);
  }
}

/**
 * Reusable memory for the counts of one zone in one hour: give it all tiles with
 * cells of the zone, then finish. Then it is ready for the next zone.
 */
export class ZoneSeries {
  /** The counts before the first change of the hour. */
  readonly #start = new Counts();
  /** What is added to the counts in each second of the hour. */
  readonly #cells = new Int32Array(HOUR_SECONDS);
  readonly #occupied = new Int32Array(HOUR_SECONDS);
  readonly #stale = new Int32Array(HOUR_SECONDS);
  readonly #unknown = new Int32Array(HOUR_SECONDS);
  readonly #sum = new Float64Array(HOUR_SECONDS);
  /** 1 for a second with a change. */
  readonly #changed = new Uint8Array(HOUR_SECONDS);
  readonly #now = new Counts();
  readonly #quarter = new QuarterSums();

  /** Removes all tiles, such as after an error. */
  clear(): void {
    this.#start.clear();
    this.#cells.fill(0);
    this.#occupied.fill(0);
    this.#stale.fill(0);
    this.#unknown.fill(0);
    this.#sum.fill(0);
    this.#changed.fill(0);
  }

  /**
   * Adds a tile.
   *
   * @param frame the state before the first change of the hour
   * @param changes of the tile in this hour, sorted
   * @param mask the cells that belong to the zone
   * @param hour hours since 1970, the same for all tiles
   */
  add(
    frame: TileFrame,
    changes: TileChanges,
    mask: TileMask,
    hour: number,
  ): void {
    const start = this.#start;
    const { has, value, stale } = frame;
    for (let key = 0; key < TILE_CELLS; key++) {
      if (has[key] === 0 || !maskHolds(mask, key)) continue;
      start.cells++;
      if (value[key]! < 0) start.unknown++;
      else if (stale[key] === 1) start.stale++;
      else if (value[key]! > 0) {
        start.occupied++;
        start.sum += value[key]!;
      }
    }
    this.#addChanges(frame, changes, mask, startOf(hour));
  }

  #addChanges(
    frame: TileFrame,
    changes: TileChanges,
    mask: TileMask,
    start: number,
  ): void {
    const { key, second, value, stale, length } = changes;
    for (let i = 0; i < length;) {
      const k = key[i]!;
      if (!maskHolds(mask, k)) {
        do i++; while (i < length && key[i] === k);
        continue;
      }
      let at = second[i]! - start;
      if (frame.has[k] === 1) {
        this.#remove(at, frame.value[k]!, frame.stale[k]!);
      } else if (at < HOUR_SECONDS) this.#cells[at]!++;
      this.#put(at, value[i]!, stale[i]!);
      for (i++; i < length && key[i] === k; i++) {
        at = second[i]! - start;
        this.#remove(at, value[i - 1]!, stale[i - 1]!);
        this.#put(at, value[i]!, stale[i]!);
      }
    }
  }

  #put(at: number, value: number, stale: number): void {
    if (at >= HOUR_SECONDS) return;
    this.#changed[at] = 1;
    if (value < 0) this.#unknown[at]!++;
    else if (stale === 1) this.#stale[at]!++;
    else if (value > 0) {
      this.#occupied[at]!++;
      this.#sum[at]! += value;
    }
  }

  #remove(at: number, value: number, stale: number): void {
    if (at >= HOUR_SECONDS) return;
    if (value < 0) this.#unknown[at]!--;
    else if (stale === 1) this.#stale[at]!--;
    else if (value > 0) {
      this.#occupied[at]!--;
      this.#sum[at]! -= value;
    }
  }

  /**
   * Fills in the four quarters of the hour, and forgets all tiles.
   *
   * An entry is counted in a second in which the zone is occupied, if it was
   * free in the last known second before. Before the first second of the hour it
   * is as the frames say.
   *
   * @param zone decides when it is occupied; `clearAfter` has no effect
   * @param gaps any; those in the hour count
   * @param hour hours since 1970: the same as for the tiles
   * @param into its quarters of this hour are replaced
   * @param until the second after the last one that is counted; default: the
   * end of the hour. Quarters that begin later are not filled in.
   * @param cells its quarters of this hour are replaced too
   */
  finish(
    zone: Zone,
    gaps: readonly Gap[],
    hour: number,
    into: ZoneQuarters,
    until = Infinity,
    cells?: KnownCells,
  ): void {
    const start = startOf(hour);
    const end = Math.min(HOUR_SECONDS, until - start);
    const within = clipGaps(gaps, start, start + HOUR_SECONDS);
    const first = (hour % DAY_HOURS) * HOUR_QUARTERS;
    const now = this.#now;
    Object.assign(now, this.#start);
    let occupied = isOccupied(zone, now);
    let last = occupied;
    let gap = 0;
    for (let quarter = 0; quarter < HOUR_QUARTERS; quarter++) {
      const from = quarter * QUARTER_SECONDS;
      if (from >= end) break;
      const sums = this.#quarter;
      sums.clear();
      let mostCells = 0;
      let cellSeconds = 0;
      for (let at = from; at < Math.min(from + QUARTER_SECONDS, end); at++) {
        if (this.#changed[at] === 1) {
          this.#step(at);
          occupied = isOccupied(zone, now);
        }
        const second = start + at;
        while (gap < within.length && within[gap]!.to <= second) gap++;
        const isGap = gap < within.length && within[gap]!.from <= second;
        if (now.cells > mostCells) mostCells = now.cells;
        if (isGap || occupied === null) continue;
        cellSeconds += now.cells - now.stale - now.unknown;
        if (occupied && last === false) sums.entries++;
        last = occupied;
        sums.add(now.sum, occupied);
      }
      sums.write(into, first + quarter);
      if (cells === undefined) continue;
      cells.most[first + quarter] = mostCells;
      cells.seconds[first + quarter] = cellSeconds;
    }
    this.clear();
  }

  /** Moves the counts to a second. */
  #step(at: number): void {
    const now = this.#now;
    now.cells += this.#cells[at]!;
    now.occupied += this.#occupied[at]!;
    now.stale += this.#stale[at]!;
    now.unknown += this.#unknown[at]!;
    now.sum += this.#sum[at]!;
  }
}

/** Sums over the known seconds of one quarter. */
class QuarterSums {
  known = 0;
  occupied = 0;
  entries = 0;
  least = Infinity;
  most = -Infinity;
  sum = 0;

  clear(): void {
    this.known = 0;
    this.occupied = 0;
    this.entries = 0;
    this.least = Infinity;
    this.most = -Infinity;
    this.sum = 0;
  }

  add(count: number, isOccupied: boolean): void {
    this.known++;
    if (isOccupied) this.occupied++;
    if (count < this.least) this.least = count;
    if (count > this.most) this.most = count;
    this.sum += count;
  }

  write(into: ZoneQuarters, quarter: number): void {
    const isKnown = this.known > 0;
    into.has[quarter] = 1;
    into.knownSeconds[quarter] = this.known;
    into.occupiedSeconds[quarter] = this.occupied;
    into.entries[quarter] = Math.min(this.entries, MAX_ENTRIES);
    into.least[quarter] = isKnown ? this.least : NaN;
    into.most[quarter] = isKnown ? this.most : NaN;
    // Sums beyond 2^53 are rounded.
    const mean = this.sum / this.known;
    into.mean[quarter] = isKnown
      ? Math.min(this.most, Math.max(this.least, mean))
      : NaN;
  }
}
