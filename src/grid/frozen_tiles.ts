/**
 * Keeps tiles of a layer as they were at one moment, for readers that read them
 * in slices while the layer changes ("copy on write").
 *
 * @module
 */

import { encodeTile, TileColumns } from "./tile_codec.ts";
import type { TileCopies } from "./tile_copies.ts";
import { NO_TILE, type TileTable } from "./tile_table.ts";

/** Shared by all layers: one tile is encoded before the next. */
const columns = new TileColumns();
const NO_ADDRESSES = new Uint32Array(0);

/** Tiles have an epoch of 16 bits. */
const MAX_EPOCH = 0xffff;

/**
 * Some tiles of a layer as they were at one moment, in ascending order. Each is
 * kept until {@linkcode FrozenTiles.advance} moves past it.
 */
export class FrozenTiles {
  /** The number of tiles. */
  readonly length: number;
  /** Ascending; undefined for the tiles 0 to `length - 1`. */
  readonly #selected: Int32Array | undefined;
  readonly #copies: TileCopies;
  readonly #onCopy: () => void;
  /** The copies of changed tiles, by index; 0: no copy. Empty: no copies. */
  #addresses = NO_ADDRESSES;
  #read = 0;
  #copiedBytes = 0;

  /**
   * For {@linkcode CopyOnWrite.freeze} only.
   *
   * @param copies where the copies are
   * @param length the number of tiles
   * @param selected the tiles, ascending; undefined for 0 to `length - 1`
   * @param onCopy called after each copy
   */
  constructor(
    copies: TileCopies,
    length: number,
    selected: Int32Array | undefined,
    onCopy: () => void,
  ) {
    this.#copies = copies;
    this.length = length;
    this.#selected = selected;
    this.#onCopy = onCopy;
  }

  /** The tile to read next, or `NO_TILE` after the last one. */
  get current(): number {
    return this.#read < this.length ? this.#at(this.#read) : NO_TILE;
  }

  /**
   * The current tile as `encodeTile` wrote it before it changed; undefined if
   * it has not changed. Valid until {@linkcode FrozenTiles.advance}.
   */
  get copy(): Uint8Array<ArrayBuffer> | undefined {
    const address = this.#addresses[this.#read] ?? 0;
    return address === 0 ? undefined : this.#copies.read(address);
  }

  /** Memory of the copies, in bytes. */
  get bytes(): number {
    return this.#addresses.byteLength + this.#copiedBytes;
  }

  /** Moves to the next tile. */
  advance(): void {
    this.#release(this.#read++);
  }

  /** Moves past the last tile. */
  skipAll(): void {
    if (this.#copiedBytes > 0) {
      for (let i = this.#read; i < this.length; i++) this.#release(i);
    }
    this.#read = this.length;
    this.#addresses = NO_ADDRESSES;
  }

  /** Returns true if a tile is still to be read, and has no copy. */
  needs(tile: number): boolean {
    const index = this.#indexOf(tile);
    return index >= 0 && (this.#addresses[index] ?? 0) === 0;
  }

  /** Keeps the copy of a tile that it needs. */
  keep(tile: number, address: number): void {
    if (this.#addresses.length === 0) {
      this.#addresses = new Uint32Array(this.length);
    }
    this.#addresses[this.#indexOf(tile)] = address;
    this.#copiedBytes += this.#copies.read(address).length;
    this.#onCopy();
  }

  #release(index: number): void {
    const address = this.#addresses[index] ?? 0;
    if (address === 0) return;
    this.#copiedBytes -= this.#copies.read(address).length;
    this.#addresses[index] = 0;
    this.#copies.release(address);
  }

  #at(index: number): number {
    return this.#selected === undefined ? index : this.#selected[index]!;
  }

  /** Searches a tile among the unread ones. Returns its index, or -1. */
  #indexOf(tile: number): number {
    let low = this.#read;
    let high = this.length - 1;
    if (low > high) return -1;
    if (this.#selected === undefined) {
      return tile >= low && tile <= high ? tile : -1;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle) < tile) low = middle + 1;
      else high = middle;
    }
    return this.#at(low) === tile ? low : -1;
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
   * @param selected their numbers, ascending; default: all tiles
   * @param onCopy called after each copy
   * @returns the tiles; {@linkcode CopyOnWrite.release} ends it
   */
  freeze(selected?: Int32Array, onCopy: () => void = () => {}): FrozenTiles {
    this.#nextEpoch();
    const length = selected?.length ?? this.#tiles.length;
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
