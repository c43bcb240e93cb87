/**
 * How long the cells of one tile were occupied: from its rollups, and of the
 * days without rollups from its changes.
 *
 * @module
 */
import { settled, type WaitingWork } from "../../../common/turns.ts";
import { TILE_CELLS } from "../../../grid/tiles.ts";
import { CellHours } from "../../../history/cell_hours.ts";
import {
  readCellHoursEnd,
  scanCellHours,
} from "../../../history/cell_hours_scan.ts";
import type { Gap } from "../../../history/gaps.ts";
import {
  DAY_HOURS,
  DAY_SECONDS,
  dayOf,
  startOf,
} from "../../../history/hour.ts";
import { TileChanges } from "../../../history/tile_changes.ts";
import { TileFrame } from "../../../history/tile_frame.ts";
import type { Region } from "../../../protocol/region.ts";
import type { HistoryDayRow } from "../../../store/store.ts";
import { oldestHour } from "../oldest.ts";
import type { TileAddress } from "../tile_reader.ts";
import { CellSums } from "./cell_sums.ts";
import { cellsOfRegion } from "./past_cells.ts";
import type { Question } from "./question.ts";
import type { UseHours } from "./use_hours.ts";

/** Rollups that are read at once: about 100 KB. */
const DAYS_PER_PAGE = 16;
/** Rollups that are read in one step: about a millisecond. */
const DAYS_PER_STEP = 8;
/** The same for hours of changes. */
const HOURS_PER_STEP = 8;

/** The sums of each cell and day. */
export interface DaysOfCells {
  /** Seconds, by the number of the day * 1024 + the key. */
  readonly known: Float64Array;
  readonly occupied: Float64Array;
}

/** Reusable memory for one tile after the other. */
export class TileUse {
  /** The sums of the last tile. */
  readonly sums: CellSums;
  /** If each day is asked for: the same by day. */
  readonly days: DaysOfCells | undefined;
  readonly #question: Question;
  readonly #hours: UseHours;
  readonly #gaps: readonly Gap[];
  readonly #isInRegion = new Uint8Array(TILE_CELLS);
  /** The state at the present hour, unless `#endOf` is known. */
  readonly #state = new TileFrame();
  /** The rollup with the state at its end. */
  #endOf: HistoryDayRow | undefined;
  readonly #changes = new TileChanges();
  readonly #cellHours = new CellHours();
  /** True if the state before the first hour is from frames and changes. */
  #isStateRead = false;
  /** Hours before this one are added. */
  #at = 0;
  /** The damaged rollups of the tile, by day. */
  readonly #damaged = new Set<number>();
  /** What each sum was before the present day. */
  readonly #before = new Float64Array(2 * TILE_CELLS);

  /** @param byDay true to add up each day too */
  constructor(question: Question, hours: UseHours, byDay: boolean) {
    this.#question = question;
    this.#hours = hours;
    this.sums = new CellSums(hours);
    const { from, to } = hours;
    this.#gaps = question.gaps({ from: startOf(from), to: startOf(to) });
    const length = hours.dayStarts.length * TILE_CELLS;
    this.days = byDay
      ? { known: new Float64Array(length), occupied: new Float64Array(length) }
      : undefined;
  }

  /**
   * Adds up a tile, in steps.
   *
   * @param region only the cells in it count; undefined: all
   */
  *add(tile: TileAddress, region: Region | undefined): WaitingWork<void> {
    const { tx, ty } = tile;
    const inRegion = cellsOfRegion(region, tx, ty, this.#isInRegion);
    this.#damaged.clear();
    // Again without a rollup of which a part was added before it was damaged.
    for (let damaged = -1; damaged < this.#damaged.size;) {
      damaged = this.#damaged.size;
      this.sums.clear(inRegion);
      this.days?.known.fill(0);
      this.days?.occupied.fill(0);
      this.#at = this.#hours.from;
      yield* this.#readState(tile);
      // Cells that were reported before, if they stay unknown.
      this.sums.addConstant(this.#state, 0, 0);
      yield* this.#addRollups(tile);
    }
    this.#addConstant(this.#question.changesFrom);
    yield* this.#addChanges(tile);
    const { hourKnown, hourOccupied } = this.sums;
    const { known, occupied } = this.#hours;
    for (let i = 0; i < known.length; i++) {
      known[i]! += hourKnown[i]!;
      occupied[i]! += hourOccupied[i]!;
    }
  }

  /** Reads the state before the first hour. */
  *#readState(tile: TileAddress): WaitingWork<void> {
    const { reader, tables } = this.#question;
    const { layer, tx, ty } = tile;
    const hour = this.#at;
    this.#state.clear();
    this.#endOf = undefined;
    this.#isStateRead = hour >= oldestHour(tables);
    if (!this.#isStateRead) {
      this.#endOf = yield* settled(
        tables.cellDayBefore(layer, tx, ty, dayOf(hour)),
      );
      this.#loadState();
      return;
    }
    const damaged = yield* reader.stateBefore(tile, hour, this.#state);
    this.#question.noteDamagedHour(damaged);
  }

  *#addRollups({ layer, tx, ty }: TileAddress): WaitingWork<void> {
    const { tables } = this.#question;
    const firstDay = dayOf(this.#at);
    const lastDay = dayOf(this.#hours.to - 1);
    for (let day = firstDay; day <= lastDay; day += DAYS_PER_PAGE) {
      const last = Math.min(lastDay, day + DAYS_PER_PAGE - 1);
      const rows = yield* settled(
        tables.cellDays(layer, tx, ty, day, last),
      );
      for (const [i, row] of rows.entries()) {
        this.#addRow(row);
        if (i % DAYS_PER_STEP === DAYS_PER_STEP - 1) yield;
      }
    }
  }

  #addRow(row: HistoryDayRow): void {
    const start = row.day * DAY_HOURS;
    if (row.bytes === undefined || this.#damaged.has(row.day)) {
      this.#noteDamaged(row.day);
      this.#addConstant(start);
      this.#loadState();
      this.#state.forget(startOf(start));
      this.#addConstant(start + DAY_HOURS);
      return;
    }
    let isFirst = true;
    for (const [from, to] of this.#segments(row.day)) {
      this.#startDay();
      this.sums.startDay(row.day, from, to);
      if (
        !this.#isRead(row.day, () => {
          scanCellHours(row.bytes!, row.day, this.sums);
        })
      ) return;
      this.sums.endDay();
      this.#endDay(start + from);
      if (!isFirst) continue;
      isFirst = false;
      this.#addConstant(start + (this.sums.added[0] ?? 0));
    }
    const last = this.sums.added.at(-1);
    if (last === undefined) return;
    const end = start + last + 1;
    // Hours of the open day can follow that are not in the rollup.
    if (end < this.#at && this.#isStateRead) return;
    this.#at = Math.max(this.#at, end);
    this.#endOf = row;
  }

