/**
 * Finds the slots of cells to write in a layer, and makes room for new cells.
 *
 * @module
 */

import { blockLimit, findSlot } from "./cell_block.ts";
import type { CellChunk } from "./cell_slab.ts";
import type { CopyOnWrite } from "./frozen_tiles.ts";
import { keyOf, TILE_BITS } from "./tiles.ts";
import type { TileMemory } from "./tile_memory.ts";
import { NO_TILE } from "./tile_table.ts";

/** Number of readings in one {@linkcode TileCursor.lookAhead}. */
export const LOOK_AHEAD_READINGS = 256;

/** Not a tile coordinate: these are from -2^26 to 2^26 - 1. */
const NOWHERE = 1 << 30;

/**
 * A position in a layer for writing. It stays on a tile until a reading is in
 * another one, so that neighbouring readings share one look-up of their tile.
 *
 * While it is on a tile, nothing else may replace the block of that tile.
 */
export class TileCursor {
  readonly #memory: TileMemory;
  readonly #copies: CopyOnWrite;
  #tile = NO_TILE;
  #tx = NOWHERE;
  #ty = NOWHERE;
  #chunk: CellChunk;
  #start = 0;
  #sizeClass = 0;
  /** The tiles of the next readings; `NO_TILE` for those not yet created. */
  readonly #ahead = new Int32Array(LOOK_AHEAD_READINGS);

  /**
   * Makes a cursor that is on no tile.
   *
   * @param memory the layer
   */
  constructor(memory: TileMemory) {
    this.#memory = memory;
    this.#copies = memory.copies;
    this.#chunk = memory.slab.chunkOf(0);
  }

  /** The current tile. */
  get tile(): number {
    return this.#tile;
  }

  /** The chunk with the cells of the current tile. */
  get chunk(): CellChunk {
    return this.#chunk;
  }

  /**
   * Looks up the tiles of the next readings. Without other work in between, the
   * memory accesses overlap: scattered readings are applied twice as fast.
   *
   * @param x the coordinates of all readings
   * @param y the coordinates of all readings
   * @param from index of the first reading to look up, of up to
   * {@linkcode LOOK_AHEAD_READINGS}
   * @param length number of all readings
   */
  lookAhead(
    x: Int32Array,
    y: Int32Array,
    from: number,
    length: number,
  ): void {
    const { tiles } = this.#memory;
    tiles.moveSome(LOOK_AHEAD_READINGS);
    const to = Math.min(from + LOOK_AHEAD_READINGS, length);
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
   * Moves to a coordinate; creates its tile if there is none.
   *
   * @param x int32
   * @param y int32
   * @param ahead index of this reading in the last look-ahead, from 0
   * @returns the offset of the cell in the chunk; if there is no such cell, the
   * complement (`~`) of an offset for {@linkcode TileCursor.insert}, which must
   * follow
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

  /**
   * Leaves the current tile, so that the next {@linkcode TileCursor.seek}
   * enters it again.
   */
  leave(): void {
    this.#tile = NO_TILE;
    this.#tx = NOWHERE;
    this.#ty = NOWHERE;
  }

  /**
   * Makes room for a cell that was not found.
   *
   * @param slot the complement of the result of `seek`
   * @param key the key of the cell in its tile
   * @returns the offset in the chunk (possibly a new one) at which to write the
   * cell
   */
  insert(slot: number, key: number): number {
    const { tiles } = this.#memory;
    const tile = this.#tile;
    if (tiles.count(tile) >= blockLimit(this.#sizeClass)) {
      this.#memory.grow(tile);
      this.#open();
      slot = ~findSlot(this.#chunk.meta, this.#start, this.#sizeClass, key);
    }
    tiles.addCount(tile, 1);
    return slot;
  }

  #enter(tx: number, ty: number, ahead: number): void {
    let tile = this.#ahead[ahead]!;
    // An earlier reading of the same look-ahead may have created the tile.
    if (tile === NO_TILE) tile = this.#memory.tiles.find(tx, ty);
    if (tile === NO_TILE) tile = this.#memory.add(tx, ty, 0);
    else this.#copies.copyBeforeWrite(tile);
    this.#tile = tile;
    this.#tx = tx;
    this.#ty = ty;
    this.#open();
  }

  #open(): void {
    const { tiles, slab } = this.#memory;
    const block = tiles.block(this.#tile);
    this.#sizeClass = tiles.sizeClass(this.#tile);
    this.#chunk = slab.chunkOf(block);
    this.#start = slab.offsetOf(block);
  }
}
