/**
 * Encodes the hours of the cells of a tile as bytes.
 *
 * The content, see `packed_bytes.ts` for the frame around it; all numbers are
 * varints:
 *
 * | what |
 * |---|
 * | the hours that were added, a bit each |
 * | for each such hour: the most seconds that a cell was known, its *full* time |
 * | a bit for each cell: 1 if it was known or changed |
 * | for each such cell: *runs* of hours that are alike, a byte each: bits 0-2 the kind, bits 3-7 the number of hours - 1; after a run of the kinds `Mixed` and `Partial`, for each hour: seconds known (`Partial` only), seconds occupied, changes |
 * | for each cell that was occupied: seconds from `lastOccupied` to the end of its hour |
 * | the state at the end, see `tile_frame.ts` |
 *
 * A cell that stays as it is takes one byte a day, before deflating.
 *
 * @module
 */

import type { BinaryReader, BinaryWriter } from "../feed/binary.ts";
import { TILE_CELLS } from "../grid/tiles.ts";
import type { CellHours } from "./cell_hours.ts";
import { DAY_HOURS, HOUR_SECONDS, startOf } from "./hour.ts";
import { expectEnd, pack, unpack } from "./packed_bytes.ts";
import { readBits, writeBits } from "./state_column.ts";
import {
  type CellColumns,
  MAX_CELLS_BYTES,
  readCells,
  writeCells,
} from "./tile_frame.ts";

/** The only format that this module writes and reads. */
const CELL_HOURS_FORMAT = 1;
const MAX_CHANGES = 0xffff;
/** The most bytes of the content: 8 for each cell and hour, and the rest. */
const MAX_CONTENT_BYTES = 4 + 2 * DAY_HOURS + TILE_CELLS / 8 +
  8 * DAY_HOURS * TILE_CELLS + 2 * TILE_CELLS + MAX_CELLS_BYTES;

/** What an hour of a cell is like. */
const Kind = {
  /** Known the full time, never occupied, no change. */
  Free: 0,
  /** Occupied the full time, no change. */
  Occupied: 1,
  /** Never known, no change. */
  Unknown: 2,
  /** Known the full time, with numbers of its own. */
  Mixed: 3,
  /** All other. */
  Partial: 4,
} as const;
const KIND_BITS = 3;

/** 1 for a cell that was known or changed. */
const active = new Uint8Array(TILE_CELLS);
/** The full time of each hour of the day, in seconds. */
const full = new Uint16Array(DAY_HOURS);

/** The kinds of the hours of one cell, by hour of the day. */
const kinds = new Uint8Array(DAY_HOURS);
/** The last hour of the day in which a cell was occupied; -1 for none. */
const lastHours = new Int8Array(TILE_CELLS);

/** Encodes hours; deflated. */
export function encodeCellHours(hours: CellHours): Uint8Array<ArrayBuffer> {
  return pack(CELL_HOURS_FORMAT, (writer) => {
    const added = addedHours(hours.hours);
    findActive(hours, added);
    writer.uint(hours.hours);
    for (const hour of added) writer.uint(full[hour]!);
    writeBits(writer, active, TILE_CELLS);
    for (let key = 0; key < TILE_CELLS; key++) {
      if (active[key] === 1) writeRuns(writer, hours, added, key);
    }
    for (let key = 0; key < TILE_CELLS; key++) {
      const hour = lastHours[key]!;
      if (hour < 0) continue;
      writer.uint(endOf(hours.day, hour) - 1 - hours.lastOccupied[key]!);
    }
    writeCells(writer, hours.end);
  }, true);
}

/** Finds the cells to write, their last hours, and the full times. */
function findActive(hours: CellHours, added: readonly number[]): void {
  const { known, occupied, changes } = hours;
  active.fill(0);
  lastHours.fill(-1);
  for (const hour of added) {
    let most = 0;
    const first = hour * TILE_CELLS;
    for (let key = 0; key < TILE_CELLS; key++) {
      const seconds = known[first + key]!;
      if (seconds > most) most = seconds;
      if (seconds > 0 || changes[first + key]! > 0) active[key] = 1;
      if (occupied[first + key]! > 0) lastHours[key] = hour;
    }
    full[hour] = most;
  }
}

