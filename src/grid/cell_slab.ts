/**
 * Allocates the memory of cells: columns of typed arrays, in blocks.
 *
 * A tile owns one block of 2^k cells, k from 0 to 10, and replaces it by one of
 * twice the size when it is full. This is a buddy allocator (Knowlton 1965): a
 * block of 2^k cells starts at a multiple of 2^k; allocating a small block
 * splits a larger one, and freed halves ("buddies") join again. Growing tiles
 * reuse the memory that others left, without an object or a buffer for each
 * block.
 *
 * @module
 */

/** The size class of the largest block: a tile of 2^MAX_SIZE_CLASS cells. */
export const MAX_SIZE_CLASS = 10;

/**
 * Cells of a chunk: 1.6 MiB of columns. Chunks never move, so growing copies
 * little.
 */
const CHUNK_BITS = 16;
const CHUNK_CELLS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_CELLS - 1;

/** The first chunk starts small and doubles: a small layer needs few bytes. */
const FIRST_CAPACITY_CELLS = 64;

/** Memory of a cell in all columns: uint16, int32, uint32, two float64. */
export const CELL_BYTES = 26;

/** Not an address: all addresses are lower. */
const NONE = 0xffff_ffff;

/**
 * `meta` of the first cell of a free block: 1 + size class, above key and
 * freshness.
 */
const FREE_SHIFT = 12;

/** 2^16 cells as columns (the first chunk of a slab may have fewer). */
export class CellChunk {
  /** Key and freshness of a cell, see `cell_block.ts`; 0 without a cell. */
  meta: Uint16Array;
  /** The last observed value, also of a forgotten cell. */
  value: Int32Array;
  /** The rank of the coordinate in first-seen order. */
  order: Uint32Array;
  /** Time of observation, ms since 1970. */
  time: Float64Array;
  /** The revision of the map at the last change of the cell. */
  revision: Float64Array;

  /** @param capacity number of cells; all are empty */
  constructor(capacity: number) {
    this.meta = new Uint16Array(capacity);
    this.value = new Int32Array(capacity);
    this.order = new Uint32Array(capacity);
    this.time = new Float64Array(capacity);
    this.revision = new Float64Array(capacity);
  }

  /** Grows to `capacity` cells; existing cells keep their offsets. */
  grow(capacity: number): void {
    const larger = new CellChunk(capacity);
    larger.meta.set(this.meta);
    larger.value.set(this.value);
    larger.order.set(this.order);
    larger.time.set(this.time);
    larger.revision.set(this.revision);
    Object.assign(this, larger);
  }

  /** Copies the cell at `from` of a chunk to `to` of this one. */
  copyCell(to: number, source: CellChunk, from: number): void {
    this.meta[to] = source.meta[from]!;
    this.value[to] = source.value[from]!;
    this.order[to] = source.order[from]!;
    this.time[to] = source.time[from]!;
    this.revision[to] = source.revision[from]!;
  }

  /** Memory of the columns, in bytes. */
  get bytes(): number {
    return this.meta.byteLength + this.value.byteLength +
      this.order.byteLength + this.time.byteLength + this.revision.byteLength;
  }
}

/**
 * Blocks of cells. An address is the number of a cell in the slab, 0 to
 * 2^32 - 2; `chunkOf(address)` is its chunk, `offsetOf(address)` its offset
 * there. A block is within one chunk.
 */
export class CellSlab {
  readonly #chunks: CellChunk[] = [new CellChunk(FIRST_CAPACITY_CELLS)];
  /** The first free block of each size class; each links to the next. */
  readonly #free = new Uint32Array(MAX_SIZE_CLASS + 1).fill(NONE);
  /** The first address that was never allocated. */
  #end = 0;
  /** Number of cells in allocated blocks. */
  #allocated = 0;

  /** Returns the chunk of an address, always the same object. */
  chunkOf(address: number): CellChunk {
    return this.#chunks[address >>> CHUNK_BITS]!;
  }

  /** Returns the offset of an address in its chunk. */
  offsetOf(address: number): number {
    return address & CHUNK_MASK;
  }

