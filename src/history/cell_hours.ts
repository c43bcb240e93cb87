/**
 * How long the cells of a tile were occupied, in each hour of one day (UTC).
 *
 * A cell is *known* in a second if it was reported, its value is 0 or more and
 * not stale, and the second is not in a gap. It is *occupied* if it is known and
 * its value is above 0.
 *
 * @module
 */

import { TILE_CELLS } from "../grid/tiles.ts";
import { clipGaps, type Gap, gapSeconds } from "./gaps.ts";
import { DAY_HOURS, HOUR_SECONDS, startOf } from "./hour.ts";
import type { TileChanges } from "./tile_changes.ts";
import type { CellColumns, TileFrame } from "./tile_frame.ts";

const CELL_HOURS = DAY_HOURS * TILE_CELLS;
const MAX_UINT16 = 0xffff;

/**
 * The hours of the cells of a tile. The columns of hours have the hour of the
 * day * 1024 + the key of the cell as index, the others the key.
 */
export class CellHours {
  /** Days since 1970, UTC. */
  day: number;
  /** Bit h is 1 if hour h of the day was added. */
  hours = 0;
  /** Seconds, 0 to 3600. */
  readonly occupied: Uint16Array<ArrayBuffer> = new Uint16Array(CELL_HOURS);
  /** Seconds, 0 to 3600. */
  readonly known: Uint16Array<ArrayBuffer> = new Uint16Array(CELL_HOURS);
  /** How often the state changed; the first state of a cell counts too. */
  readonly changes: Uint16Array<ArrayBuffer> = new Uint16Array(CELL_HOURS);
  /**
   * The last second of this day in which the cell was occupied; NaN if it was
   * not.
   */
  readonly lastOccupied: Float64Array<ArrayBuffer> = new Float64Array(
    TILE_CELLS,
  );
  /** 1 if the cell has a state at the end of the last hour that was added. */
  readonly endHas: Uint8Array<ArrayBuffer> = new Uint8Array(TILE_CELLS);
  /** Its value: int32, below 0 unknown. */
  readonly endValue: Int32Array<ArrayBuffer> = new Int32Array(TILE_CELLS);
  /** 1 if it is stale, otherwise 0. */
  readonly endStale: Uint8Array<ArrayBuffer> = new Uint8Array(TILE_CELLS);
  /** The last three columns. */
  readonly end: CellColumns = {
    has: this.endHas,
    value: this.endValue,
    stale: this.endStale,
  };

  /** @param day days since 1970, UTC */
  constructor(day = 0) {
    this.day = day;
    this.lastOccupied.fill(NaN);
  }

  /**
   * Removes all hours.
   *
   * @param day the next day, since 1970, UTC
   */
  clear(day: number): void {
    this.day = day;
    this.hours = 0;
    this.occupied.fill(0);
    this.known.fill(0);
    this.changes.fill(0);
    this.lastOccupied.fill(NaN);
    this.endHas.fill(0);
    this.endValue.fill(0);
    this.endStale.fill(0);
  }

  /** Returns true if an hour was added. */
  hasHour(hourOfDay: number): boolean {
    return (this.hours >> hourOfDay & 1) === 1;
  }

  /**
   * Copies the state at the end of the last hour that was added.
   *
   * @param into becomes that state, with `since` NaN
   */
  copyEnd(into: TileFrame): void {
    into.clear();
    into.has.set(this.endHas);
    into.value.set(this.endValue);
    into.stale.set(this.endStale);
    for (const has of this.endHas) into.count += has;
  }

