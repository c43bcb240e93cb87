/**
 * Writes the cells of a layer in the format of the original Python scripts, in
 * slices.
 *
 * @module
 */
import { CellRows, type LayerSnapshot } from "../grid/mod.ts";
import { OriginalWriter } from "../protocol/mod.ts";

/** Shared by all replies: each tile is copied from it at once. */
const rows = new CellRows();

const FIRST_CAPACITY_CELLS = 1024;
/** Cells between two yields: less than a millisecond of work. */
const SLICE_CELLS = 8192;
/** Up to this many ranks, `sort()` takes less than a millisecond. */
const MAX_SORTED_AT_ONCE = 4096;
/** Ranks are sorted by 16 bits at a time. */
const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/** Cells as columns, with the ranks of their coordinates. */
interface Cells {
  length: number;
  x: Int32Array;
  y: Int32Array;
  value: Int32Array;
  order: Uint32Array;
}

/**
 * Writes the cells in the order in which their coordinates were first reported.
 * It yields after each slice, of about a millisecond.
 *
 * @param snapshot the cells; undefined for none
 * @returns the payload
 * @throws {SnapshotLostError} see `LayerSnapshot.readTile`
 */
export function* writeOriginal(
  snapshot: LayerSnapshot | undefined,
): Generator<void, Uint8Array> {
  const cells = newCells(FIRST_CAPACITY_CELLS);
  for (let count; (count = snapshot?.readTile(rows)) !== undefined;) {
    append(cells, count);
    yield;
  }
  const { x, y, value } = cells;
  const sequence = yield* sortedByOrder(cells);
  const writer = new OriginalWriter(cells.length);
  for (let i = 0; i < sequence.length; i++) {
    const index = sequence[i]!;
    writer.cell(x[index]!, y[index]!, value[index]!);
    if (i % SLICE_CELLS === SLICE_CELLS - 1) yield;
  }
  return writer.finish();
}

function newCells(capacity: number): Cells {
  return {
    length: 0,
    x: new Int32Array(capacity),
    y: new Int32Array(capacity),
    value: new Int32Array(capacity),
    order: new Uint32Array(capacity),
  };
}

/** Appends the first `count` rows. */
function append(cells: Cells, count: number): void {
  const { length } = cells;
  if (length + count > cells.x.length) {
    const larger = newCells(2 * (length + count));
    larger.x.set(cells.x);
    larger.y.set(cells.y);
    larger.value.set(cells.value);
    larger.order.set(cells.order);
    Object.assign(cells, larger);
  }
  cells.x.set(rows.x.subarray(0, count), length);
  cells.y.set(rows.y.subarray(0, count), length);
  cells.value.set(rows.value.subarray(0, count), length);
  cells.order.set(rows.order.subarray(0, count), length);
  cells.length = length + count;
}

/** Returns the indices of the cells in the order of their ranks. */
function* sortedByOrder(
  { length, order }: Cells,
): Generator<void, Uint32Array> {
  let indices = new Uint32Array(length);
  for (let i = 0; i < length; i++) indices[i] = i;
  if (length <= MAX_SORTED_AT_ONCE) {
    return indices.sort((a, b) => order[a]! - order[b]!);
  }
  // A radix sort, because it can be divided into slices.
  for (const shift of [0, DIGIT_BITS]) {
    const next = new Uint32Array(DIGITS + 1);
    for (let i = 0; i < length; i++) next[digit(order[i]!, shift) + 1]!++;
    yield;
    for (let i = 0; i < DIGITS; i++) next[i + 1]! += next[i]!;
    const sorted = new Uint32Array(length);
    for (let i = 0; i < length; i++) {
      const index = indices[i]!;
      sorted[next[digit(order[index]!, shift)]!++] = index;
      if (i % SLICE_CELLS === SLICE_CELLS - 1) yield;
    }
    indices = sorted;
  }
  return indices;
}

function digit(order: number, shift: number): number {
  return order >>> shift & (DIGITS - 1);
}
