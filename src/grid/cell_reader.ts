/**
 * Reads the cells of a layer, one after the other.
 *
 * @module
 */

import { metaFreshness, metaKey } from "./block.ts";
import type { Cell } from "./cell.ts";
import type { CellChunk } from "./cell_slab.ts";
import type { ChangeList } from "./change_list.ts";
import { Freshness } from "./freshness.ts";
import {
  area,
  clipRegion,
  TILE_BITS,
  TILE_CELLS,
  tileSpan,
  xOf,
  yOf,
} from "./tiles.ts";
import { contains, type Region } from "../protocol/region.ts";
import type { TileStore } from "./tile_store.ts";
import { NO_TILE } from "./tile_table.ts";

/** What a forgotten cell reads as. */
export const UNKNOWN = -1;

/** Which cells to read. */
export interface ScanOptions {
  /** Only cells in here. Default: the whole layer. */
  readonly region?: Region;
  /** Only cells that changed after this revision. Default 0: all. */
  readonly since?: number;
}

/** The parts of a layer that are read. */
export interface ReadSource {
  /** Its tiles and their cells. */
  readonly store: TileStore;
  /** Its tiles by their last change. */
  readonly changes: ChangeList;
  /** Every tile with a revision above this is in the list of changes. */
  readonly listedAfter: number;
}

/**
 * Goes from cell to cell, in no particular order, and is the cell that it is on. Nothing is made
 * for a cell, no object and no boxed number, so this is the fastest way to read many.
 *
 * It is valid until the layer is next written to.
 *
 * @example
 * ```ts
 * import type { Grid } from "./mod.ts";
 *
 * function sum(grid: Grid): number {
 *   let sum = 0;
 *   for (const cell = grid.cells(); cell.next();) sum += cell.value;
 *   return sum;
 * }
 * ```
 */
export class CellReader implements Cell {
  readonly #store: TileStore;
  readonly #writes: number;
  readonly #since: number;
  readonly #bounds: Region | undefined;
  /** The tiles to look at; `undefined` for all there are. */
  readonly #selected: readonly number[] | undefined;
  /** How many of them have been looked at. */
  #done = 0;

  // The tile that it is on, and where in there. The columns one by one: each is read for each cell.
  #metas: CellChunk["meta"];
  #values: CellChunk["value"];
  #times: CellChunk["time"];
  #revisions: CellChunk["revision"];
  #slot = -1;
  #end = 0;
  // The cell: found out once, in a place that compilers deal with best.
  #meta = 0;
  #x = 0;
  #y = 0;
  #value = 0;
  #tx = 0;
  #ty = 0;
  /** The region, if the tile is not wholly in it. */
  #clip: Region | undefined;

  /**
   * Stands before the first cell.
   *
   * @param source the layer
   * @param options which cells
   * @throws {RangeError} when the region is none, see {@linkcode clipRegion}
   */
  constructor(source: ReadSource, options: ScanOptions) {
    this.#store = source.store;
    this.#writes = source.store.writes;
    this.#since = options.since ?? 0;
    this.#bounds = options.region && clipRegion(options.region);
    this.#selected = selectTiles(source, this.#bounds, this.#since);
    const chunk = source.store.slab.chunkOf(0);
    this.#metas = chunk.meta;
    this.#values = chunk.value;
    this.#times = chunk.time;
    this.#revisions = chunk.revision;
  }

