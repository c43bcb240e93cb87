/**
 * The map: all layers, in shards with a revision each.
 *
 * @module
 */

import type { ApplyResult, DroppedListener, ReadingColumns } from "./cell.ts";
import type { Ageing, AgeingOptions } from "./freshness.ts";
import type { Coordinates } from "./cell_removal.ts";
import type { Grid } from "./grid.ts";
import { CopyBudget } from "./layer_snapshot.ts";
import { MapShard } from "./map_shard.ts";

/** Maximum number of shards of a map, also in Redis. */
export const MAX_SHARDS = 256;

/** Returns true if a map can have this number of shards. */
export function isShardCount(shards: number): boolean {
  return Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS;
}

/** Options of {@linkcode OccupancyMap}. */
export interface OccupancyMapOptions {
  /** Number of shards, from 1 to {@linkcode MAX_SHARDS}. Default 1. */
  readonly shards?: number;
}

/**
 * Layers of cells, each with the value that was observed last.
 *
 * A map with one shard has one revision. With more, a layer is in the shard that
 * its name determines, and each shard has its own revision, thresholds and
 * {@linkcode MapShard.began}, so that shards can be changed in any order: the
 * revision of a layer is that of its shard.
 *
 * It has no clock: each call takes the time. The same calls for each shard with
 * the same arguments make the same map with the same revisions, so a journal of
 * calls can be replayed.
 *
 * @example
 * ```ts
 * import { OccupancyMap } from "./mod.ts";
 *
 * const map = new OccupancyMap({ staleAfter: 60_000 });
 * map.apply("default", {
 *   length: 1,
 *   x: Int32Array.of(1),
 *   y: Int32Array.of(2),
 *   value: Int32Array.of(1),
 *   time: Float64Array.of(1_700_000_000_000),
 * }, 1_700_000_000_000);
 * map.layer("default")?.get(1, 2)?.value; // 1
 * ```
 */
export class OccupancyMap {
  /** At least one; see {@linkcode OccupancyMap.shardOf}. */
  readonly shards: readonly MapShard[];
  readonly #shards: MapShard[];
  #first: MapShard;
  /**
   * By shard: how many times it was replaced by an earlier state. After that its
   * revisions are used again, so receivers of its changes need all cells.
   */
  readonly restarts: readonly number[];
  readonly #restarts: number[];
  /** The memory for snapshots of all layers. */
  readonly #budget = new CopyBudget();

  /**
   * Makes an empty map at revision 0.
   *
   * @param ageing the thresholds of all shards, ms
   * @throws {RangeError} if a threshold is negative or not a number, or the
   * number of shards is not valid
   */
  constructor(
    ageing: AgeingOptions = {},
    { shards = 1 }: OccupancyMapOptions = {},
  ) {
    if (!isShardCount(shards)) {
      throw new RangeError(
        `Cannot make a map with ${shards} shards: expected 1 to ${MAX_SHARDS}`,
      );
    }
    this.#shards = Array.from(
      { length: shards },
      () => new MapShard(ageing, this.#budget),
    );
    this.#first = this.#shards[0]!;
    this.shards = this.#shards;
    this.restarts = this.#restarts = this.#shards.map(() => 0);
  }

