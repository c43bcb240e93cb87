/**
 * A table of a layer's tiles, with a look-up by tile coordinates.
 *
 * Tiles have the numbers 0, 1, 2... in order of creation, and are never
 * removed. The records are in chunks of typed arrays that never move. A hash
 * table (open addressing, linear probing) maps coordinates to tile numbers.
 *
 * @module
 */

import { hashCoordinate } from "./coordinate_hash.ts";

/** No tile. */
export const NO_TILE = -1;

const CHUNK_BITS = 12;
const CHUNK_TILES = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_TILES - 1;
const GROUP_BITS = 6;
/** Tiles from a multiple of this number have a common minimum of `due`. */
export const GROUP_TILES: number = 1 << GROUP_BITS;
const FIRST_CAPACITY_TILES = 8;
/** Tiles moved to a new hash table with each new tile. */
const MOVED_PER_TILE = 4;

/**
 * A record is 8 words of 32 bits (half a cache line): six fields, then one
 * float64.
 */
const RECORD_BITS = 3;
const TX = 0;
const TY = 1;
const BLOCK = 2;
const INFO = 3;
const NEWER = 4;
const OLDER = 5;
const REVISION = 3; // in units of 64 bits: words 6 and 7

/**
 * INFO: count of cells in bits 0-10 (0 to 1024), size class in bits 11-14,
 * epoch in bits 16-31.
 */
const COUNT_MASK = 0x7ff;
const CLASS_SHIFT = 11;
const CLASS_MASK = 0xf;
const EPOCH_SHIFT = 16;
const BELOW_EPOCH_MASK = 0xffff;

class TileChunk {
  words: Int32Array;
  doubles: Float64Array;
  /** Separate from the records, because age() reads it for many tiles. */
  due: Float64Array;
  /** The minimum of `due` of each group of tiles. */
  groupDue: Float64Array;

  constructor(capacity: number) {
    const records = new ArrayBuffer(capacity << RECORD_BITS + 2);
    this.words = new Int32Array(records);
    this.doubles = new Float64Array(records);
    this.due = new Float64Array(capacity).fill(Infinity);
    this.groupDue = new Float64Array(Math.ceil(capacity / GROUP_TILES))
      .fill(Infinity);
  }
}

/** The records of a layer's tiles. Methods take numbers of existing tiles. */
export class TileTable {
  readonly #chunks: TileChunk[] = [new TileChunk(FIRST_CAPACITY_TILES)];
  /**
   * The hash table. An entry is 0 for a free slot. Otherwise the low bits, as
   * many as a slot number has, hold 1 + the tile number; the high bits hold
   * those of the hash, so that a look-up rarely reads the record of another
   * tile. The length is a power of two, at least twice the number of tiles.
   */
  #directory = new Int32Array(2 * FIRST_CAPACITY_TILES);
  /**
   * The hash table before it was doubled, until all tiles are in the new one:
   * moving millions at once would take seconds (as in Redis).
   */
  #previous: Int32Array | undefined;
  /** The tiles before this one are in the new table, and all newer than it. */
  #moved = 0;
  #length = 0;

  /** Number of tiles. */
  get length(): number {
    return this.#length;
  }

  /** Memory of records and hash table, in bytes. */
  get bytes(): number {
    let bytes = this.#directory.byteLength + (this.#previous?.byteLength ?? 0);
    for (const { words, due, groupDue } of this.#chunks) {
      bytes += words.byteLength + due.byteLength + groupDue.byteLength;
    }
    return bytes;
  }

  /** Returns the tile at tile coordinates, or {@linkcode NO_TILE}. */
  find(tx: number, ty: number): number {
    const tile = this.#findIn(this.#directory, tx, ty);
    return tile !== NO_TILE || this.#previous === undefined
      ? tile
      : this.#findIn(this.#previous, tx, ty);
  }

