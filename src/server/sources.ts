import type { Grid } from "../grid/mod.ts";
import { keyOf, TILE_BITS, TILE_CELLS } from "../grid/tiles.ts";
import type { ReadingBatch } from "../protocol/mod.ts";

/** Tile coordinates have 27 bits: with these a key is exact in a double. */
const TY_OFFSET = 2 ** 26;
const TX_FACTOR = 2 ** 27;

/** How much a {@linkcode SourceBook} may hold. */
export interface SourceLimits {
  /** Tiles of 32 by 32 cells, 10 KiB each. Default 4,096: 40 MiB. */
  readonly tiles?: number;
  /** Different names. Default 10,000, at most 65,535. */
  readonly names?: number;
}

/** Which name reported the cells of a tile, and with a reading of what time. */
interface Tile {
  readonly name: Uint16Array;
  readonly time: Float64Array;
}

/**
 * Who reported each cell last, where readings say it: kept in memory only, and
 * only so much of it. What is not known any more reads as unknown, never as
 * somebody else: a name counts only while the cell still has the time of the
 * reading that came with it.
 *
 * Layers whose readings name no source cost nothing. When there are too many
 * names it starts afresh; when there are too many tiles, the one that was begun
 * first goes.
 */
export class SourceBook {
  readonly #maxTiles: number;
  readonly #maxNames: number;
  readonly #layers = new Map<string, Map<number, Tile>>();
  /** All tiles, the one that was begun first in front. */
  readonly #tiles = new Map<Tile, { layer: string; key: number }>();
  /** The first stands for none. */
  #names: string[] = [""];
  #indexes = new Map<string, number>();

  constructor({ tiles = 4096, names = 10_000 }: SourceLimits = {}) {
    this.#maxTiles = tiles;
    this.#maxNames = Math.min(names, 0xffff);
  }

  /** How many tiles it holds. */
  get tiles(): number {
    return this.#tiles.size;
  }

  /**
   * Notes the sources of readings that the map has taken in just now.
   *
   * @param layer the layer's name
   * @param grid the layer, with the readings in it
   * @param batch the readings; those that the map did not take are passed over
   */
  note(layer: string, grid: Grid, batch: ReadingBatch): void {
    const indexes = this.#indexesOf(batch.sources);
    const { x, y, time, sourceIndex, length } = batch;
    for (let i = 0; i < length; i++) {
      const name = indexes[sourceIndex[i]!]!;
      const tile = this.#tileAt(layer, x[i]!, y[i]!, name !== 0);
      if (tile === undefined) continue;
      if (grid.get(x[i]!, y[i]!)?.time !== time[i]) continue;
      const key = keyOf(x[i]!, y[i]!);
      tile.name[key] = name;
      tile.time[key] = time[i]!;
    }
  }

  /**
   * Who reported a cell, if that is known.
   *
   * @param layer the layer's name
   * @param x int32
   * @param y int32
   * @param time when the cell was observed, as the map has it, ms since 1970
   */
  sourceOf(
    layer: string,
    x: number,
    y: number,
    time: number,
  ): string | undefined {
    const tile = this.#layers.get(layer)?.get(tileKeyOf(x, y));
    if (tile === undefined) return undefined;
    const key = keyOf(x, y);
    if (tile.time[key] !== time) return undefined;
    return this.#names[tile.name[key]!] || undefined;
  }

  #indexesOf(sources: readonly string[]): number[] {
    const fresh =
      sources.filter((name) => name !== "" && !this.#indexes.has(name)).length;
    if (this.#names.length + fresh > this.#maxNames + 1) this.#startAfresh();
    return sources.map((name) => this.#indexOf(name));
  }

  /** 0 for none, and for names for which there is no room at all. */
  #indexOf(name: string): number {
    if (name === "") return 0;
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    if (this.#names.length > this.#maxNames) return 0;
    const index = this.#names.push(name) - 1;
    this.#indexes.set(name, index);
    return index;
  }

  #startAfresh(): void {
    this.#layers.clear();
    this.#tiles.clear();
    this.#names = [""];
    this.#indexes = new Map();
  }

  #tileAt(
    layer: string,
    x: number,
    y: number,
    make: boolean,
  ): Tile | undefined {
    const key = tileKeyOf(x, y);
    const tile = this.#layers.get(layer)?.get(key);
    return tile ?? (make ? this.#begin(layer, key) : undefined);
  }

  #begin(layer: string, key: number): Tile {
    if (this.#tiles.size >= this.#maxTiles) this.#dropOldest();
    const tile: Tile = {
      name: new Uint16Array(TILE_CELLS),
      time: new Float64Array(TILE_CELLS),
    };
    let tiles = this.#layers.get(layer);
    if (tiles === undefined) {
      tiles = new Map();
      this.#layers.set(layer, tiles);
    }
    tiles.set(key, tile);
    this.#tiles.set(tile, { layer, key });
    return tile;
  }

  #dropOldest(): void {
    for (const [tile, { layer, key }] of this.#tiles) {
      this.#tiles.delete(tile);
      const tiles = this.#layers.get(layer)!;
      tiles.delete(key);
      if (tiles.size === 0) this.#layers.delete(layer);
      return;
    }
  }
}

/** Unique for each tile: within ±2^53, where doubles are exact integers. */
function tileKeyOf(x: number, y: number): number {
  return (x >> TILE_BITS) * TX_FACTOR + ((y >> TILE_BITS) + TY_OFFSET);
}
