/**
 * Saves the changed tiles of a layer as they were at one moment, in slices.
 *
 * @module
 */

import type { FrozenTiles } from "./frozen_tiles.ts";
import { TileBits } from "./tile_bits.ts";
import type { TileMemory } from "./tile_memory.ts";
import { NO_TILE } from "./tile_table.ts";

/** A tile encoded as it was when the save began. */
export interface SavedTile {
  /** The number of the tile in its layer. It never changes. */
  readonly tile: number;
  /** The offset after the last byte of the tile. */
  readonly end: number;
}

/**
 * Returns the changed tiles one by one, all as they were when the save began.
 */
export class TileSave {
  readonly #memory: TileMemory;
  /** The tiles that changed since the last save began. */
  #dirty = new TileBits();
  /** The tiles of the running save. */
  #saving: TileBits | undefined;
  #frozen: FrozenTiles | undefined;

  /** @param memory the layer */
  constructor(memory: TileMemory) {
    this.#memory = memory;
  }

  /** Memory of the changed tiles and of the running save, in bytes. */
  get bytes(): number {
    return this.#dirty.bytes + (this.#saving?.bytes ?? 0) +
      (this.#frozen?.bytes ?? 0);
  }

  /** Marks a tile as changed since it was last saved. */
  markDirty(tile: number): void {
    this.#dirty.add(tile);
  }

  /**
   * Marks a tile that did not change, so that it is saved again.
   *
   * @throws {RangeError} if there is no such tile
   */
  include(tile: number): void {
    const { length } = this.#memory.tiles;
    if (!(tile >= 0 && tile < length && Number.isInteger(tile))) {
      throw new RangeError(`Cannot use tile ${tile}: the layer has ${length}`);
    }
    this.markDirty(tile);
  }

  /**
   * Begins to save the tiles that changed since the last save began. Takes the
   * same time for any number of tiles.
   *
   * @returns the number of tiles to save
   * @throws {RangeError} if a save is running
   */
  begin(): number {
    if (this.#saving !== undefined && this.#saving.size > 0) {
      throw new RangeError("Cannot begin a save: another one is running");
    }
    this.end(true);
    const saving = this.#dirty;
    if (saving.size === 0) return 0;
    this.#dirty = new TileBits();
    this.#saving = saving;
    this.#frozen = this.#memory.copies.freeze(saving);
    return saving.size;
  }

  /** See {@linkcode Grid.nextSaved}. */
  next(bytes: Uint8Array, from: number): SavedTile | undefined {
    const frozen = this.#frozen;
    const tile = frozen?.current ?? NO_TILE;
    if (frozen === undefined || tile === NO_TILE) return undefined;
    const { copy } = frozen;
    let end: number;
    if (copy === undefined) end = this.#memory.copies.encode(tile, bytes, from);
    else {
      bytes.set(copy, from);
      end = from + copy.length;
    }
    frozen.advance();
    return { tile, end };
  }

  /**
   * Ends the save.
   *
   * @param stored true if all tiles are stored; else the next save repeats them
   */
  end(stored: boolean): void {
    if (this.#frozen !== undefined) this.#memory.copies.release(this.#frozen);
    if (!stored && this.#saving !== undefined) this.#dirty.addAll(this.#saving);
    this.#saving = undefined;
    this.#frozen = undefined;
  }
}