  /**
   * Creates the record of a new tile: no cells, revision 0, in no list.
   *
   * @returns the number of the tile
   */
  add(tx: number, ty: number): number {
    const tile = this.#length++;
    // At most half of the slots are used, to keep probes short: 8 to 16 bytes a
    // tile.
    if (this.#length * 2 > this.#directory.length) {
      this.#previous = this.#directory;
      this.#directory = new Int32Array(this.#directory.length * 2);
      this.#moved = 0;
    }
    this.moveSome(MOVED_PER_TILE);
    this.#enter(tile, tx, ty);
    this.#reserve();
    const words = this.#words(tile);
    const record = recordOffset(tile);
    words[record + TX] = tx;
    words[record + TY] = ty;
    words[record + NEWER] = NO_TILE;
    words[record + OLDER] = NO_TILE;
    return tile;
  }

  /** Moves tiles to the new hash table, if it was doubled. */
  moveSome(count: number): void {
    if (this.#previous === undefined) return;
    // As many tiles as the previous table had at most.
    const end = this.#previous.length / 2;
    const to = Math.min(this.#moved + count, end);
    for (; this.#moved < to; this.#moved++) {
      this.#enter(this.#moved, this.tx(this.#moved), this.ty(this.#moved));
    }
    if (this.#moved === end) this.#previous = undefined;
  }

  /** The x tile coordinate: x >> 5 of every cell of the tile. */
  tx(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + TX]!;
  }

  /** The y tile coordinate: y >> 5 of every cell of the tile. */
  ty(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + TY]!;
  }

  /** The address in the slab of the block with the cells. */
  block(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + BLOCK]! >>> 0;
  }

