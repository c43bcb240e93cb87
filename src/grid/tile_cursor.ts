/**
 * Where a layer is being written to.
 *
 * @module
 */

import { blockLimit, findSlot } from "./block.ts";
import type { CellChunk } from "./cell_slab.ts";
import { keyOf, TILE_BITS } from "./tiles.ts";
import type { TileSave } from "./tile_save.ts";
import type { TileStore } from "./tile_store.ts";
import { NO_TILE } from "./tile_table.ts";

/** How many readings {@linkcode TileCursor.lookAhead} takes at a time. */
export const LOOK_AHEAD = 256;

/** A tile coordinate that no tile has: they lie within 2^26. */
const NOWHERE = 1 << 30;

/**
 * Finds cells to write, and makes room for new ones. It stays on a tile until a cell of another is
 * wanted, so that readings that lie close together do not look their tile up each time.
 *
 * Nobody else may give its tile another block.
 */
export class TileCursor {
  readonly #store: TileStore;
  readonly #save: TileSave;
  #tile = NO_TILE;
  #tx = NOWHERE;
  #ty = NOWHERE;
  #chunk: CellChunk;
  #start = 0;
  #sizeClass = 0;
  /** The tiles of the readings to come, `NO_TILE` for those that were not there yet. */
  readonly #ahead = new Int32Array(LOOK_AHEAD);

  /** A cursor that is on no tile yet. It tells `save` before it lets a tile be written to. */
  constructor(store: TileStore, save: TileSave) {
    this.#store = store;
    this.#save = save;
    this.#chunk = store.slab.chunkOf(0);
  }

  /** The tile that it is on. */
  get tile(): number {
    return this.#tile;
  }

  /** The chunk that holds the cells of that tile. */
  get chunk(): CellChunk {
    return this.#chunk;
  }

  /**
   * Finds the tiles of the next readings. Looked up in a row, with nothing in between, they do not
   * wait for each other's memory: scattered readings are taken in twice as fast.
   *
   * @param x the coordinates of all readings
   * @param y the coordinates of all readings
   * @param from the first of the next ones, of which it takes {@linkcode LOOK_AHEAD}
   * @param length how many readings there are in all
   */
  lookAhead(
    x: Int32Array,
    y: Int32Array,
    from: number,
    length: number,
  ): void {
    const { tiles } = this.#store;
    const to = Math.min(from + LOOK_AHEAD, length);
    let tile = NO_TILE;
    let lastX = NOWHERE;
    let lastY = NOWHERE;
    for (let i = from; i < to; i++) {
      const tx = x[i]! >> TILE_BITS;
      const ty = y[i]! >> TILE_BITS;
      if (tx !== lastX || ty !== lastY) tile = tiles.find(tx, ty);
      this.#ahead[i - from] = tile;
      lastX = tx;
      lastY = ty;
    }
  }

  /**
   * Goes to a coordinate, making its tile if there is none.
   *
   * @param x int32
   * @param y int32
   * @param ahead which of the readings last looked ahead to this is, 0 to `LOOK_AHEAD - 1`
   * @returns the offset of the cell in the chunk; if there is none, the complement (`~`) of an
   * offset for {@linkcode TileCursor.insert}, which must follow then
   */
  seek(x: number, y: number, ahead: number): number {
    const tx = x >> TILE_BITS;
    const ty = y >> TILE_BITS;
    if (tx !== this.#tx || ty !== this.#ty) this.#enter(tx, ty, ahead);
    return findSlot(
      this.#chunk.meta,
      this.#start,
      this.#sizeClass,
      keyOf(x, y),
    );
  }

  /** Leaves its tile: the next {@linkcode TileCursor.seek} enters it afresh. */
  leave(): void {
    this.#tile = NO_TILE;
    this.#tx = NOWHERE;
    this.#ty = NOWHERE;
  }

  /**
   * Makes room for a cell that was not found.
   *
   * @param slot what it was not found at: the complement of the result of `seek`
   * @param key of the cell in its tile
   * @returns the offset in the chunk, maybe another one, where the cell must be written now
   */
  insert(slot: number, key: number): number {
    const { tiles } = this.#store;
    const tile = this.#tile;
    if (tiles.count(tile) >= blockLimit(this.#sizeClass)) {
      this.#store.grow(tile);
      this.#open();
      slot = ~findSlot(this.#chunk.meta, this.#start, this.#sizeClass, key);
    }
    tiles.addCount(tile, 1);
    return slot;
  }

  #enter(tx: number, ty: number, ahead: number): void {
    let tile = this.#ahead[ahead]!;
    // A reading since then may have made it.
    if (tile === NO_TILE) tile = this.#store.tiles.find(tx, ty);
    if (tile === NO_TILE) tile = this.#store.add(tx, ty, 0);
    else this.#save.beforeWrite(tile);
    this.#tile = tile;
    this.#tx = tx;
    this.#ty = ty;
    this.#open();
  }

  #open(): void {
    const { tiles, slab } = this.#store;
    const block = tiles.block(this.#tile);
    this.#sizeClass = tiles.sizeClass(this.#tile);
    this.#chunk = slab.chunkOf(block);
    this.#start = slab.offsetOf(block);
  }
}
