/**
 * The state of all cells of a tile at one time.
 *
 * Encoded, see `packed_bytes.ts` for the frame around it: a bit for each of the
 * 1024 cells, by key, 1 if it has a state; then the states, see
 * `state_column.ts`.
 *
 * @module
 */

import type { BinaryReader, BinaryWriter } from "../feed/binary.ts";
import { TILE_CELLS } from "../grid/tiles.ts";
import { expectEnd, pack, unpack } from "./packed_bytes.ts";
import {
  readBits,
  readStates,
  writeBits,
  writeStates,
} from "./state_column.ts";
import type { TileChanges } from "./tile_changes.ts";

/** The only format that this module writes and reads. */
const FRAME_FORMAT = 1;
/** The most bytes of cells: bits, then 5 and a bit a state. */
export const MAX_CELLS_BYTES: number = TILE_CELLS / 8 + 1 + 16 +
  6 * TILE_CELLS;

/** The columns of {@linkcode TileFrame}, for the cells that have a state. */
export interface CellColumns {
  /** 1 for a cell with a state, by key. */
  readonly has: Uint8Array;
  /** int32, below 0 unknown, by key. */
  readonly value: Int32Array;
  /** 1 if stale, otherwise 0; 0 if unknown; by key. */
  readonly stale: Uint8Array;
}

const values = new Int32Array(TILE_CELLS);
const stales = new Uint8Array(TILE_CELLS);

/** The state of the cells of a tile, all by key, 0 to 1023. */
export class TileFrame implements CellColumns {
  /** 1 for a cell with a state. */
  readonly has: Uint8Array<ArrayBuffer> = new Uint8Array(TILE_CELLS);
  /** int32, below 0 unknown. */
  readonly value: Int32Array<ArrayBuffer> = new Int32Array(TILE_CELLS);
  /** 1 if stale, otherwise 0; 0 if unknown. */
  readonly stale: Uint8Array<ArrayBuffer> = new Uint8Array(TILE_CELLS);
  /**
   * The second of the change that made the state; NaN if that was before the
   * frame was taken.
   */
  readonly since: Float64Array<ArrayBuffer> = new Float64Array(TILE_CELLS);
  /** Number of cells with a state. */
  count = 0;

  constructor() {
    this.since.fill(NaN);
  }

  /** Removes all states. */
  clear(): void {
    this.has.fill(0);
    this.value.fill(0);
    this.stale.fill(0);
    this.since.fill(NaN);
    this.count = 0;
  }

  /** Becomes equal to another frame. */
  copy(from: TileFrame): void {
    this.has.set(from.has);
    this.value.set(from.value);
    this.stale.set(from.stale);
    this.since.set(from.since);
    this.count = from.count;
  }

  /**
   * Makes all cells unknown, because changes are missing.
   *
   * @param second the first second of which they are missing, since 1970
   */
  forget(second: number): void {
    for (let key = 0; key < TILE_CELLS; key++) {
      if (this.has[key] === 0 || this.value[key]! < 0) continue;
      this.value[key] = -1;
      this.stale[key] = 0;
      this.since[key] = second;
    }
  }

  /**
   * Applies changes up to a second. A change to the state that a cell has
   * already has no effect.
   *
   * @param changes those of each cell in order of time
   * @param toSecond seconds since 1970, included; later changes are left out
   * @param fromIndex the first change to apply
   */
  apply(changes: TileChanges, toSecond: number, fromIndex = 0): void {
    const { key, second, value, stale, length } = changes;
    for (let i = fromIndex; i < length; i++) {
      if (second[i]! > toSecond) continue;
      const k = key[i]!;
      if (this.has[k] === 0) {
        this.has[k] = 1;
        this.count++;
      } else if (
        this.value[k] === value[i] && this.stale[k] === stale[i]
      ) continue;
      this.value[k] = value[i]!;
      this.stale[k] = stale[i]!;
      this.since[k] = second[i]!;
    }
  }
}

/**
 * Encodes the states of a frame, without `since`; deflated.
 *
 * @param frame not changed
 */
export function encodeFrame(frame: TileFrame): Uint8Array<ArrayBuffer> {
  return pack(FRAME_FORMAT, (writer) => writeCells(writer, frame), true);
}

/**
 * Decodes a frame.
 *
 * @param bytes of {@linkcode encodeFrame}, from any source
 * @param into becomes the frame, with `since` NaN; empty if this throws
 * @throws {RangeError} if the bytes are not valid
 */
export function decodeFrame(bytes: Uint8Array, into: TileFrame): void {
  into.clear();
  try {
    const reader = unpack(bytes, FRAME_FORMAT, MAX_CELLS_BYTES);
    into.count = readCells(reader, into);
    expectEnd(reader);
  } catch (error) {
    into.clear();
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot read a frame: ${error.message}`);
  }
}

/** Writes which cells have a state, and their states. */
export function writeCells(writer: BinaryWriter, cells: CellColumns): void {
  writeBits(writer, cells.has, TILE_CELLS);
  let count = 0;
  for (let key = 0; key < TILE_CELLS; key++) {
    if (cells.has[key] === 0) continue;
    values[count] = cells.value[key]!;
    stales[count] = cells.stale[key]!;
    count++;
  }
  if (count > 0) writeStates(writer, values, stales, count);
}

/**
 * Reads what {@linkcode writeCells} wrote.
 *
 * @param into receives the states; 0 for cells without one
 * @returns the number of cells with a state
 * @throws {RangeError} if the bytes are not valid
 */
export function readCells(reader: BinaryReader, into: CellColumns): number {
  readBits(reader, into.has, 0, TILE_CELLS);
  let count = 0;
  for (let key = 0; key < TILE_CELLS; key++) count += into.has[key]!;
  if (count > 0) readStates(reader, values, stales, 0, count);
  for (let key = 0, row = 0; key < TILE_CELLS; key++) {
    const isThere = into.has[key] === 1;
    into.value[key] = isThere ? values[row]! : 0;
    into.stale[key] = isThere ? stales[row]! : 0;
    if (isThere) row++;
  }
  return count;
}
