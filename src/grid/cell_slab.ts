/**
 * The memory of the cells: columns of typed arrays, given out in blocks.
 *
 * A tile owns one block of 2^k cells, k from 0 to 10, and trades it for one of twice the size when
 * it fills. A buddy allocator (Knowlton 1965) hands the blocks out: a block of 2^k cells lies at a
 * multiple of 2^k, a large one is halved when a small one is wanted, and freed halves ("buddies")
 * join again. So what tiles leave behind as they grow is used by the next ones, in any order of
 * growth, with no object and no buffer per block.
 *
 * @module
 */

/** The largest block has 2^MAX_SIZE_CLASS cells: a whole tile. */
export const MAX_SIZE_CLASS = 10;

/** Cells of a chunk: 1.6 MiB of columns. A chunk never moves, so growth copies nothing large. */
const CHUNK_BITS = 16;
const CHUNK_CELLS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_CELLS - 1;

/** The first chunk starts this small and doubles, so that a room with ten cells costs little. */
const FIRST_CAPACITY = 64;

/** No address: there can be no block there, since blocks of one cell end before it. */
const NONE = 0xffff_ffff;

/** In `meta`, above key and freshness: 1 + size class on the first cell of a free block. */
const FREE_SHIFT = 12;

/** 2^16 cells as columns (the first chunk of a slab may have fewer). */
export class CellChunk {
  /** Key and freshness of a cell, see `block.ts`; 0 where there is no cell. */
  meta: Uint16Array;
  /** The value last observed, also of a forgotten cell. */
  value: Int32Array;
  /** The rank of the coordinate in the order in which the layer first saw them. */
  order: Uint32Array;
  /** When it was observed, ms since 1970. */
  time: Float64Array;
  /** The revision of the map that last changed it. */
  revision: Float64Array;

  /** Columns of empty cells. */
  constructor(capacity: number) {
    this.meta = new Uint16Array(capacity);
    this.value = new Int32Array(capacity);
    this.order = new Uint32Array(capacity);
    this.time = new Float64Array(capacity);
    this.revision = new Float64Array(capacity);
  }

  /** Makes room for `capacity` cells; those there are stay where they are. */
  grow(capacity: number): void {
    const larger = new CellChunk(capacity);
    larger.meta.set(this.meta);
    larger.value.set(this.value);
    larger.order.set(this.order);
    larger.time.set(this.time);
    larger.revision.set(this.revision);
    Object.assign(this, larger);
  }

  /** Writes the cell at `from` of another (or the same) chunk to `to` of this one. */
  copyCell(to: number, source: CellChunk, from: number): void {
    this.meta[to] = source.meta[from]!;
    this.value[to] = source.value[from]!;
    this.order[to] = source.order[from]!;
    this.time[to] = source.time[from]!;
    this.revision[to] = source.revision[from]!;
  }

  /** Memory of the columns, bytes. */
  get bytes(): number {
    return this.meta.byteLength + this.value.byteLength +
      this.order.byteLength + this.time.byteLength + this.revision.byteLength;
  }
}

/**
 * Blocks of cells. An address is the number of a cell in the slab, 0 to 2^32 - 2: its chunk is
 * `chunkOf(address)` and its place there `offsetOf(address)`. A block lies in one chunk.
 */
export class CellSlab {
  readonly #chunks: CellChunk[] = [new CellChunk(FIRST_CAPACITY)];
  /** Of each size class, the first free block. Links to others are kept in the blocks. */
  readonly #free = new Uint32Array(MAX_SIZE_CLASS + 1).fill(NONE);
  /** Addresses from here on have never been given out. */
  #end = 0;

  /** The chunk that holds an address. It stays the same object for good. */
  chunkOf(address: number): CellChunk {
    return this.#chunks[address >>> CHUNK_BITS]!;
  }

  /** The place of an address in its chunk. */
  offsetOf(address: number): number {
    return address & CHUNK_MASK;
  }

  /** Memory of all columns, bytes. */
  get bytes(): number {
    let bytes = this.#free.byteLength;
    for (const chunk of this.#chunks) bytes += chunk.bytes;
    return bytes;
  }

  /**
   * Takes a block.
   *
   * @param sizeClass the block has 2^sizeClass cells, 0 to {@linkcode MAX_SIZE_CLASS}
   * @returns the address of its first cell; all its cells are empty
   * @throws {RangeError} when the slab would pass 2^32 - 1 cells (104 GiB)
   */
  allocate(sizeClass: number): number {
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

  /** Gives a block back. Its cells are emptied. */
  release(address: number, sizeClass: number): void {
    const { meta } = this.chunkOf(address);
    const offset = this.offsetOf(address);
    meta.fill(0, offset, offset + (1 << sizeClass));
    this.#join(address, sizeClass);
  }

  /** Takes a block that was never given out. */
  #extend(sizeClass: number): number {
    const cells = 1 << sizeClass;
    let gap = this.#end;
    const address = Math.ceil(gap / cells) * cells;
    if (address + cells > NONE) {
      throw new RangeError(`Cannot hold another cell: the slab has ${gap}`);
    }
    this.#end = address + cells;
    this.#reserve();
    // What is left out for alignment is free: blocks of 1, 2, 4... as they are aligned.
    while (gap < address) {
      const size = 31 - Math.clz32(gap & -gap);
      this.#join(gap, size);
      gap += 1 << size;
    }
    return address;
  }

  /** Has a chunk for every address below the end. */
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

  /** Frees an empty block, joined with its buddy for as long as that one is free too. */
  #join(address: number, sizeClass: number): void {
    while (sizeClass < MAX_SIZE_CLASS) {
      const buddy = (address ^ (1 << sizeClass)) >>> 0;
      // Beyond the end of the first chunk there is no tag to read, and no free block.
      const tag = this.chunkOf(buddy)?.meta[this.offsetOf(buddy)] ?? 0;
      if (tag >>> FREE_SHIFT !== sizeClass + 1) break;
      this.#unlink(buddy, sizeClass);
      address = Math.min(address, buddy);
      sizeClass++;
    }
    this.#link(address, sizeClass);
  }

  /** Puts an empty block first in the list of its class. */
  #link(address: number, sizeClass: number): void {
    const chunk = this.chunkOf(address);
    const offset = this.offsetOf(address);
    const next = this.#free[sizeClass]!;
    chunk.meta[offset] = (sizeClass + 1) << FREE_SHIFT;
    chunk.order[offset] = next;
    chunk.value[offset] = NONE; // the one before; -1 as int32
    if (next !== NONE) this.chunkOf(next).value[this.offsetOf(next)] = address;
    this.#free[sizeClass] = address;
  }

  /** Takes a block out of the list of its class. */
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
