/**
 * Encodes cells column by column: similar numbers are adjacent, so they take
 * few bytes and compress well. The order of the cells is preserved.
 *
 * ```text
 * count          uint
 * positions      runs of neighbouring cells in a row, until there are count cells:
 *                  dx, dy  int32  from the first cell of the previous run (initially 0,0), mod 2^32
 *                  length  uint   1 or more; x increases by one per cell, mod 2^32
 * values         count × int32
 * stale          alternating runs of fresh and stale cells, fresh first: uint each
 * times          byte: 0 integers, 1 other numbers; then
 *                  0: count × int53, from the previous time (initially 0)
 *                  1: count × float64
 * ```
 *
 * @module
 */
import type { BinaryReader, BinaryWriter } from "./binary.ts";
import { type CellColumns, newColumns } from "./columns.ts";

/** The difference of two times up to this fits into int53. */
const MAX_TIME_MS = 2 ** 51;
const INTEGER_TIMES = 0;
const FLOAT_TIMES = 1;
/** Maximum number of cells to read; frames of this server have far fewer. */
const MAX_CELLS = 2 ** 20;
/** Minimum bytes of a cell: one of its value and one of its time. */
const MIN_CELL_BYTES = 2;

/**
 * Writes cells.
 *
 * @param cells `stale` must be 0 where the value is below 0
 */
export function writeCells(to: BinaryWriter, cells: CellColumns): void {
  to.uint(cells.length);
  writePositions(to, cells);
  for (let i = 0; i < cells.length; i++) to.int32(cells.value[i]!);
  writeStale(to, cells);
  writeTimes(to, cells);
}

/**
 * Reads what {@linkcode writeCells} wrote.
 *
 * @throws {RangeError} if the bytes are not valid
 */
export function readCells(from: BinaryReader): CellColumns {
  const length = from.uint();
  if (length > MAX_CELLS || length * MIN_CELL_BYTES > from.left) {
    throw new RangeError(`it is too short for ${length} cells`);
  }
  const cells = newColumns(length);
  cells.length = length;
  readPositions(from, cells);
  for (let i = 0; i < length; i++) cells.value[i] = from.int32();
  readStale(from, cells);
  readTimes(from, cells);
  return cells;
}

function writePositions(to: BinaryWriter, { length, x, y }: CellColumns): void {
  let lastX = 0;
  let lastY = 0;
  for (let start = 0; start < length;) {
    const runX = x[start]!;
    const runY = y[start]!;
    let end = start + 1;
    while (
      end < length && y[end] === runY && x[end] === (runX + end - start | 0)
    ) end++;
    to.int32(runX - lastX | 0);
    to.int32(runY - lastY | 0);
    to.uint(end - start);
    lastX = runX;
    lastY = runY;
    start = end;
  }
}

function readPositions(
  from: BinaryReader,
  { length, x, y }: CellColumns,
): void {
  let runX = 0;
  let runY = 0;
  for (let start = 0; start < length;) {
    runX = runX + from.int32() | 0;
    runY = runY + from.int32() | 0;
    const end = start + readRun(from, length - start, 1);
    for (let i = start; i < end; i++) {
      x[i] = runX + i - start; // the array wraps at 2^32
      y[i] = runY;
    }
    start = end;
  }
}

function writeStale(to: BinaryWriter, { length, stale }: CellColumns): void {
  let flag = 0;
  for (let start = 0; start < length;) {
    let end = start;
    while (end < length && stale[end] === flag) end++;
    to.uint(end - start);
    start = end;
    flag ^= 1;
  }
}

function readStale(
  from: BinaryReader,
  { length, value, stale }: CellColumns,
): void {
  let flag = 0;
  for (let start = 0; start < length; flag ^= 1) {
    // Only the first run may be empty, if the first cell is stale.
    const end = start +
      readRun(from, length - start, flag === 1 || start > 0 ? 1 : 0);
    for (let i = start; i < end; i++) stale[i] = value[i]! < 0 ? 0 : flag;
    start = end;
  }
}

function writeTimes(to: BinaryWriter, { length, time }: CellColumns): void {
  let last = 0;
  if (!areIntegers(time, length)) {
    to.byte(FLOAT_TIMES);
    for (let i = 0; i < length; i++) to.float64(time[i]!);
    return;
  }
  to.byte(INTEGER_TIMES);
  for (let i = 0; i < length; i++) {
    const next = time[i]!;
    to.int53(next - last);
    last = next;
  }
}

function readTimes(from: BinaryReader, { length, time }: CellColumns): void {
  const kind = from.byte();
  if (kind > FLOAT_TIMES) {
    throw new RangeError(`it has times of unknown kind ${kind}`);
  }
  let last = 0;
  for (let i = 0; i < length; i++) {
    time[i] = last = kind === FLOAT_TIMES
      ? from.float64()
      : last + from.int53();
  }
}

function areIntegers(time: Float64Array, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const one = time[i]!;
    if (!Number.isInteger(one) || Math.abs(one) > MAX_TIME_MS) return false;
  }
  return true;
}

function readRun(from: BinaryReader, left: number, minimum: number): number {
  const length = from.uint();
  if (length < minimum || length > left) {
    throw new RangeError(`it has a run of ${length} with ${left} cells left`);
  }
  return length;
}
