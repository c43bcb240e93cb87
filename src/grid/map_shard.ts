/**
 * A shard of the map: some of its layers, with one revision.
 *
 * @module
 */

import type { ApplyResult, DroppedListener, ReadingColumns } from "./cell.ts";
import type { ChangeLog } from "./change_log.ts";
import { type Ageing, type AgeingOptions, resolveAgeing } from "./freshness.ts";
import type { Coordinates } from "./cell_removal.ts";
import { Grid } from "./grid.ts";
import { CopyBudget } from "./layer_snapshot.ts";
import { decodeTile, TileColumns } from "./tile_codec.ts";

/** Shared by all maps: one tile is restored before the next is decoded. */
const scratch = new TileColumns();

/**
 * Layers of cells, each with the value that was observed last. `OccupancyMap`
 * decides which layers are in which shard.
 *
 * It has no clock: each call takes the time. The same calls with the same
 * arguments make the same shard with the same revisions, so a journal of calls
 * can be replayed.
 */
export class MapShard {
  readonly #layers = new Map<string, Grid>();
  /** The memory for snapshots of all layers of the map. */
  readonly #budget: CopyBudget;
  #ageing: Ageing;
  #revision = 0;
  /** {@linkcode MapShard.began} */
  #began: number | undefined;
  /** {@linkcode MapShard.latest} */
  #latest = -Infinity;
  /** Collects what a sample of the shard does not show. Default: none. */
  log: ChangeLog | undefined;

  /**
   * Makes an empty shard at revision 0.
   *
   * @param options the thresholds, ms
   * @param budget the memory for snapshots. Default: its own
   * @throws {RangeError} if a threshold is negative or not a number
   */
  constructor(options: AgeingOptions = {}, budget = new CopyBudget()) {
    this.#ageing = resolveAgeing(options);
    this.#budget = budget;
  }

  /** Increases with each change; the cells that changed last have it too. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * The time that identifies a layer without cells, and so every layer that is
   * created from now on, ms since 1970: the start of a map that is not stored,
   * or the last deletion of a layer if that was later. Undefined before.
   */
  get began(): number | undefined {
    return this.#began;
  }

  /**
   * Returns the time that identifies a layer, see `MapMoment.began`. It differs
   * before and after the deletion of a layer, so that a receiver that has cells
   * of it clears them.
   *
   * @returns ms since 1970; undefined for a layer of a stored map that was
   * created before any deletion
   */
  beganOf(layer: string): number | undefined {
    const grid = this.#layers.get(layer);
    return grid === undefined ? this.#began : grid.began;
  }

  /**
   * Identifies the map by the time at which it was made: for a map that is not
   * stored. Call it before the first reading.
   *
   * @param time ms since 1970
   */
  begin(time: number): void {
    this.#began = time;
  }

  /**
   * Returns the revision whose later changes a client needs. A revision that
   * this shard has not reached is of another map: then the client needs all
   * cells.
   *
   * @param since the revision that the client has; undefined for none
   * @returns `since`, or 0 for all cells
   */
  sinceOf(since: number | undefined): number {
    return since === undefined || since > this.#revision ? 0 : since;
  }

  /**
   * The latest time of a call since age() last updated all cells, ms since
   * 1970; -Infinity before the first, Infinity after a change of thresholds. An
   * age() with an earlier time checks every cell.
   */
  get latest(): number {
    return this.#latest;
  }

  /** The thresholds in force, in ms. */
  get ageing(): Ageing {
    return this.#ageing;
  }

