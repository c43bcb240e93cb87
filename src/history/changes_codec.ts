/**
 * Encodes the changes of one hour of a tile as bytes.
 *
 * The content, see `packed_bytes.ts` for the frame around it; all numbers are
 * varints:
 *
 * | what |
 * |---|
 * | number of cells with changes, 0 to 1024 |
 * | for each cell: 2 * (key - key of the cell before - 1), + 1 if it has more than one change; then the number of its changes - 2 |
 * | for each change: the second of the hour, then of the same cell the seconds since the change before - 1 |
 * | the states, see `state_column.ts` |
 *
 * A change of an occupied desk takes about three bytes, one of a corridor about
 * one.
 *
 * @module
 */

import { type BinaryReader, BinaryWriter } from "../feed/binary.ts";
import { TILE_CELLS } from "../grid/tiles.ts";
import { HOUR_SECONDS, startOf } from "./hour.ts";
import { expectEnd, pack, unpack } from "./packed_bytes.ts";
import { readStates, writeStates } from "./state_column.ts";
import type { TileChanges } from "./tile_changes.ts";

/** The only format that this module writes and reads. */
const CHANGES_FORMAT = 1;
/** The most changes of a tile in an hour: each cell in each second. */
export const MAX_HOUR_CHANGES: number = TILE_CELLS * HOUR_SECONDS;
/** The most bytes of the content: 2 a second, 5 and a bit a state. */
const MAX_CONTENT_BYTES = 2 + 4 * TILE_CELLS + 8 * MAX_HOUR_CHANGES;

/** Numbers of changes of the cells, while a record is read. */
const counts = new Uint16Array(TILE_CELLS);
const keys = new Uint16Array(TILE_CELLS);

/** Options of {@linkcode encodeChanges}. */
export interface EncodeChangesOptions {
  /** Deflate the bytes, if that makes them fewer. */
  readonly compress: boolean;
}

/**
 * Encodes the changes of one hour.
 *
 * @param changes sorted, see `TileChanges.sort`
 * @param hour hours since 1970
 * @param options whether to deflate
 * @throws {RangeError} if a change is not in the hour, or they are not sorted
 */
export function encodeChanges(
  changes: TileChanges,
  hour: number,
  { compress }: EncodeChangesOptions,
): Uint8Array<ArrayBuffer> {
  return pack(
    CHANGES_FORMAT,
    (writer) => writeContent(writer, changes, hour),
    compress,
  );
}

/**
 * Encodes changes of many tiles into the same bytes, as
 * {@linkcode encodeChanges} does without deflating: an object for each takes
 * longer, and more memory, than the bytes.
 */
export class ChangesWriter {
  readonly #writer = new BinaryWriter();

  /** The number of bytes. */
  get length(): number {
    return this.#writer.at;
  }

