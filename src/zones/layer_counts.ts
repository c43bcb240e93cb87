/**
 * Keeps the counts of all zones of one layer equal to its cells.
 *
 * @module
 */

import { Deadlines } from "../common/deadlines.ts";
import type { Work } from "../common/turns.ts";
import type { Grid, OccupancyMap } from "../grid/mod.ts";
import { ShareCounts } from "./share_counts.ts";
import type { TileZones } from "./tile_zones.ts";
import type { Zone } from "./zone.ts";
import { TileCounter, type ZoneCounts } from "./zone_counts.ts";

/** If more tiles have changed, all are checked, in slices. */
const MAX_LISTED_TILES = 16_384;
/** Tiles with stale cells that one update counts again: about 2 ms. */
const MAX_STALE_TILES = 256;
/** Costs of parts of the work, in units of about 10 ns. */
const COST = { check: 1, tile: 500, share: 40 } as const;
/** Numbers of a zone in the totals, see `ShareCounts.replace`. */
const TOTALS = 5;

/** Shared by all layers: a tile is counted before the next is read. */
const counter = new TileCounter();

/** The counts of the zones of one layer. */
export class LayerCounts {
  /** The zones, by number. */
  readonly zones: readonly Zone[];
  readonly #layer: string;
  readonly #index: TileZones;
  readonly #staleAfter: readonly (number | undefined)[];
  readonly #hasOwnStaleAfter: boolean;
  readonly #totals: Float64Array;
  #shares = new ShareCounts();
  /** Zones whose totals have changed since they were taken, by number. */
  #touched = new Set<number>();
  #grid: Grid | undefined;
  /** {@linkcode LayerCounts.revision} */
  #revision = 0;
  /** `Grid.writes` when tiles with stale cells were last counted. */
  #writes = 0;
  #now = -Infinity;
  /** The time after which a cell of a tile becomes stale for a zone. */
  readonly #due = new Deadlines<number>();
  /**
   * The tiles with cells that are stale for a zone with its own `staleAfter`,
   * those that were counted last at the end. After a write to the layer they
   * must be counted again: a reading that repeats the value of such a cell makes
   * it fresh, but changes no revision.
   */
  readonly #stale = new Set<number>();
  /** How many of them, from the first, must be counted again. */
  #staleLeft = 0;

