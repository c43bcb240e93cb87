/**
 * Stores which source last reported each cell.
 *
 * @module
 */
import type { Grid } from "../grid/mod.ts";
import { keyOf, TILE_CELLS, tileKeyOf } from "../grid/tiles.ts";
import type { ReadingColumns } from "../grid/mod.ts";
import type { ReadingSources } from "../store/store.ts";

/** Readings, and who sent them. */
export type SourcedReadings = ReadingColumns & ReadingSources;

/** Limits of a {@linkcode SourceBook}. */
export interface SourceLimits {
  /** Tiles of 32 by 32 cells, 10 KiB each. Default 4,096: 40 MiB. */
  readonly maxTiles?: number;
  /** Different names. Default 10,000, at most 65,535. */
  readonly maxNames?: number;
}

/** The sources of the cells of a tile, by position in the tile. */
interface Tile {
  /** Index of the name in the list of names. */
  readonly name: Uint16Array;
  /** The time of the reading that named the source. */
  readonly time: Float64Array;
}

/**
 * The source that last reported each cell, for readings that name one. In
 * memory only, with limits.
 *
 * A source is valid only while the cell has the time of the reading that named
 * it. So a cell whose source was dropped has no source, never a wrong one.
 *
 * Layers whose readings name no source use no memory. If there are too many
 * names, all sources are dropped; if there are too many tiles, the oldest tile.
 */
export class SourceBook {
  readonly #maxTiles: number;
  readonly #maxNames: number;
  readonly #layers = new Map<string, Map<number, Tile>>();
  /** All tiles, the oldest first. */
  readonly #tiles = new Map<Tile, { layer: string; key: number }>();
  /** Index 0: no source. */
  #names: string[] = [""];
  #indexes = new Map<string, number>();

  constructor({ maxTiles = 4096, maxNames = 10_000 }: SourceLimits = {}) {
    this.#maxTiles = maxTiles;
    this.#maxNames = Math.min(maxNames, 0xffff);
  }

  /** The number of tiles in memory. */
  get tiles(): number {
    return this.#tiles.size;
  }

  /** Returns true if a source of a cell of this layer is known. */
  has(layer: string): boolean {
    return this.#layers.has(layer);
  }

  /**
   * Records the sources of readings, after they were applied to the map. A
   * reading without a source removes that of an earlier reading of the same
   * time.
   *
   * @param layer the layer's name
   * @param grid the layer
   * @param batch the readings; those that the map refused are ignored
   * @param from index of the first reading
   * @param to index after the last reading
   */
  record(
    layer: string,
    grid: Grid,
    batch: SourcedReadings,
    from = 0,
    to = batch.length,
  ): void {
    const indexes = this.#indexesOf(batch.sources);
    const { x, y, time, sourceIndex } = batch;
    for (let i = from; i < to; i++) {
      const name = indexes[sourceIndex[i]!]!;
      const tile = this.#tileAt(layer, x[i]!, y[i]!, name !== 0);
      if (tile === undefined) continue;
      const key = keyOf(x[i]!, y[i]!);
      if (name === 0 && tile.time[key] !== time[i]) continue;
      if (grid.get(x[i]!, y[i]!)?.time !== time[i]) continue;
      tile.name[key] = name;
      tile.time[key] = time[i]!;
    }
  }

  /**
   * Returns the source of a cell; undefined if it is unknown.
   *
   * @param layer the layer's name
   * @param x int32
   * @param y int32
   * @param time the observation time of the cell, ms since 1970
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

  /** Removes the sources of a layer. */
  delete(layer: string): void {
    for (const tile of this.#layers.get(layer)?.values() ?? []) {
      this.#tiles.delete(tile);
    }
    this.#layers.delete(layer);
  }

  #indexesOf(sources: readonly string[]): number[] {
    const newNames =
      sources.filter((name) => name !== "" && !this.#indexes.has(name)).length;
    if (this.#names.length + newNames > this.#maxNames + 1) this.#clear();
    return sources.map((name) => this.#indexOf(name));
  }

  /** Returns 0 for no source, and for names above the limit. */
  #indexOf(name: string): number {
    if (name === "") return 0;
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    if (this.#names.length > this.#maxNames) return 0;
    const index = this.#names.push(name) - 1;
    this.#indexes.set(name, index);
    return index;
  }

  #clear(): void {
    this.#layers.clear();
    this.#tiles.clear();
    this.#names = [""];
    this.#indexes = new Map();
  }

  #tileAt(
    layer: string,
    x: number,
    y: number,
    create: boolean,
  ): Tile | undefined {
    const key = tileKeyOf(x, y);
    const tile = this.#layers.get(layer)?.get(key);
    return tile ?? (create ? this.#create(layer, key) : undefined);
  }

  #create(layer: string, key: number): Tile {
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
