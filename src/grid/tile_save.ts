/**
 * Saves the changed tiles of a layer as they were at one moment, in slices.
 *
 * @module
 */

import { encodeTile, MAX_TILE_BYTES, TileColumns } from "./tile_codec.ts";
import type { TileMemory } from "./tile_memory.ts";

/** Shared by all saves: one tile is encoded before the next. */
const columns = new TileColumns();
const scratch = new Uint8Array(MAX_TILE_BYTES);
const NONE = new Int32Array(0);

/** A tile encoded as it was when the save began. */
export interface SavedTile {
  /** The number of the tile in its layer. It never changes. */
  readonly tile: number;
  /** The offset after the last byte of the tile. */
  readonly end: number;
}

/**
 * Returns the changed tiles one by one, all as they were when the save began. A
 * tile that was not returned yet is encoded before it changes ("copy on
 * write").
 */
export class TileSave {
  readonly #memory: TileMemory;
  /** Number of tiles that changed since the last save began. */
  #dirty = 0;
  /** The tiles of the running save; `#next` of them were returned. */
  #saving = NONE;
  #next = 0;
  /** Encoded copies of tiles that changed before they were returned. */
  readonly #copies = new Map<number, Uint8Array<ArrayBuffer>>();

  /** @param memory the layer */
  constructor(memory: TileMemory) {
    this.#memory = memory;
  }

  /** Memory of the running save, in bytes. */
  get bytes(): number {
    let bytes = this.#saving.byteLength;
    for (const copy of this.#copies.values()) bytes += copy.byteLength;
    return bytes;
  }

  /**
   * Copies a tile if the running save has not returned it yet. Call it before
   * the tile changes.
   */
  copyBeforeWrite(tile: number): void {
    const { tiles } = this.#memory;
    if (!tiles.saving(tile)) return;
    tiles.setSaving(tile, false);
    this.#copies.set(tile, scratch.slice(0, this.#encode(tile, scratch, 0)));
  }

  /** Marks a tile as changed since it was last saved. */
  markDirty(tile: number): void {
    const { tiles } = this.#memory;
    if (tiles.dirty(tile)) return;
    tiles.setDirty(tile, true);
    this.#dirty++;
  }

  /**
   * Begins to save the tiles that changed since the last save began.
   *
   * @returns the number of tiles to save
   * @throws {RangeError} if a save is running
   */
  begin(): number {
    if (this.#saving.length > 0) {
      throw new RangeError("Cannot begin a save: another one is running");
    }
    const { tiles } = this.#memory;
    // Searched only now: a list would need as much memory as a cell alone in
    // its tile.
    const saving = new Int32Array(this.#dirty);
    for (let tile = 0, count = 0; count < saving.length; tile++) {
      if (!tiles.dirty(tile)) continue;
      tiles.setDirty(tile, false);
      tiles.setSaving(tile, true);
      saving[count++] = tile;
    }
    this.#saving = saving;
    this.#dirty = 0;
    return saving.length;
  }

  /** See {@linkcode Grid.nextSaved}. */
  next(bytes: Uint8Array, from: number): SavedTile | undefined {
    const tile = this.#saving[this.#next];
    if (tile === undefined) return undefined;
    const copy = this.#copies.get(tile);
    let end: number;
    if (copy === undefined) {
      end = this.#encode(tile, bytes, from);
      this.#memory.tiles.setSaving(tile, false);
    } else {
      bytes.set(copy, from);
      end = from + copy.length;
      this.#copies.delete(tile);
    }
    this.#next++;
    return { tile, end };
  }

  /**
   * Ends the save.
   *
   * @param stored true if all tiles are stored; else the next save repeats them
   */
  end(stored: boolean): void {
    const { tiles } = this.#memory;
    const saving = this.#saving;
    for (let i = this.#next; i < saving.length; i++) {
      tiles.setSaving(saving[i]!, false);
    }
    if (!stored) { for (const tile of saving) this.markDirty(tile); }
    this.#saving = NONE;
    this.#next = 0;
    this.#copies.clear();
  }

  #encode(tile: number, bytes: Uint8Array, from: number): number {
    this.#memory.read(tile, columns);
    return encodeTile(columns, bytes, from);
  }
}
