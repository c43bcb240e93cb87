/**
 * Cells as bytes, column by column: what is alike stands together, so that it
 * takes little room and deflates well. The order of the cells is kept.
 *
 * ```text
 * count          uint
 * positions      runs of cells beside each other in a row, until there are count:
 *                  dx, dy  int32  from the first cell of the run before (0,0 at first), mod 2^32
 *                  length  uint   1 or more; x counts up, mod 2^32
 * values         count × int32
 * stale          runs of fresh and stale cells by turns, fresh first, until there are count: uint
 * times          byte: 0 whole ms, 1 others; then
 *                  0: count × int53, from the time before (0 at first)
 *                  1: count × float64
 * ```
 *
 * @module
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { type CellColumns, newColumns, STALE, statusOf } from "./columns.ts";

/** Whole times within this have differences that int53 has room for. */
const MOST_TIME = 2 ** 51;
const WHOLE = 0;
const ANY = 1;
/** More cells than this are not read: a frame has far fewer. */
const MOST_CELLS = 2 ** 20;
/** The fewest bytes that a cell takes: one of its value, one of its time. */
const LEAST_BYTES = 2;

/**
 * Writes cells.
 *
 * @param cells their `status` must be what {@linkcode statusOf} says
 */
export function writeCells(to: ByteWriter, cells: CellColumns): void {
  to.uint(cells.length);
  writePositions(to, cells);
  for (let i = 0; i < cells.length; i++) to.int32(cells.value[i]!);
  writeStale(to, cells);
  writeTimes(to, cells);
}

/**
 * Reads what {@linkcode writeCells} wrote.
 *
 * @throws {RangeError} if it is not that
 */
export function readCells(from: ByteReader): CellColumns {
  const length = from.uint();
  if (length > MOST_CELLS || length * LEAST_BYTES > from.left) {
    throw new RangeError(`it has no room for its ${length} cells`);
  }
  const cells = newColumns(length);
  cells.length = length;
  readPositions(from, cells);
  for (let i = 0; i < length; i++) cells.value[i] = from.int32();
  readStatus(from, cells);
  readTimes(from, cells);
  return cells;
}

function writePositions(to: ByteWriter, { length, x, y }: CellColumns): void {
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

function readPositions(from: ByteReader, { length, x, y }: CellColumns): void {
  let runX = 0;
  let runY = 0;
  for (let start = 0; start < length;) {
    runX = runX + from.int32() | 0;
    runY = runY + from.int32() | 0;
    const end = start + runOf(from, length - start, 1);
    for (let i = start; i < end; i++) {
      x[i] = runX + i - start; // wraps as it is stored
      y[i] = runY;
    }
    start = end;
  }
}

function writeStale(to: ByteWriter, { length, status }: CellColumns): void {
  let stale = 0;
  for (let start = 0; start < length;) {
    let end = start;
    while (end < length && (status[end]! & STALE) === stale) end++;
    to.uint(end - start);
    start = end;
    stale ^= STALE;
  }
}

function readStatus(
  from: ByteReader,
  { length, value, status }: CellColumns,
): void {
  let stale = false;
  for (let start = 0; start < length; stale = !stale) {
    // Only the first run may be empty: if the first cell is stale.
    const end = start + runOf(from, length - start, stale || start > 0 ? 1 : 0);
    for (let i = start; i < end; i++) status[i] = statusOf(value[i]!, stale);
    start = end;
  }
}

function writeTimes(to: ByteWriter, { length, time }: CellColumns): void {
  let last = 0;
  if (!areWhole(time, length)) {
    to.byte(ANY);
    for (let i = 0; i < length; i++) to.float64(time[i]!);
    return;
  }
  to.byte(WHOLE);
  for (let i = 0; i < length; i++) {
    const next = time[i]!;
    to.int53(next - last);
    last = next;
  }
}

function readTimes(from: ByteReader, { length, time }: CellColumns): void {
  const kind = from.byte();
  if (kind > ANY) throw new RangeError(`it has times of kind ${kind}`);
  let last = 0;
  for (let i = 0; i < length; i++) {
    time[i] = last = kind === ANY ? from.float64() : last + from.int53();
  }
}

function areWhole(time: Float64Array, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const one = time[i]!;
    if (!Number.isInteger(one) || Math.abs(one) > MOST_TIME) return false;
  }
  return true;
}

function runOf(from: ByteReader, most: number, least: number): number {
  const length = from.uint();
  if (length < least || length > most) {
    throw new RangeError(`it has a run of ${length} where ${most} are left`);
  }
  return length;
}
