/**
 * Adds up the hours of the cells of one tile, of those hours that count.
 *
 * @module
 */
import { TILE_CELLS } from "../../../grid/tiles.ts";
import type { CellHours } from "../../../history/cell_hours.ts";
import type { CellHoursVisitor } from "../../../history/cell_hours_scan.ts";
import { DAY_HOURS, startOf } from "../../../history/hour.ts";
import type { CellColumns } from "../../../history/tile_frame.ts";
import type { UseHours } from "./use_hours.ts";

/** The sums of the cells of a tile, by key; and of all cells, by hour. */
export class CellSums implements CellHoursVisitor {
  /** Seconds. */
  readonly known: Float64Array<ArrayBuffer> = new Float64Array(TILE_CELLS);
  /** Seconds. */
  readonly occupied: Float64Array<ArrayBuffer> = new Float64Array(TILE_CELLS);
  readonly changes: Float64Array<ArrayBuffer> = new Float64Array(TILE_CELLS);
  /** The last occupied second, since 1970; 0 for none. */
  readonly lastSecond: Float64Array<ArrayBuffer> = new Float64Array(TILE_CELLS);
  /** 1 for a cell that was reported. */
  readonly has: Uint8Array<ArrayBuffer> = new Uint8Array(TILE_CELLS);
  /** The same as {@linkcode UseHours.known}, of this tile. */
  readonly hourKnown: Float64Array<ArrayBuffer>;
  /** The same for occupied. */
  readonly hourOccupied: Float64Array<ArrayBuffer>;
  /** The hours that the last rollup has, ascending. */
  added: readonly number[] = [];
  readonly #hours: UseHours;
  /** 1 for cells that count; undefined: all. */
  #inRegion: Uint8Array | undefined;
  /** Hours of days before are at negative places of the columns of hours. */
  #first = 0;
  #full = new Uint16Array(DAY_HOURS);
  /** By hour of the day. */
  readonly #selected = new Uint8Array(DAY_HOURS);
  /** True if all hours of the day are selected. */
  #isWhole = false;
  /** True if the day ends after the last hour of all. */
  #isCut = false;
  /** By index in `added`: full time of selected hours before. */
  readonly #fullBefore = new Float64Array(DAY_HOURS + 1);
  /** How many runs of hours begin, less those that end; the same index. */
  readonly #knownRuns = new Int32Array(DAY_HOURS + 1);
  readonly #occupiedRuns = new Int32Array(DAY_HOURS + 1);

  constructor(hours: UseHours) {
    this.#hours = hours;
    this.hourKnown = new Float64Array(hours.to - hours.from);
    this.hourOccupied = new Float64Array(hours.to - hours.from);
  }

  /**
   * Prepares for a tile.
   *
   * @param inRegion 1 for cells that count; undefined: all
   */
  clear(inRegion: Uint8Array | undefined): void {
    this.#inRegion = inRegion;
    this.known.fill(0);
    this.occupied.fill(0);
    this.changes.fill(0);
    this.lastSecond.fill(0);
    this.has.fill(0);
    this.hourKnown.fill(0);
    this.hourOccupied.fill(0);
  }

  /**
   * Prepares for the rollup of a day, which is scanned next.
   *
   * @param from hours of the day from this one on count, as far as they are
   * selected
   * @param to hours before this one
   */
  startDay(day: number, from = 0, to: number = DAY_HOURS): void {
    const { selected } = this.#hours;
    this.#first = day * DAY_HOURS - this.#hours.from;
    this.#isCut = this.#first + DAY_HOURS > selected.length;
    for (let hour = 0; hour < DAY_HOURS; hour++) {
      const isIn = hour >= from && hour < to;
      this.#selected[hour] = isIn ? selected[this.#first + hour] ?? 0 : 0;
    }
    this.#isWhole = !this.#selected.includes(0);
  }

