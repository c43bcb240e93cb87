/**
 * Which tiles a store has yet to write, and what they held when it began to.
 *
 * @module
 */

import { encodeTile, MAX_TILE_BYTES, TileColumns } from "./tile_codec.ts";
import type { TileStore } from "./tile_store.ts";

/** Shared by all: encoding a tile is over before the next begins. */
const columns = new TileColumns();
const scratch = new Uint8Array(MAX_TILE_BYTES);
const NONE = new Int32Array(0);

/** A tile that was written out as it was when a save began. */
export interface SavedTile {
  /** Its number in its layer, which it keeps as long as the grid lives. */
  readonly tile: number;
  /** Where its bytes end. */
  readonly end: number;
}

/**
 * Lets a store write a consistent state bit by bit while the map goes on: a tile
 * that is about to be written to is encoded first, if the save has not come to
 * it yet ("copy on write").
 */
export class TileSave {
  readonly #store: TileStore;
  /** How many tiles were written to since the last save began. */
  #dirty = 0;
  /** The tiles of the save under way, and how many of them have been handed out. */
  #saving = NONE;
  #next = 0;
  /** Those that were written to before they were handed out. */
  readonly #kept = new Map<number, Uint8Array<ArrayBuffer>>();

  /** Nothing to save. */
  constructor(store: TileStore) {
    this.#store = store;
  }

  /** Memory of its lists, bytes. */
  get bytes(): number {
    let bytes = this.#saving.byteLength;
    for (const kept of this.#kept.values()) bytes += kept.byteLength;
    return bytes;
  }

  /** Must be called before a tile is written to. */
  beforeWrite(tile: number): void {
    const { tiles } = this.#store;
    if (!tiles.saving(tile)) return;
    tiles.setSaving(tile, false);
    this.#kept.set(tile, scratch.slice(0, this.#encode(tile, scratch, 0)));
  }

  /** Notes that a tile is no longer as it was last saved. */
  noteWrite(tile: number): void {
    const { tiles } = this.#store;
    if (tiles.dirty(tile)) return;
    tiles.setDirty(tile, true);
    this.#dirty++;
  }

  /**
   * Begins to save what has been written to since the last save began.
   *
   * @returns how many tiles that are
   * @throws {RangeError} when a save is under way
   */
  begin(): number {
    if (this.#saving.length > 0) {
      throw new RangeError("Cannot begin a save: one is under way");
    }
    const { tiles } = this.#store;
    // Looked for only now: a list of them would take as much as a cell that is alone in its tile.
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

  /** As {@linkcode Grid.nextSaved}. */
  next(bytes: Uint8Array, from: number): SavedTile | undefined {
    const tile = this.#saving[this.#next];
    if (tile === undefined) return undefined;
    const kept = this.#kept.get(tile);
    let end: number;
    if (kept === undefined) {
      end = this.#encode(tile, bytes, from);
      this.#store.tiles.setSaving(tile, false);
    } else {
      bytes.set(kept, from);
      end = from + kept.length;
      this.#kept.delete(tile);
    }
    this.#next++;
    return { tile, end };
  }

  /**
   * Ends the save.
   *
   * @param stored whether all its tiles are safe; if not, they must be saved again
   */
  end(stored: boolean): void {
    const { tiles } = this.#store;
    const saving = this.#saving;
    for (let i = this.#next; i < saving.length; i++) {
      tiles.setSaving(saving[i]!, false);
    }
    if (!stored) { for (const tile of saving) this.noteWrite(tile); }
    this.#saving = NONE;
    this.#next = 0;
    this.#kept.clear();
  }

  #encode(tile: number, bytes: Uint8Array, from: number): number {
    this.#store.read(tile, columns);
    return encodeTile(columns, bytes, from);
  }
}