  /**
   * Adds an hour, or replaces it. Nothing follows from the other hours: an hour
   * without changes must be added too.
   *
   * @param hourOfDay 0 to 23
   * @param frameAtStart the state before the first change of the hour
   * @param changes of this hour, sorted
   * @param gaps any; those in the hour count
   * @param until the second after the last one that is counted; default: the
   * end of the hour
   */
  addHour(
    hourOfDay: number,
    frameAtStart: TileFrame,
    changes: TileChanges,
    gaps: readonly Gap[],
    until = Infinity,
  ): void {
    const start = startOf(this.day * DAY_HOURS + hourOfDay);
    const end = Math.max(start, Math.min(until, start + HOUR_SECONDS));
    const span = new Span(start, end, clipGaps(gaps, start, end));
    const isLast = this.hours >> hourOfDay <= 1;
    this.hours |= 1 << hourOfDay;
    for (let key = 0, next = 0; key < TILE_CELLS; key++) {
      span.begin(
        frameAtStart.has[key]!,
        frameAtStart.value[key]!,
        frameAtStart.stale[key]!,
      );
      for (; next < changes.length && changes.key[next] === key; next++) {
        span.change(
          changes.second[next]!,
          changes.value[next]!,
          changes.stale[next]!,
        );
      }
      span.finish();
      const index = hourOfDay * TILE_CELLS + key;
      this.occupied[index] = span.occupied;
      this.known[index] = span.known;
      this.changes[index] = Math.min(span.changes, MAX_UINT16);
      this.#setLast(key, start, span.last);
      if (isLast) {
        this.endHas[key] = span.has;
        this.endValue[key] = span.value;
        this.endStale[key] = span.stale;
      }
    }
  }

  /** @param last the last second of the hour with the cell occupied, or NaN */
  #setLast(key: number, start: number, last: number): void {
    const before = this.lastOccupied[key]!;
    if (before >= start + HOUR_SECONDS) return;
    if (last >= start) this.lastOccupied[key] = last;
    else if (before >= start) this.lastOccupied[key] = this.#lastHour(key);
  }

  /**
   * For an hour that is replaced by one without occupancy: the end of the last
   * hour with some, because nothing better is known.
   */
  #lastHour(key: number): number {
    for (let hour = DAY_HOURS - 1; hour >= 0; hour--) {
      if (this.occupied[hour * TILE_CELLS + key]! > 0) {
        return startOf(this.day * DAY_HOURS + hour + 1) - 1;
      }
    }
    return NaN;
  }
}

/** Adds up the times of one cell after the other, within one hour. */
class Span {
  readonly #start: number;
  readonly #end: number;
  readonly #gaps: readonly Gap[];
  /** Of the whole hour, for cells that do not change. */
  readonly #seconds: number;
  readonly #last: number;
  /** The state at the moment, as numbers of columns. */
  has = 0;
  value = 0;
  stale = 0;
  /** Since when it is so. */
  #since = 0;
  /** Seconds. */
  occupied = 0;
  /** Seconds. */
  known = 0;
  changes = 0;
  /** The last occupied second, or NaN. */
  last = NaN;

  /** @param gaps merged, within the hour */
  constructor(start: number, end: number, gaps: readonly Gap[]) {
    this.#start = start;
    this.#end = end;
    this.#gaps = gaps;
    this.#seconds = end - start - gapSeconds(gaps, start, end);
    this.#last = this.#lastIn(start, end);
  }

  begin(has: number, value: number, stale: number): void {
    this.has = has;
    this.value = value;
    this.stale = stale;
    this.#since = this.#start;
    this.occupied = 0;
    this.known = 0;
    this.changes = 0;
    this.last = NaN;
  }

  change(second: number, value: number, stale: number): void {
    if (second >= this.#end) return;
    if (this.has === 1 && this.value === value && this.stale === stale) return;
    this.#add(second);
    this.#since = second;
    this.has = 1;
    this.value = value;
    this.stale = stale;
    this.changes++;
  }

  finish(): void {
    this.#add(this.#end);
  }

  /** Adds the time since the last change. */
  #add(to: number): void {
    if (this.has === 0 || this.value < 0 || this.stale === 1) return;
    const from = this.#since;
    const isWhole = from === this.#start && to === this.#end;
    const seconds = isWhole ? this.#seconds : to - from -
      (this.#gaps.length === 0 ? 0 : gapSeconds(this.#gaps, from, to));
    if (seconds === 0) return;
    this.known += seconds;
    if (this.value === 0) return;
    this.occupied += seconds;
    this.last = isWhole ? this.#last : this.#lastIn(from, to);
  }

  /** The last second of a time that is in no gap. */
  #lastIn(from: number, to: number): number {
    let end = to;
    for (let i = this.#gaps.length - 1; i >= 0; i--) {
      const gap = this.#gaps[i]!;
      if (gap.from < end && end <= gap.to) end = gap.from;
    }
    return end > from ? end - 1 : NaN;
  }
}
