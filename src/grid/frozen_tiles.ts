/**
 * Keeps tiles of a layer as they were at one moment, for readers that read them
 * in slices while the layer changes ("copy on write").
 *
 * @module
 */

import type { TileBits } from "./tile_bits.ts";
import { encodeTile, TileColumns } from "./tile_codec.ts";
import type { TileCopies } from "./tile_copies.ts";
import { NO_TILE, type TileTable } from "./tile_table.ts";

/** Shared by all layers: one tile is encoded before the next. */
const columns = new TileColumns();

/** Tiles have an epoch of 16 bits. */
const MAX_EPOCH = 0xffff;

/** Addresses of copies are in pages, made when they are needed. */
const PAGE_BITS = 10;
const PAGE_ADDRESSES = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_ADDRESSES - 1;

/** Some tiles of a layer; an array is ascending. */
type Selection = Int32Array | TileBits;

/**
 * Some tiles of a layer as they were at one moment, in ascending order. Each is
 * kept until {@linkcode FrozenTiles.advance} moves past it.
 */
export class FrozenTiles {
  /** Tiles have an index below this: in the array, or else their number. */
  readonly #end: number;
  /** The tiles, ascending. */
  readonly #array: Int32Array | undefined;
  /** Which numbers are those of the tiles; undefined if it is all of them. */
  readonly #bits: TileBits | undefined;
  readonly #copies: TileCopies;
  readonly #onCopy: () => void;
  /** The copies of changed tiles, by index; 0: no copy. */
  readonly #pages: (Uint32Array | undefined)[] = [];
  #pageBytes = 0;
  /** The index of the current tile. */
  #read: number;
  #copiedBytes = 0;

  /**
   * For {@linkcode CopyOnWrite.freeze} only.
   *
   * @param copies where the copies are
   * @param length the number of tiles of the layer
   * @param selected which ones; undefined for all
   * @param onCopy called after each copy
   */
  constructor(
    copies: TileCopies,
    length: number,
    selected: Selection | undefined,
    onCopy: () => void,
  ) {
    this.#copies = copies;
    this.#onCopy = onCopy;
    if (selected instanceof Int32Array) this.#array = selected;
    else this.#bits = selected;
    this.#end = this.#array?.length ?? length;
    this.#read = this.#indexFrom(0);
  }

  /** The tile to read next, or `NO_TILE` after the last one. */
  get current(): number {
    return this.#read < this.#end ? this.#at(this.#read) : NO_TILE;
  }

  /**
   * The current tile as `encodeTile` wrote it before it changed; undefined if
   * it has not changed. Valid until {@linkcode FrozenTiles.advance}.
   */
  get copy(): Uint8Array<ArrayBuffer> | undefined {
    const address = this.#address(this.#read);
    return address === 0 ? undefined : this.#copies.read(address);
  }

  /** Memory of the copies, in bytes. */
  get bytes(): number {
    return this.#pageBytes + this.#copiedBytes;
  }

  /** Moves to the next tile. */
  advance(): void {
    const before = this.#read;
    const page = this.#pages[before >>> PAGE_BITS];
    this.#read = this.#indexFrom(before + 1);
    if (page === undefined) return;
    this.#release(page, before & PAGE_MASK);
    const isLeft = this.#read >>> PAGE_BITS !== before >>> PAGE_BITS;
    if (isLeft) this.#drop(before >>> PAGE_BITS, page);
  }

  /** Moves past the last tile. */
  skipAll(): void {
    for (const [number, page] of this.#pages.entries()) {
      if (page === undefined) continue;
      for (let i = 0; i < page.length; i++) this.#release(page, i);
      this.#drop(number, page);
    }
    this.#read = this.#end;
  }

  /** Returns true if a tile is still to be read, and has no copy. */
  needs(tile: number): boolean {
    const index = this.#indexOf(tile);
    return index >= 0 && this.#address(index) === 0;
  }

  /** Keeps the copy of a tile that it needs. */
  keep(tile: number, address: number): void {
    const index = this.#indexOf(tile);
    this.#page(index >>> PAGE_BITS)[index & PAGE_MASK] = address;
    this.#copiedBytes += this.#copies.read(address).length;
    this.#onCopy();
  }

