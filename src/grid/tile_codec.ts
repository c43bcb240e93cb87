/**
 * Encodes a tile as bytes, and decodes it, for a store.
 *
 * Format 1, all numbers little-endian:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format: 1 |
 * | 4, 4 | tile coordinates tx, ty: int32, -2^26 to 2^26 - 1 |
 * | 2 | count of cells: uint16, 1 to 1024; 65535 for none |
 * | 2 each | the cells: uint16, see below |
 * | | four columns: value, order, time, revision; none without cells |
 *
 * A cell has its key (y % 32 * 32 + x % 32) in bits 0-9, and 1 + freshness in
 * bits 10-11.
 *
 * A column begins with its width in one byte. Width 8: one float64 for each
 * cell. Width 0, 1, 2 or 4: the smallest number as a float64, then for each
 * cell the difference to the smallest number, as an unsigned integer of that
 * width ("frame of reference"; Goldstein, Ramakrishnan, Shaft 1998). In a tile
 * of a thousand cells, each takes about 10 bytes.
 *
 * @module
 */

import { isMeta, metaKey } from "./cell_block.ts";
import { TILE_BITS, TILE_CELLS } from "./tiles.ts";

/** The only format that this module writes and reads. */
export const TILE_FORMAT = 1;

/**
 * The largest rank of a cell in first-seen order. Later cells share it: only a
 * layer whose cells are removed and reported again billions of times gets there.
 */
export const MAX_ORDER = 2 ** 32 - 2;

const HEADER_BYTES = 11;
/** A count that a few changed bits cannot make of another one. */
const NO_CELLS = 0xffff;
const TILE_LIMIT = 2 ** (31 - TILE_BITS);

/** Reusable columns with room for the cells of one full tile. */
export class TileColumns {
  /** Tile coordinates. */
  tx = 0;
  /** Tile coordinates. */
  ty = 0;
  /** Number of cells. */
  count = 0;
  /** Key and freshness, see `cell_block.ts`. */
  readonly meta: Uint16Array = new Uint16Array(TILE_CELLS);
  /** int32 */
  readonly value: Float64Array = new Float64Array(TILE_CELLS);
  /** uint32: the rank in first-seen order. */
  readonly order: Float64Array = new Float64Array(TILE_CELLS);
  /** ms since 1970 */
  readonly time: Float64Array = new Float64Array(TILE_CELLS);
  /** 1 or more */
  readonly revision: Float64Array = new Float64Array(TILE_CELLS);
  /** Bit k marks key k as present, to find duplicates while decoding. */
  readonly seen: Uint32Array = new Uint32Array(TILE_CELLS / 32);
}

/** Maximum size of an encoded tile: header, keys, four columns of float64. */
export const MAX_TILE_BYTES: number = HEADER_BYTES + 2 * TILE_CELLS +
  4 * (9 + 8 * TILE_CELLS);

/**
 * Encodes a tile.
 *
 * @param columns the cells; without cells, the tile replaces an earlier one
 * @param bytes destination, with room for {@linkcode MAX_TILE_BYTES}
 * @param from offset of the first byte
 * @returns the offset after the last byte
 * @throws {RangeError} if there is no room
 */
export function encodeTile(
  columns: TileColumns,
  bytes: Uint8Array,
  from: number,
): number {
  const { tx, ty, count, meta } = columns;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint8(from, TILE_FORMAT);
  view.setInt32(from + 1, tx, true);
  view.setInt32(from + 5, ty, true);
  view.setUint16(from + 9, count, true);
  let at = from + HEADER_BYTES;
  if (count === 0) {
    view.setUint16(from + 9, NO_CELLS, true);
    return at;
  }
  for (let i = 0; i < count; i++, at += 2) view.setUint16(at, meta[i]!, true);
  at = writeColumn(view, at, columns.value, count);
  at = writeColumn(view, at, columns.order, count);
  at = writeColumn(view, at, columns.time, count);
  return writeColumn(view, at, columns.revision, count);
}

/**
 * Decodes one tile among others.
 *
 * @param view over the bytes of {@linkcode encodeTile}; one view for all tiles
 * @param columns receives the cells; undefined content if this throws
 * @param from offset of the tile
 * @returns the offset after the tile
 * @throws {RangeError} if it is not a valid tile of format 1
 */
