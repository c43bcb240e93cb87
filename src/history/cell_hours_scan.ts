/**
 * Reads the encoded hours of the cells of a tile without columns for all of
 * them: for sums over many tiles and days. See `cell_hours_codec.ts` for the
 * format.
 *
 * @module
 */

import { BinaryReader } from "../feed/binary.ts";
import { TILE_CELLS } from "../grid/tiles.ts";
import { DAY_HOURS, HOUR_SECONDS, startOf } from "./hour.ts";
import { expectEnd, unpack } from "./packed_bytes.ts";
import { readBits } from "./state_column.ts";
import { type CellColumns, MAX_CELLS_BYTES, readCells } from "./tile_frame.ts";

/** The only format that is written and read. */
export const CELL_HOURS_FORMAT = 1;

/** What an hour of a cell is like. */
export const Kind = {
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
/** The bits of a kind in a run. */
export const KIND_BITS = 3;
/** Where the changes begin in a word. */
export const CHANGES_SHIFT = 12;
/** This number of changes, or a larger one, is in the next word. */
export const LONG_CHANGES = 15;

const OCCUPIED_MASK = (1 << CHANGES_SHIFT) - 1;
/** The most bytes of runs: one for each cell and hour. */
const MAX_RUNS_BYTES = DAY_HOURS * TILE_CELLS;
/** The most bytes of words: 3 for each cell and hour, 1 for each cell. */
const MAX_WORDS_BYTES = 6 * DAY_HOURS * TILE_CELLS + 2 * TILE_CELLS;
const MAX_CONTENT_BYTES = 8 + 2 * DAY_HOURS + TILE_CELLS / 8 +
  MAX_RUNS_BYTES + MAX_WORDS_BYTES + MAX_CELLS_BYTES;

/** Receives hours. */
export interface CellHoursVisitor {
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
  /**
   * The numbers of a cell in other hours in which it was known or changed. The
   * columns have the index in `added` as index.
   *
   * @param isFull true if it was known for their full time
   */
  numbers(
    key: number,
    from: number,
    to: number,
    isFull: boolean,
    known: Uint16Array,
    occupied: Uint16Array,
    changes: Uint16Array,
  ): void;
  /** When a cell was occupied last; called after its hours. */
  last(key: number, second: number): void;
}

/** 1 for a cell that was known or changed. */
const active = new Uint8Array(TILE_CELLS);
/** The full time of each hour of the day, in seconds. */
const full = new Uint16Array(DAY_HOURS);
/** The last hour of the day in which a cell was occupied; -1 for none. */
const lastHours = new Int8Array(TILE_CELLS);
// The numbers of the hours of one cell, by index in `added`.
const known = new Uint16Array(DAY_HOURS);
const occupied = new Uint16Array(DAY_HOURS);
const changes = new Uint16Array(DAY_HOURS);

/** Where the parts of a record are. */
interface Parts {
  readonly added: readonly number[];
  /** The rest of the record, from the runs on. */
  readonly bytes: Uint8Array;
  readonly wordsAt: number;
  readonly endAt: number;
}

/**
 * Reads hours in the order in which they are encoded.
 *
 * @param bytes of `encodeCellHours`, from any source
 * @param day days since 1970, UTC: the same as it was
 * @param visitor has received a part of them if this throws
 * @throws {RangeError} if the bytes are not valid
 */
export function scanCellHours(
  bytes: Uint8Array,
  day: number,
  visitor: CellHoursVisitor,
): void {
  explainErrors(() => {
    const parts = readParts(bytes);
    visitor.begin(parts.added, full);
    readHours(parts, day, visitor);
  });
}

/**
 * Reads only the state at the end of the last hour.
 *
 * @param bytes of `encodeCellHours`, from any source
 * @param into becomes the state
 * @returns number of cells with a state
 * @throws {RangeError} if the bytes are not valid
 */
export function readCellHoursEnd(bytes: Uint8Array, into: CellColumns): number {
  return explainErrors(() => {
    const { bytes: rest, endAt } = readParts(bytes);
    const reader = new BinaryReader(rest.subarray(endAt));
    const count = readCells(reader, into);
    expectEnd(reader);
    return count;
  });
}

/** The hours of a day whose bits are 1, ascending. */
export function addedHours(bits: number): number[] {
  const hours: number[] = [];
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    if ((bits >> hour & 1) === 1) hours.push(hour);
  }
  return hours;
}

function explainErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot read hours of cells: ${error.message}`);
  }
}

function readParts(record: Uint8Array): Parts {
  const reader = unpack(record, CELL_HOURS_FORMAT, MAX_CONTENT_BYTES);
  const added = addedHours(readUpTo(reader, 2 ** DAY_HOURS - 1));
  for (const hour of added) full[hour] = readUpTo(reader, HOUR_SECONDS);
  readBits(reader, active, 0, TILE_CELLS);
  const wordsAt = readUpTo(reader, MAX_RUNS_BYTES);
  const endAt = wordsAt + readUpTo(reader, MAX_WORDS_BYTES);
  const bytes = reader.rest();
  if (endAt > bytes.length) throw new RangeError("it ends too early");
  return { added, bytes, wordsAt, endAt };
}

/** Bytes after the end are 0 here; then the places at the end are wrong. */
function readHours(
  { added, bytes, wordsAt, endAt }: Parts,
  day: number,
  visitor: CellHoursVisitor,
): void {
  lastHours.fill(-1);
  let run = 0;
  let word = wordsAt;
  for (let key = 0; key < TILE_CELLS; key++) {
    if (active[key] === 0) continue;
    for (let from = 0; from < added.length;) {
      const head = bytes[run++]!;
      const kind = head & (1 << KIND_BITS) - 1;
      const to = from + (head >> KIND_BITS) + 1;
      if (kind > Kind.Partial || to > added.length) {
        throw new RangeError(`a run of hours has kind ${kind} up to ${to}`);
      }
      if (kind >= Kind.Mixed) {
        word = readNumbers(bytes, word, added, from, to, kind, key);
        const isFull = kind === Kind.Mixed;
        visitor.numbers(key, from, to, isFull, known, occupied, changes);
      } else if (kind !== Kind.Unknown) {
        visitor.constant(key, kind === Kind.Occupied, from, to);
        if (kind === Kind.Occupied) noteLast(added, from, to, key);
      }
      from = to;
    }
  }
  for (let key = 0; key < TILE_CELLS; key++) {
    const hour = lastHours[key]!;
    if (hour < 0) continue;
    const before = bytes[word]! | bytes[word + 1]! << 8;
    word += 2;
    if (before >= HOUR_SECONDS) throw tooMuch(before, HOUR_SECONDS - 1);
    visitor.last(key, startOf(day * DAY_HOURS + hour + 1) - 1 - before);
  }
  if (run !== wordsAt || word !== endAt) {
    throw new RangeError("its parts have other lengths");
  }
}

/** Returns the place after the words. */
function readNumbers(
  bytes: Uint8Array,
  at: number,
  added: readonly number[],
  from: number,
  to: number,
  kind: number,
  key: number,
): number {
  for (let i = from; i < to; i++) {
    const hour = added[i]!;
    let seconds = full[hour]!;
    if (kind === Kind.Partial) {
      seconds = bytes[at]! | bytes[at + 1]! << 8;
      at += 2;
      if (seconds > HOUR_SECONDS) throw tooMuch(seconds, HOUR_SECONDS);
    }
    const word = bytes[at]! | bytes[at + 1]! << 8;
    at += 2;
    known[i] = seconds;
    const some = word & OCCUPIED_MASK;
    if (some > seconds) throw tooMuch(some, seconds);
    occupied[i] = some;
    if (some > 0) lastHours[key] = hour;
    let count = word >> CHANGES_SHIFT;
    if (count === LONG_CHANGES) {
      count = bytes[at]! | bytes[at + 1]! << 8;
      at += 2;
    }
    changes[i] = count;
  }
  return at;
}

function noteLast(
  added: readonly number[],
  from: number,
  to: number,
  key: number,
): void {
  for (let i = to - 1; i >= from; i--) {
    if (full[added[i]!] === 0) continue;
    lastHours[key] = added[i]!;
    return;
  }
}

/** Reads a number; throws a `RangeError` if it is above a maximum. */
function readUpTo(reader: BinaryReader, max: number): number {
  const number = reader.uint();
  if (number > max) throw tooMuch(number, max);
  return number;
}

function tooMuch(number: number, max: number): RangeError {
  return new RangeError(`${number} is above ${max}`);
}