  /** The size class of the block, which has 2^sizeClass slots. */
  sizeClass(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + INFO]! >>> CLASS_SHIFT &
      CLASS_MASK;
  }

  /** Sets the block and its size class. */
  setBlock(tile: number, block: number, sizeClass: number): void {
    const words = this.#words(tile);
    const info = recordOffset(tile) + INFO;
    words[recordOffset(tile) + BLOCK] = block;
    words[info] = words[info]! & ~(CLASS_MASK << CLASS_SHIFT) |
      sizeClass << CLASS_SHIFT;
  }

  /** Number of cells in the tile, 0 to 1024. */
  count(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + INFO]! & COUNT_MASK;
  }

  /** Adds to the number of cells. */
  addCount(tile: number, cells: number): void {
    this.#words(tile)[recordOffset(tile) + INFO]! += cells;
  }

  /** The epoch of its last change, 0 to 65,535, see `frozen_tiles.ts`. */
  epoch(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + INFO]! >>> EPOCH_SHIFT;
  }

  /** Sets {@linkcode TileTable.epoch}. */
  setEpoch(tile: number, epoch: number): void {
    const words = this.#words(tile);
    const info = recordOffset(tile) + INFO;
    words[info] = words[info]! & BELOW_EPOCH_MASK | epoch << EPOCH_SHIFT;
  }

  /**
   * The newest revision of the cells, or that of the last removal of one if it
   * is later and the tile was not restored since; 0 for a new tile.
   */
  revision(tile: number): number {
    return this.#chunks[tile >>> CHUNK_BITS]!
      .doubles[((tile & CHUNK_MASK) << RECORD_BITS - 1) + REVISION]!;
  }

  /** Sets {@linkcode TileTable.revision}. */
  setRevision(tile: number, revision: number): void {
    this.#chunks[tile >>> CHUNK_BITS]!
      .doubles[((tile & CHUNK_MASK) << RECORD_BITS - 1) + REVISION] = revision;
  }

  /** All cells keep their freshness up to this time, ms since 1970. */
  due(tile: number): number {
    return this.#chunks[tile >>> CHUNK_BITS]!.due[tile & CHUNK_MASK]!;
  }

  /** Sets {@linkcode TileTable.due}. */
  setDue(tile: number, due: number): void {
    const chunk = this.#chunks[tile >>> CHUNK_BITS]!;
    const index = tile & CHUNK_MASK;
    const before = chunk.due[index]!;
    chunk.due[index] = due;
    const group = index >>> GROUP_BITS;
    const minimum = chunk.groupDue[group]!;
    if (due <= minimum) chunk.groupDue[group] = due;
    else if (before === minimum) chunk.groupDue[group] = groupDue(chunk, index);
  }

  /** The minimum of `due` of the tiles of the group that a tile is in. */
  groupDue(tile: number): number {
    return this.#chunks[tile >>> CHUNK_BITS]!
      .groupDue[(tile & CHUNK_MASK) >>> GROUP_BITS]!;
  }

  /**
   * The next newer tile in the list of changes (`change_list.ts`), or
   * {@linkcode NO_TILE}.
   */
  newer(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + NEWER]!;
  }

  /** Sets {@linkcode TileTable.newer}. */
  setNewer(tile: number, newer: number): void {
    this.#words(tile)[recordOffset(tile) + NEWER] = newer;
  }

  /** The next older tile in that list, or {@linkcode NO_TILE}. */
  older(tile: number): number {
    return this.#words(tile)[recordOffset(tile) + OLDER]!;
  }

  /** Sets {@linkcode TileTable.older}. */
  setOlder(tile: number, older: number): void {
    this.#words(tile)[recordOffset(tile) + OLDER] = older;
  }

  #words(tile: number): Int32Array {
    return this.#chunks[tile >>> CHUNK_BITS]!.words;
  }

  #findIn(directory: Int32Array, tx: number, ty: number): number {
    const mask = directory.length - 1;
    const mixed = hashCoordinate(tx, ty);
    for (let slot = mixed & mask;; slot = (slot + 1) & mask) {
      const entry = directory[slot]!;
      if (entry === 0) return NO_TILE;
      if (((entry ^ mixed) & ~mask) !== 0) continue;
      const tile = (entry & mask) - 1;
      const words = this.#words(tile);
      const record = recordOffset(tile);
      if (words[record + TX] === tx && words[record + TY] === ty) return tile;
    }
  }

  #enter(tile: number, tx: number, ty: number): void {
    const mask = this.#directory.length - 1;
    const mixed = hashCoordinate(tx, ty);
    let slot = mixed & mask;
    while (this.#directory[slot] !== 0) slot = (slot + 1) & mask;
    this.#directory[slot] = mixed & ~mask | tile + 1;
  }

  /** Makes sure that every tile has a chunk. */
  #reserve(): void {
    const first = this.#chunks[0]!;
    const capacity = first.due.length;
    if (capacity < CHUNK_TILES && this.#length > capacity) {
      const larger = new TileChunk(2 * capacity);
      larger.words.set(first.words);
      larger.due.set(first.due);
      larger.groupDue.set(first.groupDue);
      this.#chunks[0] = larger;
    } else if (this.#length > this.#chunks.length * CHUNK_TILES) {
      this.#chunks.push(new TileChunk(CHUNK_TILES));
    }
  }
}

/** Returns the index of the first word of a record in its chunk. */
function recordOffset(tile: number): number {
  return (tile & CHUNK_MASK) << RECORD_BITS;
}

/**
 * Returns the minimum of `due` of the group of a tile whose `due` has risen from
 * the minimum.
 */
function groupDue({ due, groupDue }: TileChunk, index: number): number {
  const group = index >>> GROUP_BITS;
  const before = groupDue[group]!;
  const start = group << GROUP_BITS;
  const length = Math.min(GROUP_TILES, due.length - start);
  let minimum = Infinity;
  // From the next tile: when all are aged one by one, it has the minimum often.
  for (let i = 1; i <= length; i++) {
    const other = due[start + (index + i) % length]!;
    if (other < minimum) minimum = other;
    if (minimum === before) break;
  }
  return minimum;
}
