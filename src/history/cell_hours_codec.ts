/**
 * Encodes the hours of the cells of a tile as bytes.
 *
 * The content, see `packed_bytes.ts` for the frame around it:
 *
 * | bytes | what |
 * |---|---|
 * | varint | the hours that were added, a bit each |
 * | varints | for each such hour: the most seconds that a cell was known, its *full* time |
 * | 128 | a bit for each cell: 1 if it was known or changed |
 * | varint | number of bytes of the runs |
 * | varint | the same of the words |
 * | | *runs*: for each such cell, hours that are alike: bits 0-2 the kind, bits 3-7 the number of hours - 1 |
 * | | *words*, see below |
 * | | the state at the end, see `tile_frame.ts` |
 *
 * A word is a number of 16 bits, the lowest byte first. There are words for each
 * hour in runs of the kinds `Mixed` and `Partial`: seconds known (`Partial`
 * only); seconds occupied in bits 0-11, changes in bits 12-15, or 15 there and
 * the changes in one more word. Then, for each cell that was occupied: seconds
 * from `lastOccupied` to the end of its hour.
 *
 * A cell that stays as it is takes one byte a day, before deflating. A tile with
 * much change is not deflated, which would save little, and would take half of
 * the time in which a month of it is read.
 *
 * @module
 */

import { BinaryWriter } from "../feed/binary.ts";
import { TILE_CELLS } from "../grid/tiles.ts";
import type { CellHours } from "./cell_hours.ts";
import {
  addedHours,
  CELL_HOURS_FORMAT,
  type CellHoursVisitor,
  CHANGES_SHIFT,
  Kind,
  KIND_BITS,
  LONG_CHANGES,
  readCellHoursEnd,
  scanCellHours,
} from "./cell_hours_scan.ts";
import { DAY_HOURS, startOf } from "./hour.ts";
import { pack } from "./packed_bytes.ts";
import { writeBits } from "./state_column.ts";
import { writeCells } from "./tile_frame.ts";

/** Deflated only if that saves half of the bytes. */
const MAX_DEFLATED_RATIO = 0.5;

/** 1 for a cell that was known or changed. */
const active = new Uint8Array(TILE_CELLS);
/** The full time of each hour of the day, in seconds. */
const full = new Uint16Array(DAY_HOURS);
/** The kinds of the hours of one cell, by hour of the day. */
const kinds = new Uint8Array(DAY_HOURS);
/** The last hour of the day in which a cell was occupied; -1 for none. */
const lastHours = new Int8Array(TILE_CELLS);
const runs = new BinaryWriter();
const words = new BinaryWriter();

/** Encodes hours. */
export function encodeCellHours(hours: CellHours): Uint8Array<ArrayBuffer> {
  const added = addedHours(hours.hours);
  findActive(hours, added);
  runs.clear();
  words.clear();
  for (let key = 0; key < TILE_CELLS; key++) {
    if (active[key] === 1) writeRuns(hours, added, key);
  }
  for (let key = 0; key < TILE_CELLS; key++) {
    const hour = lastHours[key]!;
    if (hour < 0) continue;
    const end = startOf(hours.day * DAY_HOURS + hour + 1);
    writeWord(end - 1 - hours.lastOccupied[key]!);
  }
  return pack(CELL_HOURS_FORMAT, (writer) => {
    writer.uint(hours.hours);
    for (const hour of added) writer.uint(full[hour]!);
    writeBits(writer, active, TILE_CELLS);
    writer.uint(runs.at);
    writer.uint(words.at);
    writer.raw(runs.peek());
    writer.raw(words.peek());
    writeCells(writer, hours.end);
  }, MAX_DEFLATED_RATIO);
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
  hours: CellHours,
  added: readonly number[],
  key: number,
): void {
  for (const hour of added) kinds[hour] = kindOf(hours, hour, key);
  for (let i = 0; i < added.length;) {
    const start = i;
    const kind = kinds[added[start]!]!;
    do i++; while (i < added.length && kinds[added[i]!] === kind);
    runs.byte(kind | i - start - 1 << KIND_BITS);
    if (kind < Kind.Mixed) continue;
    for (let at = start; at < i; at++) {
      const index = added[at]! * TILE_CELLS + key;
      if (kind === Kind.Partial) writeWord(hours.known[index]!);
      const changes = hours.changes[index]!;
      const short = Math.min(changes, LONG_CHANGES);
      writeWord(hours.occupied[index]! | short << CHANGES_SHIFT);
      if (short === LONG_CHANGES) writeWord(changes);
    }
  }
}

function writeWord(word: number): void {
  words.byte(word & 0xff);
  words.byte(word >> 8);
}

/** Puts hours in columns. */
class ColumnsVisitor implements CellHoursVisitor {
  readonly #into: CellHours;
  #added: readonly number[] = [];
  #full = full;

  constructor(into: CellHours) {
    this.#into = into;
  }

  begin(added: readonly number[], full: Uint16Array<ArrayBuffer>): void {
    this.#added = added;
    this.#full = full;
    for (const hour of added) this.#into.hours |= 1 << hour;
  }

  constant(key: number, isOccupied: boolean, from: number, to: number): void {
    const { known, occupied } = this.#into;
    for (let i = from; i < to; i++) {
      const index = this.#added[i]! * TILE_CELLS + key;
      known[index] = this.#full[this.#added[i]!]!;
      if (isOccupied) occupied[index] = known[index]!;
    }
  }

  numbers(
    key: number,
    from: number,
    to: number,
    _isFull: boolean,
    known: Uint16Array,
    occupied: Uint16Array,
    changes: Uint16Array,
  ): void {
    for (let i = from; i < to; i++) {
      const index = this.#added[i]! * TILE_CELLS + key;
      this.#into.known[index] = known[i]!;
      this.#into.occupied[index] = occupied[i]!;
      this.#into.changes[index] = changes[i]!;
    }
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
    readCellHoursEnd(bytes, into.end);
  } catch (error) {
    into.clear(day);
    throw error;
  }
}