function kindOf(hours: CellHours, hour: number, key: number): number {
  const index = hour * TILE_CELLS + key;
  const known = hours.known[index]!;
  const isConstant = hours.changes[index] === 0;
  // In an hour of gaps only, all cells are unknown.
  if (known === 0 && isConstant) return Kind.Unknown;
  if (known !== full[hour]) return Kind.Partial;
  if (!isConstant) return Kind.Mixed;
  const occupied = hours.occupied[index]!;
  if (occupied === 0) return Kind.Free;
  return occupied === known ? Kind.Occupied : Kind.Mixed;
}

function writeRuns(
  writer: BinaryWriter,
  hours: CellHours,
  added: readonly number[],
  key: number,
): void {
  for (const hour of added) kinds[hour] = kindOf(hours, hour, key);
  for (let i = 0; i < added.length;) {
    const start = i;
    const kind = kinds[added[start]!]!;
    do i++; while (i < added.length && kinds[added[i]!] === kind);
    writer.byte(kind | i - start - 1 << KIND_BITS);
    if (kind < Kind.Mixed) continue;
    for (let at = start; at < i; at++) {
      const index = added[at]! * TILE_CELLS + key;
      if (kind === Kind.Partial) writer.uint(hours.known[index]!);
      writer.uint(hours.occupied[index]!);
      writer.uint(hours.changes[index]!);
    }
  }
}

/** Receives hours, without columns for all of them. */
export interface CellHoursVisitor {
  /** Receives the state at the end of the last hour. */
  readonly end: CellColumns;
  /**
   * Called first.
   *
   * @param added the hours of the day that were added, ascending
   * @param full the most seconds that a cell was known, by hour of the day
   */
  begin(added: readonly number[], full: Uint16Array): void;
  /**
   * A cell was known for the full time of some hours, without a change.
   *
   * @param key 0 to 1023
   * @param isOccupied true if it was occupied, false if it was free
   * @param from the first hour: its index in `added`
   * @param to the index after the last one
   */
  constant(key: number, isOccupied: boolean, from: number, to: number): void;
  /** The numbers of any other hour in which a cell was known or changed. */
  hour(
    key: number,
    hourOfDay: number,
    known: number,
    occupied: number,
    changes: number,
  ): void;
  /** When a cell was occupied last; called after its hours. */
  last(key: number, second: number): void;
}

/** Puts hours in columns. */
class ColumnsVisitor implements CellHoursVisitor {
  readonly end: CellColumns;
  readonly #into: CellHours;
  #added: readonly number[] = [];
  #full = full;

  constructor(into: CellHours) {
    this.#into = into;
    this.end = into.end;
  }

  begin(added: readonly number[], full: Uint16Array<ArrayBuffer>): void {
    this.#added = added;
    this.#full = full;
    for (const hour of added) this.#into.hours |= 1 << hour;
  }

  constant(key: number, isOccupied: boolean, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const hour = this.#added[i]!;
      const known = this.#full[hour]!;
      this.hour(key, hour, known, isOccupied ? known : 0, 0);
    }
  }

  hour(
    key: number,
    hourOfDay: number,
    known: number,
    occupied: number,
    changes: number,
  ): void {
    const index = hourOfDay * TILE_CELLS + key;
    this.#into.known[index] = known;
    this.#into.occupied[index] = occupied;
    this.#into.changes[index] = changes;
  }

  last(key: number, second: number): void {
    this.#into.lastOccupied[key] = second;
  }
}

/**
 * Decodes hours.
 *
 * @param bytes of {@linkcode encodeCellHours}, from any source
 * @param day days since 1970, UTC: the same as it was
 * @param into becomes the hours; empty if this throws
 * @throws {RangeError} if the bytes are not valid
 */