export function decodeTile(
  view: DataView,
  columns: TileColumns,
  from = 0,
): number {
  requireBytes(view, from, HEADER_BYTES);
  const format = view.getUint8(from);
  if (format !== TILE_FORMAT) {
    fail(`format ${format}, expected ${TILE_FORMAT}`);
  }
  columns.tx = view.getInt32(from + 1, true);
  columns.ty = view.getInt32(from + 5, true);
  if (!isTileCoordinate(columns.tx) || !isTileCoordinate(columns.ty)) {
    fail(`tile coordinates ${columns.tx},${columns.ty} out of range`);
  }
  const count = view.getUint16(from + 9, true);
  if (count === NO_CELLS) {
    columns.count = 0;
    return from + HEADER_BYTES;
  }
  if (count < 1 || count > TILE_CELLS) {
    fail(`${count} cells, expected 1 to ${TILE_CELLS}`);
  }
  columns.count = count;

  let at = from + HEADER_BYTES;
  requireBytes(view, at, 2 * count);
  for (let i = 0; i < count; i++, at += 2) {
    columns.meta[i] = view.getUint16(at, true);
  }
  at = readColumn(view, at, columns.value, count);
  at = readColumn(view, at, columns.order, count);
  at = readColumn(view, at, columns.time, count);
  at = readColumn(view, at, columns.revision, count);
  checkCells(columns);
  return at;
}

/** Writes a column in the smallest width; returns the offset after it. */
function writeColumn(
  view: DataView,
  at: number,
  numbers: Float64Array,
  count: number,
): number {
  let min = Infinity;
  let max = -Infinity;
  let integers = true;
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (number < min) min = number;
    if (number > max) max = number;
    integers &&= Number.isSafeInteger(number);
  }
  const width = integers ? widthOf(max - min) : 8;
  view.setUint8(at++, width);
  if (width !== 8) {
    view.setFloat64(at, min, true);
    at += 8;
  }
  // One loop for each width: a branch in the loop costs more than the write.
  if (width === 1) {
    for (let i = 0; i < count; i++) view.setUint8(at + i, numbers[i]! - min);
  } else if (width === 2) {
    for (let i = 0; i < count; i++) {
      view.setUint16(at + 2 * i, numbers[i]! - min, true);
    }
  } else if (width === 4) {
    for (let i = 0; i < count; i++) {
      view.setUint32(at + 4 * i, numbers[i]! - min, true);
    }
  } else if (width === 8) {
    for (let i = 0; i < count; i++) {
      view.setFloat64(at + 8 * i, numbers[i]!, true);
    }
  }
  return at + width * count;
}

/** The width in bytes for numbers from 0 to `range`. */
function widthOf(range: number): number {
  if (range === 0) return 0;
  if (range < 2 ** 8) return 1;
  if (range < 2 ** 16) return 2;
  return range < 2 ** 32 ? 4 : 8;
}

function readColumn(
  view: DataView,
  at: number,
  numbers: Float64Array,
  count: number,
): number {
  requireBytes(view, at, 1);
  const width = view.getUint8(at);
  if (width > 8 || (width & (width - 1)) !== 0) fail(`column width ${width}`);
  requireBytes(view, ++at, (width === 8 ? 0 : 8) + width * count);
  let base = 0;
  if (width !== 8) {
    base = view.getFloat64(at, true);
    at += 8;
  }
  if (width === 0) {
    // Faster than fill(): most tiles of a scattered map have one cell.
    for (let i = 0; i < count; i++) numbers[i] = base;
  } else if (width === 1) {
    for (let i = 0; i < count; i++) numbers[i] = base + view.getUint8(at + i);
  } else if (width === 2) {
    for (let i = 0; i < count; i++) {
      numbers[i] = base + view.getUint16(at + 2 * i, true);
    }
  } else if (width === 4) {
    for (let i = 0; i < count; i++) {
      numbers[i] = base + view.getUint32(at + 4 * i, true);
    }
  } else {
    for (let i = 0; i < count; i++) {
      numbers[i] = view.getFloat64(at + 8 * i, true);
    }
  }
  return at + width * count;
}

/** @throws {RangeError} if a cell is not valid or appears twice */
function checkCells(
  { count, meta, value, order, time, revision, seen }: TileColumns,
): void {
  if (count > 1) seen.fill(0);
  for (let i = 0; i < count; i++) {
    const key = metaKey(meta[i]!);
    const bit = 1 << (key & 31);
    if (!isMeta(meta[i]!)) fail(`cell ${i} has flags ${meta[i]}`);
    if (count > 1) {
      if ((seen[key >>> 5]! & bit) !== 0) fail(`cell ${i} appears twice`);
      seen[key >>> 5]! |= bit;
    }
    if (value[i] !== (value[i]! | 0)) fail(`value ${value[i]}`);
    if (order[i] !== order[i]! >>> 0 || order[i]! > MAX_ORDER) {
      fail(`order ${order[i]}`);
    }
    if (Number.isNaN(time[i])) fail("time NaN");
    if (!(Number.isSafeInteger(revision[i]) && revision[i]! > 0)) {
      fail(`revision ${revision[i]}`);
    }
  }
}

function isTileCoordinate(coordinate: number): boolean {
  return coordinate >= -TILE_LIMIT && coordinate < TILE_LIMIT;
}

function requireBytes(view: DataView, at: number, bytes: number): void {
  if (at + bytes > view.byteLength) {
    fail(`${view.byteLength} bytes, expected ${at + bytes} or more`);
  }
}

function fail(problem: string): never {
  throw new RangeError(`Cannot restore tile: ${problem}`);
}