  /**
   * Goes to the next cell.
   *
   * @returns whether there is one; if not, the fields have no meaning
   * @throws {Error} when the layer was written to in between
   */
  next(): boolean {
    if (this.#store.writes !== this.#writes) {
      throw new Error("Cannot read on: the layer was written to");
    }
    do {
      const metas = this.#metas;
      const since = this.#since;
      const clip = this.#clip;
      const end = this.#end;
      for (let slot = this.#slot + 1; slot < end; slot++) {
        const found = metas[slot]!;
        if (found === 0) continue;
        if (since > 0 && this.#revisions[slot]! <= since) continue;
        const key = metaKey(found);
        const x = xOf(this.#tx, key);
        const y = yOf(this.#ty, key);
        if (clip !== undefined && !contains(clip, x, y)) continue;
        this.#slot = slot;
        this.#meta = found;
        this.#x = x;
        this.#y = y;
        this.#value = metaFreshness(found) === Freshness.Forgotten
          ? UNKNOWN
          : this.#values[slot]!;
        return true;
      }
    } while (this.#nextTile());
    return false;
  }

  /** The coordinate. */
  get x(): number {
    return this.#x;
  }

  /** The coordinate. */
  get y(): number {
    return this.#y;
  }

  /** 0 free, above 0 occupied or how many people, below 0 unknown; -1 when forgotten. */
  get value(): number {
    return this.#value;
  }

  /** When it was observed, ms since 1970. */
  get time(): number {
    return this.#times[this.#slot]!;
  }

  /** The revision of the map that last changed it. */
  get revision(): number {
    return this.#revisions[this.#slot]!;
  }

  /** Whether it is still to be trusted. */
  get freshness(): Freshness {
    return metaFreshness(this.#meta);
  }

  /**
   * Reads the next cells at once, those of one tile: twice as fast as one by one,
   * where a map is read whole. Not to be mixed with {@linkcode CellReader.next}.
   *
   * @param rows is filled with them
   * @returns how many there are; 0 when there are no more
   * @throws {Error} when the layer was written to in between
   */
  take(rows: CellRows): number {
    if (this.#store.writes !== this.#writes) {
      throw new Error("Cannot read on: the layer was written to");
    }
    let count = 0;
    while (count === 0 && this.#nextTile()) {
      const metas = this.#metas;
      const values = this.#values;
      const times = this.#times;
      const revisions = this.#revisions;
      const since = this.#since;
      const clip = this.#clip;
      const tx = this.#tx;
      const ty = this.#ty;
      for (let slot = this.#slot + 1; slot < this.#end; slot++) {
        const found = metas[slot]!;
        if (found === 0) continue;
        if (since > 0 && revisions[slot]! <= since) continue;
        const key = metaKey(found);
        const x = xOf(tx, key);
        const y = yOf(ty, key);
        if (clip !== undefined && !contains(clip, x, y)) continue;
        rows.x[count] = x;
        rows.y[count] = y;
        rows.value[count] = metaFreshness(found) === Freshness.Forgotten
          ? UNKNOWN
          : values[slot]!;
        rows.time[count] = times[slot]!;
        count++;
      }
    }
    return count;
  }

  /** Goes before the first cell of the next tile in which something may have changed. */
  #nextTile(): boolean {
    const { tiles, slab } = this.#store;
    const selected = this.#selected;
    const length = selected === undefined ? tiles.length : selected.length;
    while (this.#done < length) {
      const index = this.#done++;
      const tile = selected === undefined ? index : selected[index]!;
      if (tiles.revision(tile) <= this.#since) continue;
      const block = tiles.block(tile);
      const chunk = slab.chunkOf(block);
      this.#metas = chunk.meta;
      this.#values = chunk.value;
      this.#times = chunk.time;
      this.#revisions = chunk.revision;
      this.#slot = slab.offsetOf(block) - 1;
      this.#end = slab.offsetOf(block) + (1 << tiles.sizeClass(tile));
      this.#tx = tiles.tx(tile);
      this.#ty = tiles.ty(tile);
      const bounds = this.#bounds;
      this.#clip = bounds && holdsTile(bounds, this.#tx, this.#ty)
        ? undefined
        : bounds;
      return true;
    }
    this.#slot = this.#end;
    return false;
  }
}

/** Room for the cells of a tile, to be used again and again; see {@linkcode Cell}. */
export class CellRows {
  /** int32 */
  readonly x: Int32Array = new Int32Array(TILE_CELLS);
  /** int32 */
  readonly y: Int32Array = new Int32Array(TILE_CELLS);
  /** int32 */
  readonly value: Int32Array = new Int32Array(TILE_CELLS);
  /** ms since 1970 */
  readonly time: Float64Array = new Float64Array(TILE_CELLS);
}

/**
 * Finds the tiles to look at: the fewest of all there are, those that changed, and those that the
 * region touches.
 *
 * @returns their numbers, each once; `undefined` for all there are
 */
function selectTiles(
  { store: { tiles }, changes, listedAfter }: ReadSource,
  bounds: Region | undefined,
  since: number,
): number[] | undefined {
  if (bounds !== undefined && area(bounds) === 0) return [];
  const span = bounds && tileSpan(bounds);
  const touched = span === undefined ? Infinity : area(span);
  const fewest = Math.min(tiles.length, touched);
  const selected: number[] = [];
  if (since >= listedAfter && changes.countSince(since, fewest) < fewest) {
    let tile = changes.newest;
    while (tile !== NO_TILE && tiles.revision(tile) > since) {
      if (
        span === undefined || contains(span, tiles.tx(tile), tiles.ty(tile))
      ) {
        selected.push(tile);
      }
      tile = tiles.older(tile);
    }
    return selected;
  }
  if (span === undefined || touched >= tiles.length) return undefined;
  for (let ty = span.y0; ty <= span.y1; ty++) {
    for (let tx = span.x0; tx <= span.x1; tx++) {
      const tile = tiles.find(tx, ty);
      if (tile !== NO_TILE) selected.push(tile);
    }
  }
  return selected;
}

/** Whether a region holds all the cells that a tile can have. */
function holdsTile(region: Region, tx: number, ty: number): boolean {
  const last = (1 << TILE_BITS) - 1;
  const x = tx << TILE_BITS;
  const y = ty << TILE_BITS;
  return contains(region, x, y) && contains(region, x + last, y + last);
}
