/**
 * Saves the changed tiles of a layer as they were at one moment, in slices.
 *
 * @module
 */

import { encodeTile, TileColumns } from "./tile_codec.ts";
import { TileCopies } from "./tile_copies.ts";
import type { TileMemory } from "./tile_memory.ts";

/** Shared by all saves: one tile is encoded before the next. */
const columns = new TileColumns();
const NONE = new Int32Array(0);
const NO_ADDRESSES = new Uint32Array(0);

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
  /**
   * The tiles of the running save, in order of their numbers; `#next` of them
   * were returned.
   */
  #saving = NONE;
  #next = 0;
  /** Encoded copies of tiles that changed before they were returned. */
  readonly #copies = new TileCopies();
  /** Their addresses, by index in `#saving`; 0: no copy. Empty: no copies. */
  #copyOf = NO_ADDRESSES;

  /** @param memory the layer */
  constructor(memory: TileMemory) {
    this.#memory = memory;
  }

  /** Memory of the running save, in bytes. */
  get bytes(): number {
    return this.#saving.byteLength + this.#copyOf.byteLength +
      this.#copies.bytes;
  }

  /**
   * Copies a tile if the running save has not returned it yet. Call it before
   * the tile changes.
   */
  copyBeforeWrite(tile: number): void {
    const { tiles } = this.#memory;
    if (!tiles.saving(tile)) return;
    tiles.setSaving(tile, false);
    if (this.#copyOf.length === 0) {
      this.#copyOf = new Uint32Array(this.#saving.length);
    }
    this.#copyOf[indexOf(this.#saving, tile)] = this.#copies.add(
      (bytes, from) => this.#encode(tile, bytes, from),
    );
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
    const address = this.#copyOf[this.#next] ?? 0;
    let end: number;
    if (address === 0) {
      end = this.#encode(tile, bytes, from);
      this.#memory.tiles.setSaving(tile, false);
    } else {
      const copy = this.#copies.read(address);
      bytes.set(copy, from);
      end = from + copy.length;
      this.#copies.release(address);
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
    this.#copyOf = NO_ADDRESSES;
    this.#copies.clear();
  }

  #encode(tile: number, bytes: Uint8Array, from: number): number {
    this.#memory.read(tile, columns);
    return encodeTile(columns, bytes, from);
  }
}

/** Returns the index of a number in ascending numbers that contain it. */
function indexOf(numbers: Int32Array, number: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