  /** Memory of all columns, in bytes. */
  get bytes(): number {
    let bytes = this.#free.byteLength;
    for (const chunk of this.#chunks) bytes += chunk.bytes;
    return bytes;
  }

  /** The part of {@linkcode CellSlab.bytes} that is in use. */
  get usedBytes(): number {
    return this.#allocated * CELL_BYTES;
  }

  /**
   * Allocates a block.
   *
   * @param sizeClass the block has 2^sizeClass cells, 0 to
   * {@linkcode MAX_SIZE_CLASS}
   * @returns the address of its first cell; all cells are empty
   * @throws {RangeError} if the slab would exceed 2^32 - 1 cells (104 GiB)
   */
  allocate(sizeClass: number): number {
    this.#allocated += 1 << sizeClass;
    for (let larger = sizeClass; larger <= MAX_SIZE_CLASS; larger++) {
      const address = this.#free[larger]!;
      if (address === NONE) continue;
      this.#unlink(address, larger);
      while (larger > sizeClass) {
        larger--;
        this.#link(address + (1 << larger), larger);
      }
      return address;
    }
    return this.#extend(sizeClass);
  }

  /** Frees a block and empties its cells. */
  release(address: number, sizeClass: number): void {
    const { meta } = this.chunkOf(address);
    const offset = this.offsetOf(address);
    meta.fill(0, offset, offset + (1 << sizeClass));
    this.#allocated -= 1 << sizeClass;
    this.#join(address, sizeClass);
  }

  /** Allocates a block at the end of the slab. */
  #extend(sizeClass: number): number {
    const cells = 1 << sizeClass;
    let gap = this.#end;
    const address = Math.ceil(gap / cells) * cells;
    if (address + cells > NONE) {
      throw new RangeError(`Cannot hold another cell: the slab has ${gap}`);
    }
    this.#end = address + cells;
    this.#reserve();
    // The gap before an aligned block is free: blocks of 1, 2, 4... cells.
    while (gap < address) {
      const size = 31 - Math.clz32(gap & -gap);
      this.#join(gap, size);
      gap += 1 << size;
    }
    return address;
  }

  /** Makes sure that every address below the end has a chunk. */
  #reserve(): void {
    const first = this.#chunks[0]!;
    let capacity = first.meta.length;
    if (capacity < CHUNK_CELLS) {
      while (capacity < Math.min(this.#end, CHUNK_CELLS)) capacity *= 2;
      if (capacity > first.meta.length) first.grow(capacity);
    }
    if (this.#end > this.#chunks.length * CHUNK_CELLS) {
      this.#chunks.push(new CellChunk(CHUNK_CELLS));
    }
  }

  /** Frees an empty block, and joins it with its buddies that are free. */
  #join(address: number, sizeClass: number): void {
    while (sizeClass < MAX_SIZE_CLASS) {
      const buddy = (address ^ (1 << sizeClass)) >>> 0;
      // The first chunk may end before the buddy: then the buddy is not free.
      const tag = this.chunkOf(buddy)?.meta[this.offsetOf(buddy)] ?? 0;
      if (tag >>> FREE_SHIFT !== sizeClass + 1) break;
      this.#unlink(buddy, sizeClass);
      address = Math.min(address, buddy);
      sizeClass++;
    }
    this.#link(address, sizeClass);
  }

  /** Inserts an empty block at the front of the free list of its class. */
  #link(address: number, sizeClass: number): void {
    const chunk = this.chunkOf(address);
    const offset = this.offsetOf(address);
    const next = this.#free[sizeClass]!;
    chunk.meta[offset] = (sizeClass + 1) << FREE_SHIFT;
    chunk.order[offset] = next;
    chunk.value[offset] = NONE; // previous block; -1 as int32
    if (next !== NONE) this.chunkOf(next).value[this.offsetOf(next)] = address;
    this.#free[sizeClass] = address;
  }

  /** Removes a block from the free list of its class. */
  #unlink(address: number, sizeClass: number): void {
    const chunk = this.chunkOf(address);
    const offset = this.offsetOf(address);
    const next = chunk.order[offset]!;
    const previous = chunk.value[offset]! >>> 0;
    chunk.meta[offset] = 0;
    if (next !== NONE) {
      this.chunkOf(next).value[this.offsetOf(next)] = previous;
    }
    if (previous === NONE) this.#free[sizeClass] = next;
    else this.chunkOf(previous).order[this.offsetOf(previous)] = next;
  }
}
