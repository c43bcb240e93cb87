/**
 * The tiles of a layer: one fixed record each, found by their coordinates.
 *
 * A tile is known by its number, 0, 1, 2... in the order in which they were made; tiles are never
 * removed. The records lie in chunks of typed arrays that never move; a hash table of numbers
 * (open addressing, linear probing) leads from coordinates to records.
 *
 * @module
 */

import { hashCoordinate } from "./coordinate_hash.ts";

/** No tile. */
export const NO_TILE = -1;

const CHUNK_BITS = 12;
const CHUNK_TILES = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_TILES - 1;
const FIRST_CAPACITY = 8;

/** A record is 8 words of 32 bits (half a cache line): six fields, then one float64. */
const RECORD_BITS = 3;
const TX = 0;
const TY = 1;
const BLOCK = 2;
const INFO = 3;
const NEWER = 4;
const OLDER = 5;
const REVISION = 3; // in units of 64 bits: words 6 and 7

/** INFO: count of cells in bits 0-10 (0 to 1024), size class in bits 11-14, dirty in bit 15, saving in 16. */
const COUNT_MASK = 0x7ff;
const CLASS_SHIFT = 11;
const CLASS_MASK = 0xf;
const DIRTY = 0x8000;
const SAVING = 0x1_0000;

class TileChunk {
  words: Int32Array;
  doubles: Float64Array;
  /** Apart from the records, since age() reads this one of every tile. */
  due: Float64Array;

  constructor(capacity: number) {
    const records = new ArrayBuffer(capacity << RECORD_BITS + 2);
    this.words = new Int32Array(records);
    this.doubles = new Float64Array(records);
    this.due = new Float64Array(capacity);
  }
}

/** The records of a layer's tiles. Numbers given to its methods must be those of tiles. */
export class TileTable {
  readonly #chunks: TileChunk[] = [new TileChunk(FIRST_CAPACITY)];
  /**
   * 0, or in the low bits (those of a slot number) 1 + the number of a tile, and in the others
   * the same bits of its hash: a look-up seldom reads the record of another tile. The length is a
   * power of two, and at least twice the number of tiles.
   */
  #directory = new Int32Array(2 * FIRST_CAPACITY);
  #length = 0;

  /** How many tiles there are. */
  get length(): number {
    return this.#length;
  }

  /** Memory of records and hash table, bytes. */
  get bytes(): number {
    let bytes = this.#directory.byteLength;
    for (const { words, due } of this.#chunks) {
      bytes += words.byteLength + due.byteLength;
    }
    return bytes;
  }

  /** The number of the tile at these tile coordinates, or {@linkcode NO_TILE}. */
  find(tx: number, ty: number): number {
    const directory = this.#directory;
    const mask = directory.length - 1;
    const mixed = hashCoordinate(tx, ty);
    for (let slot = mixed & mask;; slot = (slot + 1) & mask) {
      const entry = directory[slot]!;
      if (entry === 0) return NO_TILE;
      if (((entry ^ mixed) & ~mask) !== 0) continue;
      const tile = (entry & mask) - 1;
      const words = this.#words(tile);
      const record = at(tile);
      if (words[record + TX] === tx && words[record + TY] === ty) return tile;
    }
  }

  /**
   * Makes the record of a tile that is not there yet: no cells, revision 0, in no list.
   *
   * @returns its number
   */
  add(tx: number, ty: number): number {
    const tile = this.#length++;
    // At most every other slot is taken: probes stay short, for 8 to 16 bytes a tile.
    if (this.#length * 2 > this.#directory.length) {
      this.#directory = new Int32Array(this.#directory.length * 2);
      for (let other = 0; other < tile; other++) {
        this.#enter(other, this.tx(other), this.ty(other));
      }
    }
    this.#enter(tile, tx, ty);
    this.#reserve();
    const words = this.#words(tile);
    const record = at(tile);
    words[record + TX] = tx;
    words[record + TY] = ty;
    words[record + NEWER] = NO_TILE;
    words[record + OLDER] = NO_TILE;
    this.setDue(tile, Infinity);
    return tile;
  }

  /** Its column of tiles: x of its cells >> 5. */
  tx(tile: number): number {
    return this.#words(tile)[at(tile) + TX]!;
  }

  /** Its row of tiles: y of its cells >> 5. */
  ty(tile: number): number {
    return this.#words(tile)[at(tile) + TY]!;
  }

  /** The address of its block in the slab. */
  block(tile: number): number {
    return this.#words(tile)[at(tile) + BLOCK]! >>> 0;
  }