  /** Returns an empty shard for {@linkcode OccupancyMap.replaceShard}. */
  emptyShard(): MapShard {
    return new MapShard(this.ageing, this.#budget);
  }

  /**
   * Replaces a shard by another state of it, all at once. Its layers then have
   * other grids, as if they had been deleted and created again; a receiver that
   * has cells of a layer needs those that changed since its revision, or all if
   * {@linkcode OccupancyMap.identityOf} the layer is another one. It keeps the
   * log of the shard before.
   *
   * @param index an index of {@linkcode OccupancyMap.shards}
   * @param shard has only layers of this shard
   * @throws {RangeError} if there is no such shard
   */
  replaceShard(index: number, shard: MapShard): void {
    if (this.#shards[index] === undefined) {
      throw new RangeError(`Cannot replace shard ${index}: there is none`);
    }
    const before = this.#shards[index];
    if (shard.revision < before.revision) this.#restarts[index]!++;
    shard.log = before.log;
    this.#shards[index] = shard;
    this.#first = this.#shards[0]!;
  }

  /**
   * Returns the number of a layer's shard: the FNV-1a hash (32 bits) of its
   * name in UTF-8, modulo the number of shards.
   *
   * @param layer its name
   * @returns an index of {@linkcode OccupancyMap.shards}
   */
  shardOf(layer: string): number {
    const { length } = this.shards;
    return length === 1 ? 0 : fnv1a(layer) % length;
  }

  /** Returns the shard of a layer, which the map may have or not. */
  of(layer: string): MapShard {
    return this.shards.length === 1
      ? this.#first
      : this.shards[this.shardOf(layer)]!;
  }

  /**
   * The shard of a map that has only one.
   *
   * @throws {RangeError} if the map has several
   */
  get only(): MapShard {
    const { length } = this.shards;
    if (length === 1) return this.#first;
    throw new RangeError(`Cannot use one shard for all: the map has ${length}`);
  }

  /**
   * The sum of the revisions of all shards: increases with each change. Of a map
   * with one shard, the cells that changed last have it too.
   */
  get revision(): number {
    let revision = 0;
    for (const shard of this.shards) revision += shard.revision;
    return revision;
  }

  /**
   * Returns the revision of a layer's shard. It increases with each change of
   * the layer, and the cells that changed last have it too.
   *
   * @param layer its name; the map may have it or not
   */
  revisionOf(layer: string): number {
    return this.of(layer).revision;
  }

  /**
   * Returns the time that identifies a layer, see {@linkcode MapShard.beganOf}.
   */
  beganOf(layer: string): number | undefined {
    return this.of(layer).beganOf(layer);
  }

  /**
   * Returns a text that changes when the layer is deleted, and when its shard is
   * replaced by an earlier state: a receiver of its changes in this process then
   * needs all cells.
   */
  identityOf(layer: string): string {
    return `${this.beganOf(layer)} ${this.restarts[this.shardOf(layer)]}`;
  }

  /** Identifies the map by a time, see {@linkcode MapShard.begin}. */
  begin(time: number): void {
    for (const shard of this.shards) shard.begin(time);
  }

  /**
   * Returns the revision whose later changes of a layer a client needs, see
   * {@linkcode MapShard.sinceOf}.
   *
   * @param layer its name
   * @param since the revision that the client has; undefined for none
   * @returns `since`, or 0 for all cells
   */
  sinceOf(layer: string, since: number | undefined): number {
    return this.of(layer).sinceOf(since);
  }

  /**
   * The thresholds of the first shard, in ms. All shards have the same, except
   * while a change of them has not reached all.
   */
  get ageing(): Ageing {
    return this.#first.ageing;
  }

  /** Returns the thresholds of a layer's shard, in ms. */
  ageingOf(layer: string): Ageing {
    return this.of(layer).ageing;
  }

  /** Number of cells in all layers. */
  get size(): number {
    let size = 0;
    for (const shard of this.shards) size += shard.size;
    return size;
  }

  /** Number of layers with cells. */
  get layerCount(): number {
    let count = 0;
    for (const shard of this.shards) count += shard.layerCount;
    return count;
  }

  /** Returns a layer; undefined if it has no cells. */
  layer(name: string): Grid | undefined {
    return this.of(name).layer(name);
  }

  /** Returns all layers by name: shard by shard, in order of creation. */
  layers(): Iterable<[string, Grid]> {
    return this.shards.length === 1 ? this.#first.layers() : this.#allLayers();
  }

  /**
   * Returns all layers by name as a list shows them: in order of creation, or of
   * a map with several shards in order of their names, so that all servers that
   * have the map list the same.
   */
  listed(): Iterable<[string, Grid]> {
    return this.shards.length === 1
      ? this.#first.layers()
      : [...this.#allLayers()].sort(([a], [b]) => a < b ? -1 : 1);
  }

  /** Applies readings of a layer, see {@linkcode MapShard.apply}. */
  apply(
    layer: string,
    batch: ReadingColumns,
    now: number,
    onDropped?: DroppedListener,
  ): ApplyResult {
    return this.of(layer).apply(layer, batch, now, onDropped);
  }

  /**
   * Updates the freshness of all cells, see {@linkcode MapShard.age}.
   *
   * @param now the clock, ms since 1970
   * @returns the number of cells that became fresh, stale or forgotten
   * @throws {RangeError} if `now` is not finite
   */
  age(now: number): number {
    let changed = 0;
    for (const shard of this.shards) changed += shard.age(now);
    return changed;
  }

  /** Ages some tiles of a layer, see {@linkcode MapShard.ageTiles}. */
  ageTiles(layer: string, tiles: Coordinates, now: number): number {
    return this.of(layer).ageTiles(layer, tiles, now);
  }

  /** Deletes a layer, see {@linkcode MapShard.deleteLayer}. */
  deleteLayer(layer: string, now: number): boolean {
    return this.of(layer).deleteLayer(layer, now);
  }

  /** Removes unknown cells of a layer, see {@linkcode MapShard.remove}. */
  remove(layer: string, cells: Coordinates, now: number): number {
    return this.of(layer).remove(layer, cells, now);
  }

  /** Returns true if {@linkcode OccupancyMap.age} may change a cell. */
  isDue(now: number): boolean {
    for (const shard of this.shards) if (shard.isDue(now)) return true;
    return false;
  }

  /** Changes the thresholds of all shards, see {@linkcode MapShard.configure}. */
  configure(options: AgeingOptions): void {
    for (const shard of this.shards) shard.configure(options);
  }

  /** Restores tiles of a layer, see {@linkcode MapShard.restoreTiles}. */
  restoreTiles(
    layer: string,
    bytes: Uint8Array,
    onRestored?: (tile: number) => void,
    began?: number,
  ): number {
    return this.of(layer).restoreTiles(layer, bytes, onRestored, began);
  }

  *#allLayers(): Generator<[string, Grid], void, void> {
    for (const shard of this.shards) yield* shard.layers();
  }
}

/** Those of FNV-1a for 32 bits. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

const encoder = new TextEncoder();

/** Returns the FNV-1a hash of a text in UTF-8, from 0 to 2^32 - 1. */
function fnv1a(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each look-up of a layer needs a hash, and an encoder is 20 times slower.
    if (unit > 0x7f) return fnv1aOf(encoder.encode(text));
    hash = Math.imul(hash ^ unit, FNV_PRIME);
  }
  return hash >>> 0;
}

function fnv1aOf(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}
