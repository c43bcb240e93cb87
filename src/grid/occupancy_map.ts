/**
 * All layers under one revision.
 *
 * @module
 */

import type { ApplyResult, ReadingColumns } from "./cell.ts";
import { type Ageing, type AgeingOptions, resolveAgeing } from "./freshness.ts";
import { Grid } from "./grid.ts";
import { decodeTile, TileColumns } from "./tile_codec.ts";

/** Shared by all maps: a tile is restored before the next is decoded. */
const scratch = new TileColumns();

/**
 * What is known: layers of cells, the latest value of each by time of observation.
 *
 * It has no clock: each call is told the time. The same calls with the same arguments give the
 * same map with the same revisions, so a journal of calls can be replayed.
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
  readonly #layers = new Map<string, Grid>();
  #ageing: Ageing;
  #revision = 0;
  /**
   * The latest clock since age() last left all cells right; Infinity when the thresholds have
   * changed. An age() before this cannot rely on cells having only grown older.
   */
  #latest = -Infinity;

  /**
   * An empty map at revision 0.
   *
   * @param options the thresholds, ms
   * @throws {RangeError} when one is negative or not a number
   */
  constructor(options: AgeingOptions = {}) {
    this.#ageing = resolveAgeing(options);
  }

  /** How many times it has changed: what the cells changed last have as theirs. */
  get revision(): number {
    return this.#revision;
  }

  /** The thresholds that hold, ms. */
  get ageing(): Ageing {
    return this.#ageing;
  }

  /** How many coordinates all layers have. */
  get size(): number {
    let size = 0;
    for (const grid of this.#layers.values()) size += grid.size;
    return size;
  }

  /** How many layers have cells. */
  get layerCount(): number {
    return this.#layers.size;
  }

  /** The layer of this name; `undefined` as long as it has no cells. */
  layer(name: string): Grid | undefined {
    return this.#layers.get(name);
  }

  /** All layers by name, in the order in which they came. */
  layers(): Iterable<[string, Grid]> {
    return this.#layers.entries();
  }

  /**
   * Takes readings in. The reading with the latest time of observation wins, of equal ones the
   * one that arrived last.
   *
   * If any cell changes, the revision of the map goes up by one and is that of these cells. A
   * reading that only repeats what is known renews the time of the cell, and changes nothing.
   *
   * @param layer its name; the layer is made if it gets a cell
   * @param batch the readings in order of arrival
   * @param now the clock, ms since 1970
   * @returns what became of them
   * @throws {RangeError} when `now` is not finite, or a column is shorter than the batch
   */
  apply(layer: string, batch: ReadingColumns, now: number): ApplyResult {
    checkClock(now);
    checkColumns(batch);
    const grid = this.#layers.get(layer) ?? new Grid();
    const next = this.#revision + 1;
    const result = grid.write(batch, now, next, this.#ageing);
    if (now > this.#latest) this.#latest = now;
    if (result.changed > 0) {
      this.#layers.set(layer, grid);
      this.#revision = next;
    }
    return result;
  }

  /**
   * Moves all cells to the freshness that their age demands, whichever way the clock went. Cheap
   * when nothing is due: call it once a second.
   *
   * If any cell changes, the revision of the map goes up by one and is that of these cells.
   *
   * @param now the clock, ms since 1970
   * @returns how many cells turned fresh, stale or forgotten
   * @throws {RangeError} when `now` is not finite
   */
  age(now: number): number {
    checkClock(now);
    const everything = now < this.#latest;
    const next = this.#revision + 1;
    let changed = 0;
    for (const grid of this.#layers.values()) {
      changed += grid.age(now, next, this.#ageing, everything);
    }
    this.#latest = now;
    if (changed > 0) this.#revision = next;
    return changed;
  }

  /**
   * Whether {@linkcode OccupancyMap.age} may change something. Costs nothing; true more often
   * than need be.
   *
   * @param now the clock, ms since 1970
   */
  isDue(now: number): boolean {
    if (now < this.#latest) return true;
    for (const grid of this.#layers.values()) if (now > grid.due) return true;
    return false;
  }

  /**
   * Sets thresholds; those not given stay. Cells follow at the next {@linkcode OccupancyMap.age}.
   *
   * @param options the thresholds, ms
   * @throws {RangeError} when one is negative or not a number
   */
  configure(options: AgeingOptions): void {
    this.#ageing = resolveAgeing(options, this.#ageing);
    this.#latest = Infinity;
  }

  /**
   * Takes in tiles that `Grid.nextSaved` handed out, one behind the other. A tile that is there
   * already is passed over: restore the newest first. When it throws, those before the bad one are
   * in the map.
   *
   * The revision of the map rises to that of the newest cell. Call {@linkcode OccupancyMap.age}
   * when all that was stored is back, and what a journal has is replayed: until then the cells
   * have the freshness with which they were encoded.
   *
   * @param layer its name
   * @param bytes the tiles
   * @param restored is given the number of each tile that was taken in
   * @returns how many tiles the bytes hold
   * @throws {RangeError} when the bytes are not tiles
   */
  restoreTiles(
    layer: string,
    bytes: Uint8Array,
    restored: (tile: number) => void = () => {},
  ): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const grid = this.#layers.get(layer) ?? new Grid();
    let count = 0;
    for (let at = 0; at < bytes.length; count++) {
      at = decodeTile(view, scratch, at);
      const tile = grid.restore(scratch);
      if (count === 0) this.#layers.set(layer, grid);
      this.#revision = Math.max(this.#revision, grid.revision);
      if (tile !== undefined) restored(tile);
    }
    return count;
  }

  /**
   * Sets the revision, so that it goes on from where it was.
   *
   * @param revision an integer, not below the present one
   * @throws {RangeError} when it is not that
   */
  restoreRevision(revision: number): void {
    if (!Number.isSafeInteger(revision) || revision < this.#revision) {
      throw new RangeError(
        `Cannot restore revision ${revision}: the map is at ${this.#revision}`,
      );
    }
    this.#revision = revision;
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