  /** Its block has 2^sizeClass slots. */
  sizeClass(tile: number): number {
    return this.#words(tile)[at(tile) + INFO]! >>> CLASS_SHIFT & CLASS_MASK;
  }

  /** Gives it a block. */
  setBlock(tile: number, block: number, sizeClass: number): void {
    const words = this.#words(tile);
    const info = at(tile) + INFO;
    words[at(tile) + BLOCK] = block;
    words[info] = words[info]! & ~(CLASS_MASK << CLASS_SHIFT) |
      sizeClass << CLASS_SHIFT;
  }

  /** How many cells it has, 0 to 1024. */
  count(tile: number): number {
    return this.#words(tile)[at(tile) + INFO]! & COUNT_MASK;
  }

  /** Counts `cells` more. */
  addCount(tile: number, cells: number): void {
    this.#words(tile)[at(tile) + INFO]! += cells;
  }

  /** Whether it was written since it was last saved. */
  dirty(tile: number): boolean {
    return (this.#words(tile)[at(tile) + INFO]! & DIRTY) !== 0;
  }

  /** Sets whether it was written since it was last saved. */
  setDirty(tile: number, dirty: boolean): void {
    this.#setFlag(tile, DIRTY, dirty);
  }

  /** Whether a save under way has yet to take it, as it is now. */
  saving(tile: number): boolean {
    return (this.#words(tile)[at(tile) + INFO]! & SAVING) !== 0;
  }

  /** Sets whether a save under way has yet to take it. */
  setSaving(tile: number, saving: boolean): void {
    this.#setFlag(tile, SAVING, saving);
  }

  /** The newest revision of its cells, 0 before the first. */
  revision(tile: number): number {
    return this.#chunks[tile >>> CHUNK_BITS]!
      .doubles[((tile & CHUNK_MASK) << RECORD_BITS - 1) + REVISION]!;
  }

  /** Sets the newest revision of its cells. */
  setRevision(tile: number, revision: number): void {
    this.#chunks[tile >>> CHUNK_BITS]!
      .doubles[((tile & CHUNK_MASK) << RECORD_BITS - 1) + REVISION] = revision;
  }

  /** No cell of it changes freshness before the clock has passed this, ms since 1970. */
  due(tile: number): number {
    return this.#chunks[tile >>> CHUNK_BITS]!.due[tile & CHUNK_MASK]!;
  }

  /** Sets the bound. */
  setDue(tile: number, due: number): void {
    this.#chunks[tile >>> CHUNK_BITS]!.due[tile & CHUNK_MASK] = due;
  }

  /** The tile that changed after it (see `change_list.ts`), or {@linkcode NO_TILE}. */
  newer(tile: number): number {
    return this.#words(tile)[at(tile) + NEWER]!;
  }

  /** Sets the tile that changed after it. */
  setNewer(tile: number, newer: number): void {
    this.#words(tile)[at(tile) + NEWER] = newer;
  }

  /** The tile that changed before it, or {@linkcode NO_TILE}. */
  older(tile: number): number {
    return this.#words(tile)[at(tile) + OLDER]!;
  }

  /** Sets the tile that changed before it. */
  setOlder(tile: number, older: number): void {
    this.#words(tile)[at(tile) + OLDER] = older;
  }

  #setFlag(tile: number, flag: number, on: boolean): void {
    const words = this.#words(tile);
    const info = at(tile) + INFO;
    words[info] = on ? words[info]! | flag : words[info]! & ~flag;
  }

  #words(tile: number): Int32Array {
    return this.#chunks[tile >>> CHUNK_BITS]!.words;
  }

  #enter(tile: number, tx: number, ty: number): void {
    const mask = this.#directory.length - 1;
    const mixed = hashCoordinate(tx, ty);
    let slot = mixed & mask;
    while (this.#directory[slot] !== 0) slot = (slot + 1) & mask;
    this.#directory[slot] = mixed & ~mask | tile + 1;
  }

  /** Has a chunk for every tile. */
  #reserve(): void {
    const first = this.#chunks[0]!;
    const capacity = first.due.length;
    if (capacity < CHUNK_TILES && this.#length > capacity) {
      const larger = new TileChunk(2 * capacity);
      larger.words.set(first.words);
      larger.due.set(first.due);
      this.#chunks[0] = larger;
    } else if (this.#length > this.#chunks.length * CHUNK_TILES) {
      this.#chunks.push(new TileChunk(CHUNK_TILES));
    }
  }
}

/** The first word of a record in its chunk. */
function at(tile: number): number {
  return (tile & CHUNK_MASK) << RECORD_BITS;
}