  /**
   * Appends the changes of one hour of a tile.
   *
   * @throws {RangeError} as {@linkcode encodeChanges}
   */
  add(changes: TileChanges, hour: number): void {
    this.#writer.byte(CHANGES_FORMAT);
    writeContent(this.#writer, changes, hour);
  }

  /** Removes all bytes, and returns them. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#writer.finish();
    this.#writer.clear();
    return bytes;
  }
}

function writeContent(
  writer: BinaryWriter,
  changes: TileChanges,
  hour: number,
): void {
  writeCells(writer, changes);
  if (changes.length === 0) return;
  writeSeconds(writer, changes, startOf(hour));
  writeStates(writer, changes.value, changes.stale, changes.length);
}

function writeCells(writer: BinaryWriter, { key, length }: TileChanges): void {
  let cells = 0;
  let before = -1;
  for (let i = 0; i < length; i++) {
    const k = key[i]!;
    if (k === before) continue;
    if (k < before || k >= TILE_CELLS) throw notSorted();
    before = k;
    cells++;
  }
  writer.uint(cells);
  writer.reserve(4 * cells);
  const { bytes } = writer;
  let at = writer.at;
  before = -1;
  for (let i = 0; i < length;) {
    const start = i;
    const k = key[start]!;
    do i++; while (i < length && key[i] === k);
    const more = i - start - 2;
    const step = k - before - 1 << 1 | (more < 0 ? 0 : 1);
    before = k;
    at = putNumber(bytes, at, step);
    if (more >= 0) at = putNumber(bytes, at, more);
  }
  writer.at = at;
}

function writeSeconds(
  writer: BinaryWriter,
  { key, second, length }: TileChanges,
  start: number,
): void {
  writer.reserve(2 * length);
  const { bytes } = writer;
  let at = writer.at;
  let cell = -1;
  let before = 0;
  for (let i = 0; i < length; i++) {
    const offset = second[i]! - start;
    if (key[i] !== cell) {
      cell = key[i]!;
      before = -1;
    }
    const step = offset - before - 1;
    if (step < 0 || offset < 0 || offset >= HOUR_SECONDS) throw notSorted();
    before = offset;
    at = putNumber(bytes, at, step);
  }
  writer.at = at;
}

/** Writes a varint below 2^14; returns the offset after it. */
function putNumber(bytes: Uint8Array, at: number, number: number): number {
  if (number < 128) {
    bytes[at] = number;
    return at + 1;
  }
  bytes[at] = number & 127 | 128;
  bytes[at + 1] = number >> 7;
  return at + 2;
}

/**
 * Decodes the changes of one hour.
 *
 * @param bytes of {@linkcode encodeChanges}, from any source
 * @param hour hours since 1970: the same as it was
 * @param into receives the changes after those that it has, sorted; unchanged if
 * this throws
 * @throws {RangeError} if the bytes are not valid
 */
export function decodeChanges(
  bytes: Uint8Array,
  hour: number,
  into: TileChanges,
): void {
  const length = into.length;
  try {
    const reader = unpack(bytes, CHANGES_FORMAT, MAX_CONTENT_BYTES);
    const cells = readCells(reader);
    if (cells > 0) readChanges(reader, startOf(hour), cells, into);
    expectEnd(reader);
  } catch (error) {
    into.length = length;
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot read changes: ${error.message}`);
  }
}

/** Reads keys and numbers of changes; returns the number of cells. */
function readCells(reader: BinaryReader): number {
  const cells = reader.uint();
  let key = -1;
  // No more than 1024 rounds: keys increase.
  for (let i = 0; i < cells; i++) {
    const step = reader.uint();
    key += Math.floor(step / 2) + 1;
    const count = step % 2 === 0 ? 1 : 2 + reader.uint();
    if (key >= TILE_CELLS || count > HOUR_SECONDS) {
      throw new RangeError(`cell ${key} with ${count} changes is too much`);
    }
    keys[i] = key;
    counts[i] = count;
  }
  return cells;
}

function readChanges(
  reader: BinaryReader,
  start: number,
  cells: number,
  into: TileChanges,
): void {
  let total = 0;
  for (let i = 0; i < cells; i++) total += counts[i]!;
  // Each has a byte or more: no memory for changes that are not there.
  if (total > reader.left) throw new RangeError("it ends too early");
  into.reserve(total);
  const { key, second } = into;
  const first = into.length;
  let at = first;
  for (let i = 0; i < cells; i++) {
    const k = keys[i]!;
    const end = at + counts[i]!;
    let offset = -1;
    for (; at < end; at++) {
      offset += reader.uint() + 1;
      if (offset >= HOUR_SECONDS) {
        throw new RangeError(`a change is ${offset} seconds after the hour`);
      }
      key[at] = k;
      second[at] = start + offset;
    }
  }
  readStates(reader, into.value, into.stale, first, total);
  into.length = at;
}

function notSorted(): RangeError {
  return new RangeError(
    "Cannot encode changes: they are not sorted, or not all in the hour",
  );
}