  /**
   * Starts without counts.
   *
   * @param layer its name
   * @param zones the zones of this layer
   * @param index where these zones are
   */
  constructor(layer: string, zones: readonly Zone[], index: TileZones) {
    this.#layer = layer;
    this.zones = zones;
    this.#index = index;
    this.#staleAfter = zones.map(({ staleAfter }) => staleAfter);
    this.#hasOwnStaleAfter = zones.some((zone) =>
      zone.staleAfter !== undefined
    );
    this.#totals = new Float64Array(TOTALS * zones.length);
  }

  /** All changes of the layer up to this revision are counted. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Up to this time no cell becomes stale for a zone with its own `staleAfter`,
   * ms since 1970; Infinity if there is none.
   */
  get due(): number {
    return this.#due.next ?? Infinity;
  }

  /** Returns true if {@linkcode LayerCounts.count} may change a count. */
  isDue(map: OccupancyMap, now: number): boolean {
    return !this.isCurrent(map) || now > this.due || this.#isStaleDue(now);
  }

  /**
   * Returns true if all changes of the layer are counted. Not if its shard was
   * replaced since, whose revision may be the same.
   */
  isCurrent(map: OccupancyMap): boolean {
    return map.layer(this.#layer) === this.#grid &&
      map.revisionOf(this.#layer) === this.#revision;
  }

  /** Returns the counts of a zone. */
  counts(zone: number): ZoneCounts {
    const at = TOTALS * zone;
    const totals = this.#totals;
    return {
      cells: totals[at]!,
      occupied: totals[at + 1]!,
      stale: totals[at + 2]!,
      unknown: totals[at + 3]!,
      sum: totals[at + 4]!,
    };
  }

  /** Returns the zones whose counts changed since the last call, by number. */
  takeTouched(): ReadonlySet<number> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  /**
   * Counts the tiles that changed since the last call, those in which a cell
   * became stale, and some of those with stale cells. If there are hundreds of
   * them, `isDue` stays true for some updates. If the map changes during a pause,
   * call it again. Must be run to its end.
   *
   * @param map has the layer, or not
   * @param now the clock, ms since 1970
   * @param sliceCost pauses after this cost, in units of about 10 ns
   * @param isFirst false to leave out cells of which only the time was updated
   */
  *count(
    map: OccupancyMap,
    now: number,
    sliceCost: number,
    isFirst: boolean,
  ): Work<void> {
    const grid = map.layer(this.#layer);
    if (grid !== this.#grid) this.#reset(grid);
    const revision = map.revisionOf(this.#layer);
    if (grid === undefined) {
      this.#revision = revision;
      return;
    }
    const tiles = new Set<number>();
    while (now > this.due) {
      const tile = this.#due.takeDue(this.due)!;
      tiles.add(tile);
    }
    if (isFirst) this.#takeStale(grid, now, tiles);
    const since = this.#revision;
    const listed = grid.changedTiles(since, MAX_LISTED_TILES);
    let cost = 0;
    for (const tile of listed ?? []) tiles.add(tile);
    if (listed === undefined) {
      for (let tile = 0; tile < grid.tileCount; tile++) {
        cost += COST.check;
        if (grid.tileRevision(tile) > since) {
          cost += this.#countTile(grid, tile, now);
          tiles.delete(tile);
        }
        if (cost < sliceCost) continue;
        cost = 0;
        yield;
        if (map.layer(this.#layer) !== grid) return;
      }
    }
    for (const tile of tiles) {
      cost += this.#countTile(grid, tile, now);
      if (cost < sliceCost) continue;
      cost = 0;
      yield;
      if (map.layer(this.#layer) !== grid) return;
    }
    this.#revision = revision;
  }

  /** True if tiles with stale cells must be counted again. */
  #isStaleDue(now: number): boolean {
    return this.#stale.size > 0 &&
      (this.#staleLeft > 0 || this.#grid?.writes !== this.#writes ||
        now < this.#now);
  }

  /** Adds some of the tiles with stale cells that must be counted again. */
  #takeStale(grid: Grid, now: number, tiles: Set<number>): void {
    if (grid.writes !== this.#writes || now < this.#now) {
      this.#staleLeft = this.#stale.size;
    }
    this.#writes = grid.writes;
    this.#now = now;
    let taken = Math.min(this.#staleLeft, MAX_STALE_TILES);
    this.#staleLeft -= taken;
    for (const tile of this.#stale) {
      if (taken-- === 0) break;
      tiles.add(tile);
    }
  }

  /** Forgets all counts: the layer was deleted, or its tiles have new numbers. */
  #reset(grid: Grid | undefined): void {
    this.#grid = grid;
    this.#revision = 0;
    this.#shares = new ShareCounts();
    this.#due.clear();
    this.#stale.clear();
    this.#staleLeft = 0;
    for (let zone = 0; zone < this.zones.length; zone++) {
      if (this.#totals[TOTALS * zone]! > 0) this.#touched.add(zone);
    }
    this.#totals.fill(0);
  }

  /** Counts a tile again. Returns its cost. */
  #countTile(grid: Grid, tile: number, now: number): number {
    const { tx, ty } = grid.tileAt(tile)!;
    const shares = this.#index.at(tx, ty);
    const { length } = shares;
    if (length === 0) return COST.tile;
    counter.read(grid, tile, now, this.#hasOwnStaleAfter);
    const record = this.#shares.recordsOf(tile, length);
    for (let i = 0; i < length; i++) {
      const { zone, mask } = shares[i]!;
      counter.count(mask, this.#staleAfter[zone]);
      const at = TOTALS * zone;
      if (this.#shares.replace(record + i, counter, this.#totals, at)) {
        this.#touched.add(zone);
      }
    }
    if (counter.due < Infinity) this.#due.set(tile, counter.due);
    else this.#due.delete(tile);
    this.#stale.delete(tile);
    if (counter.hasStale) this.#stale.add(tile);
    return COST.tile + COST.share * length;
  }
}