export function decodeCellHours(
  bytes: Uint8Array,
  day: number,
  into: CellHours,
): void {
  into.clear(day);
  try {
    scanCellHours(bytes, day, new ColumnsVisitor(into));
  } catch (error) {
    into.clear(day);
    throw error;
  }
}

/**
 * Reads hours in the order in which they are encoded: faster than to decode
 * them.
 *
 * @param bytes of {@linkcode encodeCellHours}, from any source
 * @param day days since 1970, UTC: the same as it was
 * @param visitor has received a part of them if this throws
 * @throws {RangeError} if the bytes are not valid
 */
export function scanCellHours(
  bytes: Uint8Array,
  day: number,
  visitor: CellHoursVisitor,
): void {
  try {
    const reader = unpack(bytes, CELL_HOURS_FORMAT, MAX_CONTENT_BYTES);
    readHours(reader, day, visitor);
    expectEnd(reader);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot read hours of cells: ${error.message}`);
  }
}

function readHours(
  reader: BinaryReader,
  day: number,
  visitor: CellHoursVisitor,
): void {
  const added = addedHours(readUpTo(reader, 2 ** DAY_HOURS - 1));
  for (const hour of added) full[hour] = readUpTo(reader, HOUR_SECONDS);
  readBits(reader, active, 0, TILE_CELLS);
  lastHours.fill(-1);
  visitor.begin(added, full);
  for (let key = 0; key < TILE_CELLS; key++) {
    if (active[key] === 1) readRuns(reader, visitor, added, key);
  }
  for (let key = 0; key < TILE_CELLS; key++) {
    const hour = lastHours[key]!;
    if (hour < 0) continue;
    const before = readUpTo(reader, HOUR_SECONDS - 1);
    visitor.last(key, endOf(day, hour) - 1 - before);
  }
  readCells(reader, visitor.end);
}

/** Reads the hours of one cell. */
function readRuns(
  reader: BinaryReader,
  visitor: CellHoursVisitor,
  added: readonly number[],
  key: number,
): void {
  for (let i = 0; i < added.length;) {
    const run = reader.byte();
    const kind = run & (1 << KIND_BITS) - 1;
    const end = i + (run >> KIND_BITS) + 1;
    if (kind > Kind.Partial || end > added.length) {
      throw new RangeError(`a run of hours has kind ${kind} up to ${end}`);
    }
    if (kind === Kind.Free || kind === Kind.Occupied) {
      const isOccupied = kind === Kind.Occupied;
      visitor.constant(key, isOccupied, i, end);
      for (let at = end - 1; isOccupied && at >= i; at--) {
        if (full[added[at]!] === 0) continue;
        lastHours[key] = added[at]!;
        break;
      }
    } else if (kind !== Kind.Unknown) {
      for (let at = i; at < end; at++) {
        readHour(reader, visitor, key, added[at]!, kind);
      }
    }
    i = end;
  }
}

function readHour(
  reader: BinaryReader,
  visitor: CellHoursVisitor,
  key: number,
  hour: number,
  kind: number,
): void {
  const known = kind === Kind.Partial
    ? readUpTo(reader, HOUR_SECONDS)
    : full[hour]!;
  const occupied = readUpTo(reader, known);
  if (occupied > 0) lastHours[key] = hour;
  visitor.hour(key, hour, known, occupied, readUpTo(reader, MAX_CHANGES));
}

/** Reads a number; throws a `RangeError` if it is above a maximum. */
function readUpTo(reader: BinaryReader, max: number): number {
  const number = reader.uint();
  if (number > max) throw new RangeError(`${number} is above ${max}`);
  return number;
}

function addedHours(bits: number): number[] {
  return Array.from({ length: DAY_HOURS }, (_, hour) => hour)
    .filter((hour) => (bits >> hour & 1) === 1);
}

/** The second after an hour of a day. */
function endOf(day: number, hourOfDay: number): number {
  return startOf(day * DAY_HOURS + hourOfDay + 1);
}