  /** Ends it. */
  endDay(): void {
    let knownCells = 0;
    let occupiedCells = 0;
    for (const [i, hour] of this.added.entries()) {
      knownCells += this.#knownRuns[i]!;
      occupiedCells += this.#occupiedRuns[i]!;
      if (this.#selected[hour] === 0) continue;
      const at = this.#first + hour;
      this.hourKnown[at]! += knownCells * this.#full[hour]!;
      this.hourOccupied[at]! += occupiedCells * this.#full[hour]!;
    }
  }

  begin(added: readonly number[], full: Uint16Array<ArrayBuffer>): void {
    this.added = added;
    this.#full = full;
    this.#knownRuns.fill(0);
    this.#occupiedRuns.fill(0);
    let sum = 0;
    for (const [i, hour] of added.entries()) {
      this.#fullBefore[i] = sum;
      if (this.#selected[hour] === 1) sum += full[hour]!;
    }
    this.#fullBefore[added.length] = sum;
  }

  constant(key: number, isOccupied: boolean, from: number, to: number): void {
    if (this.#inRegion?.[key] === 0) return;
    const seconds = this.#fullBefore[to]! - this.#fullBefore[from]!;
    this.has[key] = 1;
    this.known[key]! += seconds;
    this.#knownRuns[from]!++;
    this.#knownRuns[to]!--;
    if (!isOccupied) return;
    this.occupied[key]! += seconds;
    this.#occupiedRuns[from]!++;
    this.#occupiedRuns[to]!--;
    if (!this.#isCut) return;
    for (let i = from; i < to; i++) {
      if (this.#full[this.added[i]!]! > 0) this.#cutLast(key, this.added[i]!);
    }
  }

  numbers(
    key: number,
    from: number,
    to: number,
    isFull: boolean,
    known: Uint16Array,
    occupied: Uint16Array,
    changes: Uint16Array,
  ): void {
    if (this.#inRegion?.[key] === 0) return;
    const { added, hourOccupied } = this;
    const selected = this.#selected;
    const isWhole = this.#isWhole;
    const first = this.#first;
    let occupiedSum = 0;
    let changesSum = 0;
    for (let i = from; i < to; i++) {
      const hour = added[i]!;
      if (!isWhole && selected[hour] === 0) continue;
      const seconds = occupied[i]!;
      occupiedSum += seconds;
      changesSum += changes[i]!;
      hourOccupied[first + hour]! += seconds;
    }
    this.has[key] = 1;
    if (isFull) {
      this.known[key]! += this.#fullBefore[to]! - this.#fullBefore[from]!;
      this.#knownRuns[from]!++;
      this.#knownRuns[to]!--;
    } else this.#addKnown(key, from, to, known);
    this.occupied[key]! += occupiedSum;
    this.changes[key]! += changesSum;
    if (!this.#isCut) return;
    for (let i = from; i < to; i++) {
      if (occupied[i]! > 0) this.#cutLast(key, added[i]!);
    }
  }

  #addKnown(key: number, from: number, to: number, known: Uint16Array): void {
    for (let i = from; i < to; i++) {
      const hour = this.added[i]!;
      if (this.#selected[hour] === 0) continue;
      this.known[key]! += known[i]!;
      this.hourKnown[this.#first + hour]! += known[i]!;
    }
  }

  last(key: number, second: number): void {
    if (this.#inRegion?.[key] === 0) return;
    const { from, to } = this.#hours;
    // Else the end of its last hour stays: nothing better is known.
    if (second >= startOf(from) && second < startOf(to)) {
      this.lastSecond[key] = second;
    }
  }

  /** Adds an hour of columns, the only one that they have. */
  addHour(hours: CellHours, hourOfDay: number): void {
    const hour = hours.day * DAY_HOURS + hourOfDay;
    const at = hour - this.#hours.from;
    const isSelected = this.#hours.selected[at] === 1;
    const first = hourOfDay * TILE_CELLS;
    for (let key = 0; key < TILE_CELLS; key++) {
      const known = hours.known[first + key]!;
      const changes = hours.changes[first + key]!;
      if (known === 0 && changes === 0) continue;
      if (this.#inRegion?.[key] === 0) continue;
      this.has[key] = 1;
      const last = hours.lastOccupied[key]!;
      if (last > this.lastSecond[key]!) this.lastSecond[key] = last;
      if (!isSelected) continue;
      const occupied = hours.occupied[first + key]!;
      this.known[key]! += known;
      this.occupied[key]! += occupied;
      this.changes[key]! += changes;
      this.hourKnown[at]! += known;
      this.hourOccupied[at]! += occupied;
    }
  }

  /**
   * Adds hours in which the cells stayed in a state.
   *
   * @param from the first hour: its place in the columns of hours
   * @param to the place after the last
   */
  addConstant(state: CellColumns, from: number, to: number): void {
    const { selected, available, last } = this.#hours;
    let seconds = 0;
    let lastSecond = 0;
    for (let i = from; i < to; i++) {
      if (last[i]! > 0) lastSecond = last[i]!;
      if (selected[i] === 1) seconds += available[i]!;
    }
    let knownCells = 0;
    let occupiedCells = 0;
    for (let key = 0; key < TILE_CELLS; key++) {
      if (state.has[key] === 0 || this.#inRegion?.[key] === 0) continue;
      this.has[key] = 1;
      if (state.value[key]! < 0 || state.stale[key] === 1) continue;
      knownCells++;
      this.known[key]! += seconds;
      if (state.value[key] === 0) continue;
      occupiedCells++;
      this.occupied[key]! += seconds;
      if (lastSecond > this.lastSecond[key]!) this.lastSecond[key] = lastSecond;
    }
    if (knownCells === 0) return;
    for (let i = from; i < to; i++) {
      if (selected[i] === 0) continue;
      this.hourKnown[i]! += knownCells * available[i]!;
      this.hourOccupied[i]! += occupiedCells * available[i]!;
    }
  }

  #cutLast(key: number, hourOfDay: number): void {
    const { from, to } = this.#hours;
    const hour = from + this.#first + hourOfDay;
    if (hour < from || hour >= to) return;
    const second = startOf(hour + 1) - 1;
    if (second > this.lastSecond[key]!) this.lastSecond[key] = second;
  }
}
