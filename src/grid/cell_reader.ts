/**
 * Reads the cells of a layer: one, or by region and change.
 *
 * @module
 */

import { findSlot, metaFreshness, metaKey } from "./cell_block.ts";
import type { Cell } from "./cell.ts";
import type { CellChunk } from "./cell_slab.ts";
import type { ChangeList } from "./change_list.ts";
import { type Freshness, shownValue } from "./freshness.ts";
import {
  area,
  clipRegion,
  holdsTile,
  keyOf,
  TILE_BITS,
  tileSpan,
  xOf,
  yOf,
} from "./tiles.ts";
import { contains, isInt32, type Region } from "../protocol/region.ts";
import type { TileMemory } from "./tile_memory.ts";
import { NO_TILE } from "./tile_table.ts";

/** Which cells to read. */
export interface ScanOptions {
  /** Only cells in this region. Default: the whole layer. */
  readonly region?: Region;
  /** Only cells that changed after this revision. Default 0: all. */
  readonly since?: number;
}

/** The layer that a {@linkcode CellReader} reads. */
export interface ReadSource {
  /** The tiles of the layer and their cells. */
  readonly memory: TileMemory;
  /** The tiles in order of their last change. */
  readonly changes: ChangeList;
}

/**
 * Moves from cell to cell in no particular order; its properties are those of
 * the current cell. It allocates nothing for a cell, so it is the fastest way
 * to read many. It is valid until the next write to the layer.
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
  readonly #memory: TileMemory;
  readonly #writes: number;
  readonly #since: number;
  readonly #bounds: Region | undefined;
  /** The tiles to read; undefined for all. */
  readonly #selected: readonly number[] | undefined;
  /** Number of these tiles that were read. */
  #tilesRead = 0;

  // The current tile and slot. The columns are fields because each is read for
  // each cell.
  #metas: CellChunk["meta"];
  #values: CellChunk["value"];
  #times: CellChunk["time"];
  #revisions: CellChunk["revision"];
  #slot = -1;
  #end = 0;
  // The current cell. Fields are the fastest for the compiler.
  #meta = 0;
  #x = 0;
  #y = 0;
  #value = 0;
  #tx = 0;
  #ty = 0;
  /** The region, if the current tile is only partly in it. */
  #clip: Region | undefined;

  /**
   * Makes a reader before the first cell.
   *
   * @param source the layer
   * @param options which cells
   * @throws {RangeError} if the region is not valid, see {@linkcode clipRegion}
   */
  constructor(source: ReadSource, options: ScanOptions) {
    this.#memory = source.memory;
    this.#writes = source.memory.writes;
    this.#since = options.since ?? 0;
    this.#bounds = options.region && clipRegion(options.region);
    this.#selected = selectTiles(source, this.#bounds, this.#since);
    const chunk = source.memory.slab.chunkOf(0);
    this.#metas = chunk.meta;
    this.#values = chunk.value;
    this.#times = chunk.time;
    this.#revisions = chunk.revision;
  }

  /**
   * Moves to the next cell.
   *
   * @returns false after the last cell; the properties are then undefined
   * @throws {Error} if the layer was written to in between
   */
  next(): boolean {
    if (this.#memory.writes !== this.#writes) {
      throw new Error("Cannot read the next cell: the layer was written to");
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
        this.#value = shownValue(this.#values[slot]!, metaFreshness(found));
        return true;
      }
    } while (this.#nextTile());
    return false;
  }

  /** int32 */
  get x(): number {
    return this.#x;
  }

  /** int32 */
  get y(): number {
    return this.#y;
  }

  /** 0 free, above 0 occupied (or a count), below 0 unknown; -1 if forgotten */
  get value(): number {
    return this.#value;
  }

  /** Time of observation, ms since 1970. */
  get time(): number {
    return this.#times[this.#slot]!;
  }

  /** The revision of the map at the last change of the cell. */
  get revision(): number {
    return this.#revisions[this.#slot]!;
  }

  /** Whether the value can still be trusted. */
  get freshness(): Freshness {
    return metaFreshness(this.#meta);
  }

  /** Moves before the first cell of the next tile that may have changes. */
  #nextTile(): boolean {
    const { tiles, slab } = this.#memory;
    const selected = this.#selected;
    const length = selected === undefined ? tiles.length : selected.length;
    while (this.#tilesRead < length) {
      const index = this.#tilesRead++;
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

/**
 * Selects the tiles to read: all, those that changed, or those that the region
 * touches, whichever are fewest.
 *
 * @param limit if more would be selected, all are
 * @returns their numbers, each once; undefined for all
 */
export function selectTiles(
  { memory: { tiles }, changes }: ReadSource,
  bounds: Region | undefined,
  since: number,
  limit = Infinity,
): number[] | undefined {
  if (bounds !== undefined && area(bounds) === 0) return [];
  const span = bounds && tileSpan(bounds);
  const touched = span === undefined ? Infinity : area(span);
  const fewest = Math.min(tiles.length, touched, limit);
  const selected: number[] = [];
  if (
    since >= changes.listedAfter && changes.countSince(since, fewest) < fewest
  ) {
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
  if (span === undefined || touched >= Math.min(tiles.length, limit)) {
    return undefined;
  }
  for (let ty = span.y0; ty <= span.y1; ty++) {
    for (let tx = span.x0; tx <= span.x1; tx++) {
      const tile = tiles.find(tx, ty);
      if (tile !== NO_TILE) selected.push(tile);
    }
  }
  return selected;
}

/**
 * Returns the cell at a coordinate.
 *
 * @param memory the layer
 * @param x int32
 * @param y int32
 * @returns undefined if it was never reported
 */
export function cellAt(
  { tiles, slab }: TileMemory,
  x: number,
  y: number,
): Cell | undefined {
  if (!isInt32(x) || !isInt32(y)) return undefined;
  const tile = tiles.find(x >> TILE_BITS, y >> TILE_BITS);
  if (tile === NO_TILE) return undefined;
  const block = tiles.block(tile);
  const { meta, value, time, revision } = slab.chunkOf(block);
  const start = slab.offsetOf(block);
  const slot = findSlot(meta, start, tiles.sizeClass(tile), keyOf(x, y));
  if (slot < 0) return undefined;
  const freshness = metaFreshness(meta[slot]!);
  return {
    x,
    y,
    value: shownValue(value[slot]!, freshness),
    time: time[slot]!,
    revision: revision[slot]!,
    freshness,
  };
}