  #address(index: number): number {
    return this.#pages[index >>> PAGE_BITS]?.[index & PAGE_MASK] ?? 0;
  }

  #page(number: number): Uint32Array {
    const present = this.#pages[number];
    if (present !== undefined) return present;
    const left = this.#end - number * PAGE_ADDRESSES;
    const page = new Uint32Array(Math.min(PAGE_ADDRESSES, left));
    this.#pageBytes += page.byteLength;
    return this.#pages[number] = page;
  }

  #drop(number: number, page: Uint32Array): void {
    this.#pages[number] = undefined;
    this.#pageBytes -= page.byteLength;
  }

  #release(page: Uint32Array, at: number): void {
    const address = page[at]!;
    if (address === 0) return;
    this.#copiedBytes -= this.#copies.read(address).length;
    page[at] = 0;
    this.#copies.release(address);
  }

  /** Returns the first index of a tile that is not below an index. */
  #indexFrom(index: number): number {
    if (this.#bits === undefined) return index;
    const tile = this.#bits.next(index);
    return tile === NO_TILE ? this.#end : tile;
  }

  #at(index: number): number {
    return this.#array === undefined ? index : this.#array[index]!;
  }

  /** Searches a tile among the unread ones. Returns its index, or -1. */
  #indexOf(tile: number): number {
    let low = this.#read;
    let high = this.#end - 1;
    if (low > high) return -1;
    if (this.#array === undefined) {
      const isUnread = tile >= low && tile <= high;
      return isUnread && (this.#bits?.has(tile) ?? true) ? tile : -1;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#array[middle]! < tile) low = middle + 1;
      else high = middle;
    }
    return this.#array[low] === tile ? low : -1;
  }
}

/** The tiles of a layer and their cells. */
interface TileSource {
  readonly tiles: TileTable;
  /** Copies the cells of a tile into columns. */
  read(tile: number, columns: TileColumns): void;
}

/**
 * The readers of one layer. A tile is copied before its first change since the
 * last reader began, if a reader needs it; otherwise a change costs one
 * comparison.
 *
 * All code that changes or removes cells of a tile must call
 * {@linkcode CopyOnWrite.copyBeforeWrite} first.
 */
export class CopyOnWrite {
  readonly #source: TileSource;
  readonly #tiles: TileTable;
  readonly #copies: TileCopies;
  readonly #readers: FrozenTiles[] = [];
  /** Increases with each reader. A tile has the one of its last change. */
  #epoch = 0;

  /**
   * @param source the layer
   * @param copies where to keep copies; other layers may use it too
   */
  constructor(source: TileSource, copies: TileCopies) {
    this.#source = source;
    this.#tiles = source.tiles;
    this.#copies = copies;
  }

  /** Copies a tile for the readers that need it. Call before it changes. */
  copyBeforeWrite(tile: number): void {
    if (this.#tiles.epoch(tile) !== this.#epoch) this.#copy(tile);
  }

  /**
   * Begins to keep tiles as they are now. `TileCursor.leave` must be called
   * before the next write.
   *
   * @param selected their numbers, not changed until the end; an array is
   * ascending. Default: all tiles
   * @param onCopy called after each copy
   * @returns the tiles; {@linkcode CopyOnWrite.release} ends it
   */
  freeze(selected?: Selection, onCopy: () => void = () => {}): FrozenTiles {
    this.#nextEpoch();
    const { length } = this.#tiles;
    const frozen = new FrozenTiles(this.#copies, length, selected, onCopy);
    this.#readers.push(frozen);
    return frozen;
  }

  /** Stops keeping tiles. Safe to call twice. */
  release(frozen: FrozenTiles): void {
    frozen.skipAll();
    const index = this.#readers.indexOf(frozen);
    if (index >= 0) this.#readers.splice(index, 1);
  }

  /**
   * Encodes a tile as it is now.
   *
   * @returns the offset after the last byte
   */
  encode(tile: number, bytes: Uint8Array, from: number): number {
    this.#source.read(tile, columns);
    return encodeTile(columns, bytes, from);
  }

  #copy(tile: number): void {
    this.#tiles.setEpoch(tile, this.#epoch);
    const readers = this.#readers.filter((reader) => reader.needs(tile));
    if (readers.length === 0) return;
    const address = this.#copies.add((bytes, from) =>
      this.encode(tile, bytes, from)
    );
    for (const reader of readers) {
      if (!reader.needs(tile)) continue; // it ended at the copy for another one
      this.#copies.retain(address);
      reader.keep(tile, address);
    }
    this.#copies.release(address);
  }

  #nextEpoch(): void {
    if (this.#epoch < MAX_EPOCH) {
      this.#epoch++;
      return;
    }
    const tiles = this.#tiles;
    for (let tile = 0; tile < tiles.length; tile++) tiles.setEpoch(tile, 0);
    this.#epoch = 1;
  }
}
