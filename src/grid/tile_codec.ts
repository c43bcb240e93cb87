/**
 * A tile as bytes, for a store.
 *
 * Format 1, all numbers little-endian:
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format: 1 |
 * | 4, 4 | tile coordinates tx, ty: int32, -2^26 to 2^26 - 1 |
 * | 2 | count of cells: uint16, 1 to 1024 |
 * | 2 each | the cells: uint16, key (y % 32 * 32 + x % 32) in bits 0-9, 1 + freshness in bits 10-11 |
 * | | four columns: value, order, time, revision |
 *
 * A column is one byte of width. Width 8: a float64 for each cell. Width 0, 1, 2 or 4: a float64,
 * the least of the numbers, then for each cell an unsigned integer of that width, to be added to
 * it ("frame of reference"; Goldstein, Ramakrishnan, Shaft 1998). A thousand cells take about
 * 10 bytes each.
 *
 * @module
 */

import { isMeta, metaKey } from "./block.ts";
import { TILE_BITS, TILE_CELLS } from "./tiles.ts";

/** The format that this module writes, and the only one that it reads. */
export const TILE_FORMAT = 1;

/** One below the largest uint32, so that the next cell has an order too. */
const MAX_ORDER = 2 ** 32 - 2;

const HEADER_BYTES = 11;
const TILE_LIMIT = 2 ** (31 - TILE_BITS);

/** The cells of one tile as columns with room for a full one, to be used again and again. */
export class TileColumns {
  /** Tile coordinates. */
  tx = 0;
  /** Tile coordinates. */
  ty = 0;
  /** How many cells the columns hold. */
  count = 0;
  /** Key and freshness, see `block.ts`. */
  readonly meta: Uint16Array = new Uint16Array(TILE_CELLS);
  /** int32 */
  readonly value: Float64Array = new Float64Array(TILE_CELLS);
  /** uint32: the rank in first-seen order. */
  readonly order: Float64Array = new Float64Array(TILE_CELLS);
  /** ms since 1970 */
  readonly time: Float64Array = new Float64Array(TILE_CELLS);
  /** 1 or more */
  readonly revision: Float64Array = new Float64Array(TILE_CELLS);
  /** Bit k is set while keys are checked for being there twice. */
  readonly seen: Uint32Array = new Uint32Array(TILE_CELLS / 32);
}

/** The most that a tile takes: header, keys, and four columns of float64. */
export const MAX_TILE_BYTES: number = HEADER_BYTES + 2 * TILE_CELLS +
  4 * (9 + 8 * TILE_CELLS);

/**
 * Writes a tile.
 *
 * @param columns the cells, one or more
 * @param bytes where it goes, with room for {@linkcode MAX_TILE_BYTES}
 * @param from where it starts
 * @returns where it ends
 * @throws {RangeError} when there is no room
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
  for (let i = 0; i < count; i++, at += 2) view.setUint16(at, meta[i]!, true);
  at = writeColumn(view, at, columns.value, count);
  at = writeColumn(view, at, columns.order, count);
  at = writeColumn(view, at, columns.time, count);
  return writeColumn(view, at, columns.revision, count);
}

/**
 * Reads a tile, which may stand among others.
 *
 * @param view of what {@linkcode encodeTile} wrote: one serves for many tiles
 * @param columns where the cells go; of no use when this throws
 * @param from where the tile starts
 * @returns where it ends
 * @throws {RangeError} when there is no tile of format 1
 */
export function decodeTile(
  view: DataView,
  columns: TileColumns,
  from = 0,
): number {
  need(view, from, HEADER_BYTES);
  const format = view.getUint8(from);
  if (format !== TILE_FORMAT) {
    refuse(`format ${format}, expected ${TILE_FORMAT}`);
  }
  columns.tx = view.getInt32(from + 1, true);
  columns.ty = view.getInt32(from + 5, true);
  if (!isTileCoordinate(columns.tx) || !isTileCoordinate(columns.ty)) {
    refuse(`tile coordinates ${columns.tx},${columns.ty} out of range`);
  }
  const count = view.getUint16(from + 9, true);
  if (count < 1 || count > TILE_CELLS) {
    refuse(`${count} cells, expected 1 to ${TILE_CELLS}`);
  }
  columns.count = count;

  let at = from + HEADER_BYTES;
  need(view, at, 2 * count);
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

/** Writes a column in the least width; returns where it ends. */
function writeColumn(
  view: DataView,
  at: number,
  numbers: Float64Array,
  count: number,
): number {
  let least = Infinity;
  let most = -Infinity;
  let integers = true;
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (number < least) least = number;
    if (number > most) most = number;
    integers &&= Number.isSafeInteger(number);
  }
  const width = integers ? widthOf(most - least) : 8;
  view.setUint8(at++, width);
  if (width !== 8) {
    view.setFloat64(at, least, true);
    at += 8;
  }
  // One loop a width: a choice inside the loop would cost more than the write.
  if (width === 1) {
    for (let i = 0; i < count; i++) view.setUint8(at + i, numbers[i]! - least);
  } else if (width === 2) {
    for (let i = 0; i < count; i++) {
      view.setUint16(at + 2 * i, numbers[i]! - least, true);
    }
  } else if (width === 4) {
    for (let i = 0; i < count; i++) {
      view.setUint32(at + 4 * i, numbers[i]! - least, true);
    }
  } else if (width === 8) {
    for (let i = 0; i < count; i++) {
      view.setFloat64(at + 8 * i, numbers[i]!, true);
    }
  }
  return at + width * count;
}

/** The bytes that numbers of 0 to `range` need. */
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
  need(view, at, 1);
  const width = view.getUint8(at);
  if (width > 8 || (width & (width - 1)) !== 0) refuse(`column width ${width}`);
  need(view, ++at, (width === 8 ? 0 : 8) + width * count);
  let base = 0;
  if (width !== 8) {
    base = view.getFloat64(at, true);
    at += 8;
  }
  if (width === 0) {
    // Not fill(): most tiles of a scattered map have one cell.
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

/** Refuses columns that no grid could have written. */
function checkCells(
  { count, meta, value, order, time, revision, seen }: TileColumns,
): void {
  if (count > 1) seen.fill(0);
  for (let i = 0; i < count; i++) {
    const key = metaKey(meta[i]!);
    const bit = 1 << (key & 31);
    if (!isMeta(meta[i]!)) refuse(`cell ${i} has flags ${meta[i]}`);
    if (count > 1) {
      if ((seen[key >>> 5]! & bit) !== 0) refuse(`cell ${i} is there twice`);
      seen[key >>> 5]! |= bit;
    }
    if (value[i] !== (value[i]! | 0)) refuse(`value ${value[i]}`);
    if (order[i] !== order[i]! >>> 0 || order[i]! > MAX_ORDER) {
      refuse(`order ${order[i]}`);
    }
    if (Number.isNaN(time[i])) refuse("time NaN");
    if (!(Number.isSafeInteger(revision[i]) && revision[i]! > 0)) {
      refuse(`revision ${revision[i]}`);
    }
  }
}

function isTileCoordinate(coordinate: number): boolean {
  return coordinate >= -TILE_LIMIT && coordinate < TILE_LIMIT;
}

function need(view: DataView, at: number, bytes: number): void {
  if (at + bytes > view.byteLength) {
    refuse(`${view.byteLength} bytes, expected ${at + bytes} or more`);
  }
}

function refuse(problem: string): never {
  throw new RangeError(`Cannot restore tile: ${problem}`);
}