  /** Returns false if a rollup is damaged: then the tile is begun again. */
  #isRead(day: number, read: () => void): boolean {
    try {
      read();
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#noteDamaged(day);
      return false;
    }
  }

  #noteDamaged(day: number): void {
    this.#damaged.add(day);
    const start = day * DAY_SECONDS;
    this.#question.noteDamaged(start, start + DAY_SECONDS);
  }

  /** Adds the hours that have no rollups. */
  *#addChanges(tile: TileAddress): WaitingWork<void> {
    const { reader, now } = this.#question;
    const { to } = this.#hours;
    const changes = this.#changes;
    const hours = this.#cellHours;
    for (let hour = this.#at; hour < to; hour++) {
      if (hour % HOURS_PER_STEP === 0) yield;
      const isWhole = yield* reader.readChanges(tile, hour, changes);
      if (isWhole && changes.length === 0) continue;
      this.#addConstant(hour);
      this.#loadState();
      if (!isWhole) {
        this.#question.noteDamagedHour(hour);
        this.#state.forget(startOf(hour));
        continue;
      }
      const hourOfDay = hour % DAY_HOURS;
      // All numbers of the hour are replaced; the others are not read.
      hours.day = dayOf(hour);
      hours.hours = 0;
      hours.lastOccupied.fill(NaN);
      hours.addHour(hourOfDay, this.#state, changes, this.#gaps, now);
      this.#startDay();
      this.sums.addHour(hours, hourOfDay);
      this.#endDay(hour);
      this.#state.apply(changes, Infinity);
      this.#at = hour + 1;
    }
    this.#addConstant(to);
  }

  /** Adds hours in which the state stayed, up to before an hour. */
  #addConstant(to: number): void {
    const { from, to: last } = this.#hours;
    let first = this.#at - from;
    const end = Math.min(to, last) - from;
    if (first >= end) return;
    this.#at = from + end;
    this.#loadState();
    if (this.days === undefined) {
      this.sums.addConstant(this.#state, first, end);
      return;
    }
    for (let i = first + 1; i <= end; i++) {
      if (i < end && this.#isSameDay(first, i)) continue;
      this.#startDay();
      this.sums.addConstant(this.#state, first, i);
      this.#endDay(from + first);
      first = i;
    }
  }

  /** Reads the state at the end of the last rollup. */
  #loadState(): void {
    const row = this.#endOf;
    this.#endOf = undefined;
    if (row === undefined) return;
    const state = this.#state;
    state.clear();
    if (row.bytes === undefined) return this.#noteDamaged(row.day);
    try {
      state.count = readCellHoursEnd(row.bytes, state);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      state.clear();
      this.#noteDamaged(row.day);
    }
  }

  /** The parts of a day (UTC) that are in one local day, as hours of the day. */
  *#segments(day: number): Generator<readonly [from: number, to: number]> {
    if (this.days === undefined) {
      yield [0, DAY_HOURS];
      return;
    }
    const { from, to } = this.#hours;
    const start = day * DAY_HOURS;
    const end = Math.min(start + DAY_HOURS, to);
    for (let first = Math.max(start, from); first < end;) {
      let next = first + 1;
      while (next < end && this.#isSameDay(first - from, next - from)) next++;
      yield [first - start, next - start];
      first = next;
    }
  }

  /** True if two hours count for one day, or do not count; by their places. */
  #isSameDay(one: number, other: number): boolean {
    const { selected, day } = this.#hours;
    return selected[one] === selected[other] &&
      (selected[one] === 0 || day[one] === day[other]);
  }

  /** What is added up next, up to `#endDay`, belongs to one local day. */
  #startDay(): void {
    if (this.days === undefined) return;
    this.#before.set(this.sums.known);
    this.#before.set(this.sums.occupied, TILE_CELLS);
  }

  /** @param hour in the local day that ends */
  #endDay(hour: number): void {
    const { days } = this;
    const { from, selected, day } = this.#hours;
    if (days === undefined || selected[hour - from] !== 1) return;
    const first = day[hour - from]! * TILE_CELLS;
    const { known, occupied } = this.sums;
    const before = this.#before;
    for (let key = 0; key < TILE_CELLS; key++) {
      days.known[first + key]! += known[key]! - before[key]!;
      days.occupied[first + key]! += occupied[key]! - before[TILE_CELLS + key]!;
    }
  }
}