  /** Number of cells in all its layers. */
  get size(): number {
    let size = 0;
    for (const grid of this.#layers.values()) size += grid.size;
    return size;
  }

  /** Number of layers with cells. */
  get layerCount(): number {
    return this.#layers.size;
  }

  /** Returns a layer; undefined if it has no cells. */
  layer(name: string): Grid | undefined {
    return this.#layers.get(name);
  }

  /** Returns all layers by name, in order of creation. */
  layers(): Iterable<[string, Grid]> {
    return this.#layers.entries();
  }

  /**
   * Applies readings. For each cell the latest observation wins, and of equal
   * times the last one that arrived.
   *
   * If any cell changes, the revision of the shard increases by one, and the
   * changed cells get it. A reading that repeats the value of its cell updates
   * only the time.
   *
   * @param layer its name; created if it gets a cell
   * @param batch the readings in order of arrival
   * @param now the clock, ms since 1970
   * @param onDropped called for each reading that is dropped
   * @returns how many changed a cell, and how many were dropped
   * @throws {RangeError} if `now` is not finite, or a column is shorter than
   * the batch
   */
  apply(
    layer: string,
    batch: ReadingColumns,
    now: number,
    onDropped?: DroppedListener,
  ): ApplyResult {
    checkClock(now);
    checkColumns(batch);
    const grid = this.#layers.get(layer) ?? new Grid(this.#budget, this.#began);
    const next = this.#revision + 1;
    const { log } = this;
    log?.begin(layer, now);
    const result = grid.writer
      .write(batch, now, next, this.#ageing, onDropped, log);
    if (now > this.#latest) this.#latest = now;
    if (result.changed > 0) {
      this.#layers.set(layer, grid);
      this.#revision = next;
    }
    return result;
  }

  /**
   * Updates the freshness of all cells, also after the clock was set back.
   * Cheap if no cell is due: call it once a second.
   *
   * If any cell changes, the revision of the shard increases by one, and the
   * changed cells get it.
   *
   * @param now the clock, ms since 1970
   * @returns the number of cells that became fresh, stale or forgotten, without
   * unknown ones
   * @throws {RangeError} if `now` is not finite
   */
  age(now: number): number {
    checkClock(now);
    const everything = now < this.#latest;
    const next = this.#revision + 1;
    let changed = 0;
    for (const grid of this.#layers.values()) {
      changed += grid.writer.age(now, next, this.#ageing, everything);
    }
    this.#latest = now;
    if (changed > 0) this.#revision = next;
    return changed;
  }

  /**
   * Updates the freshness of the cells of some tiles. If any cell changes, the
   * revision of the shard increases by one. Before a call of
   * {@linkcode MapShard.age} with the same time, it divides the work.
   *
   * @param layer its name
   * @param tiles tile coordinates, as `Grid.dueTiles` returns them
   * @param now the clock, ms since 1970
   * @returns the number of cells that changed
   * @throws {RangeError} if `now` is not finite
   */
  ageTiles(layer: string, tiles: Coordinates, now: number): number {
    checkClock(now);
    const next = this.#revision + 1;
    const changed = this.#layers.get(layer)?.writer
      .ageTiles(tiles, now, next, this.#ageing) ?? 0;
    if (now > this.#latest) this.#latest = now;
    if (changed > 0) this.#revision = next;
    return changed;
  }

  /**
   * Deletes a layer. The revision of the shard increases by one, and
   * {@linkcode MapShard.began} to a new time.
   *
   * @param layer its name
   * @param now the clock, ms since 1970
   * @returns false if there is no such layer
   * @throws {RangeError} if `now` is not finite
   */
  deleteLayer(layer: string, now: number): boolean {
    checkClock(now);
    if (!this.#drop(layer, now)) return false;
    this.log?.deleted(layer, now);
    return true;
  }

  #drop(layer: string, now: number): boolean {
    if (!this.#layers.delete(layer)) return false;
    this.#revision++;
    // Later than every earlier one, also after the clock was set back.
    const time = Math.floor(now);
    this.#began = this.#began === undefined
      ? time
      : Math.max(time, this.#began + 1);
    return true;
  }

  /**
   * Removes those of the cells that are shown as unknown; known values stay. If
   * a cell is removed, the revision of the shard increases by one. The layer is
   * deleted with its last cell.
   *
   * @param layer its name
   * @param cells as `Grid.longUnknown` returns them
   * @param now the clock, ms since 1970
   * @returns the number of removed cells
   * @throws {RangeError} if `now` is not finite
   */
  remove(layer: string, cells: Coordinates, now: number): number {
    checkClock(now);
    const grid = this.#layers.get(layer);
    if (grid === undefined) return 0;
    const removed = grid.writer.remove(cells, this.#revision + 1);
    if (grid.size === 0) this.#drop(layer, now);
    else if (removed > 0) {
      this.#revision++;
      if (grid.isMostlyEmpty) this.#layers.set(layer, grid.rebuilt());
    }
    return removed;
  }

  /**
   * Returns true if {@linkcode MapShard.age} may change a cell. Constant
   * cost for each layer; may return true when no cell is due.
   *
   * @param now the clock, ms since 1970
   */
  isDue(now: number): boolean {
    if (now < this.#latest) return true;
    for (const grid of this.#layers.values()) if (now > grid.due) return true;
    return false;
  }

  /**
   * Changes thresholds; missing ones keep their value. Takes effect at the next
   * {@linkcode MapShard.age}.
   *
   * @param options the thresholds, ms
   * @throws {RangeError} if one is negative or not a number
   */
  configure(options: AgeingOptions): void {
    this.#ageing = resolveAgeing(options, this.#ageing);
    this.#latest = Infinity;
  }

  /**
   * Restores a sequence of tiles that `Grid.nextSaved` encoded. Skips tiles
   * that the map has already, so restore the newest first. If it throws, the
   * tiles before the invalid one are in the map.
   *
   * The revision of the shard rises to that of the newest cell. Call
   * {@linkcode MapShard.age} after restoring all tiles and replaying the
   * journal: until then the cells have the freshness that was encoded.
   *
   * @param layer its name
   * @param bytes the tiles
   * @param onRestored called with the number of each restored tile
   * @param began `Grid.began` of the layer, if this creates it
   * @returns the number of tiles in the bytes
   * @throws {RangeError} if the bytes are not valid tiles
   */
  restoreTiles(
    layer: string,
    bytes: Uint8Array,
    onRestored: (tile: number) => void = () => {},
    began?: number,
  ): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const grid = this.#layers.get(layer) ?? new Grid(this.#budget, began);
    let count = 0;
    for (let at = 0; at < bytes.length; count++) {
      at = decodeTile(view, scratch, at);
      const tile = grid.writer.restore(scratch);
      if (count === 0) this.#layers.set(layer, grid);
      this.#revision = Math.max(this.#revision, grid.revision);
      if (tile !== undefined) onRestored(tile);
    }
    return count;
  }

  /**
   * Sets the revision to the one that was stored.
   *
   * @param revision an integer, not below the present one
   * @param began {@linkcode MapShard.began}
   * @throws {RangeError} if it is not such a number
   */
  restoreRevision(revision: number, began?: number): void {
    if (!Number.isSafeInteger(revision) || revision < this.#revision) {
      throw new RangeError(
        `Cannot restore revision ${revision}: the map is at ${this.#revision}`,
      );
    }
    this.#revision = revision;
    this.#began = began;
  }
}

function checkClock(now: number): void {
  if (!Number.isFinite(now)) {
    throw new RangeError(`Cannot use clock ${now}: expected ms since 1970`);
  }
}

function checkColumns({ length, x, y, value, time }: ReadingColumns): void {
  const room = Math.min(x.length, y.length, value.length, time.length);
  if (!(Number.isInteger(length) && length >= 0 && length <= room)) {
    throw new RangeError(
      `Cannot apply ${length} readings: the columns have room for ${room}`,
    );
  }
}
