/**
 * One layer of the map: the latest value of every coordinate.
 *
 * @module
 */

import type { Cell, CellVisitor } from "./cell.ts";
import type { CellCounts } from "./cell_counter.ts";
import {
  cellAt,
  CellReader,
  type ScanOptions,
  selectTiles,
} from "./cell_reader.ts";
import { findLongUnknown, type LongUnknown } from "./cell_removal.ts";
import { CellWriter } from "./cell_writer.ts";
import type { Ageing } from "./freshness.ts";
import {
  type CellRows,
  type CopyBudget,
  LayerSnapshot,
  readChangedCells,
  type SnapshotSource,
} from "./layer_snapshot.ts";
import { type DueTiles, findDueTiles } from "./tile_ageing.ts";
import { TileColumns } from "./tile_codec.ts";
import type { TileMemory } from "./tile_memory.ts";
import type { SavedTile, TileSave } from "./tile_save.ts";
import { readStatus, type TileStatus } from "./tile_status.ts";
import { NO_TILE } from "./tile_table.ts";
import { TILE_BITS } from "./tiles.ts";

/** A layer with fewer tiles is not rebuilt: it would free little. */
const MIN_REBUILT_TILES = 1024;
/** A layer with more cells is not rebuilt: that takes too long at once. */
const MAX_REBUILT_CELLS = 20_000;

/**
 * The cells of one layer, in tiles of 32 by 32 cells.
 *
 * Only `MapShard` may use {@linkcode Grid.writer}, because it maintains the
 * revision of all layers. Only the store may save.
 */
export class Grid {
  /** Identifies the layer, see `MapShard.beganOf`. */
  readonly began: number | undefined;
  /** Changes the cells. For `MapShard` only. */
  readonly writer: CellWriter;
  readonly #memory: TileMemory;
  readonly #save: TileSave;
  readonly #source: SnapshotSource;

  /**
   * Makes a layer without cells.
   *
   * @param budget the memory for snapshots, shared with other layers
   * @param began identifies the layer, see `MapShard.beganOf`
   */
  constructor(budget: CopyBudget, began?: number) {
    this.began = began;
    const writer = new CellWriter(budget.copies);
    const { memory, save, changes } = writer;
    this.writer = writer;
    this.#memory = memory;
    this.#save = save;
    this.#source = { memory, changes, budget };
  }

  /**
   * True if most tiles have lost their cells, and few cells are left: then
   * {@linkcode Grid.rebuilt} frees the memory of these tiles.
   */
  get isMostlyEmpty(): boolean {
    const tiles = this.#memory.tiles.length;
    return tiles >= MIN_REBUILT_TILES && tiles > 2 * this.size &&
      this.size <= MAX_REBUILT_CELLS;
  }

  /**
   * Returns the same cells in new memory, without empty tiles. The next save
   * includes all of them. Nothing may write to this object afterwards; its
   * readers stay valid.
   */
  rebuilt(): Grid {
    const grid = new Grid(this.#source.budget, this.began);
    const columns = new TileColumns();
    const { tiles } = this.#memory;
    for (let tile = 0; tile < tiles.length; tile++) {
      if (tiles.count(tile) === 0) continue;
      this.#memory.read(tile, columns);
      grid.markDirty(grid.writer.restore(columns)!);
    }
    return grid;
  }

  /** Number of cells. */
  get size(): number {
    return this.writer.size;
  }

  /** Number of cells that were removed since this object was made. */
  get removed(): number {
    return this.writer.removed;
  }

  /**
   * The time of the latest observation, ms since 1970; -Infinity if there is
   * none. It stays when the cell is removed, until a restart.
   */
  get latest(): number {
    return this.writer.latest;
  }

  /** The newest revision that a cell has had. */
  get revision(): number {
    return this.writer.revision;
  }

  /** All cells keep their freshness up to this time, ms since 1970. */
  get due(): number {
    return this.writer.due;
  }

  /** Memory of tiles and cells, in bytes. */
  get bytes(): number {
    return this.#memory.bytes + this.#save.bytes;
  }

  /** Memory of tiles and cells without free blocks and copies, in bytes. */
  get usedBytes(): number {
    return this.#memory.tiles.bytes + this.#memory.slab.usedBytes;
  }

  /** Returns the number of cells in the tile of a coordinate. */
  cellsInTile(x: number, y: number): number {
    const { tiles } = this.#memory;
    const tile = tiles.find(x >> TILE_BITS, y >> TILE_BITS);
    return tile === NO_TILE ? 0 : tiles.count(tile);
  }

  /** Returns the number of cells by status, at constant cost. */
  counts(): CellCounts {
    return this.writer.counter.counts();
  }

  /**
   * Returns the cell at a coordinate.
   *
   * @param x int32
   * @param y int32
   * @returns undefined if it was never reported
   */
  get(x: number, y: number): Cell | undefined {
    return cellAt(this.#memory, x, y);
  }

  /**
   * Reads cells in no particular order. The cost depends on the size of the
   * region and the number of changes, not on the size of the layer.
   *
   * @param options which cells; all by default
   * @returns a reader before the first cell
   * @throws {RangeError} if a bound is not a number, `x0 > x1` or `y0 > y1`
   */
  cells(options: ScanOptions = {}): CellReader {
    return new CellReader(this.#source, options);
  }

  /**
   * Reads cells as they are now, in slices, while the layer changes.
   *
   * @param options as for `cells`
   * @returns a reader before the first tile; close it
   */
  snapshot(options: ScanOptions = {}): LayerSnapshot {
    this.writer.leave();
    return new LayerSnapshot(this.#source, this.size, options);
  }

  /**
   * Visits the cells that {@linkcode Grid.cells} reads; slower.
   *
   * @param visit called with each cell; must not change the map
   * @param options which cells; all by default
   * @throws {RangeError} as `cells` does
   */
  scan(visit: CellVisitor, options: ScanOptions = {}): void {
    for (const cell = this.cells(options); cell.next();) {
      const { x, y, value, time, revision, freshness } = cell;
      visit(x, y, value, time, revision, freshness);
    }
  }

  /**
   * Returns the tile coordinates of a tile. Tiles have fixed numbers from 0,
   * and new tiles get the next number, so a layer can be read in slices.
   *
   * @returns undefined after the last tile
   */
  tileAt(tile: number): { tx: number; ty: number } | undefined {
    const { tiles } = this.#memory;
    if (tile >= tiles.length) return undefined;
    return { tx: tiles.tx(tile), ty: tiles.ty(tile) };
  }

  /**
   * Returns the tiles that changed after a revision: whose cells changed, were
   * added or were removed.
   *
   * @param since an earlier revision of the map; 0 for all tiles
   * @param limit the maximum number of tiles to return
   * @returns their numbers; undefined if they are more, or not known: then the
   * caller must check {@linkcode Grid.tileRevision} of every tile
   */
  changedTiles(since: number, limit: number): readonly number[] | undefined {
    return selectTiles(this.#source, undefined, since, limit);
  }

  /**
   * Returns the revision of the last change of a tile.
   *
   * @param tile its number, below {@linkcode Grid.tileCount}
   */
  tileRevision(tile: number): number {
    return this.#memory.tiles.revision(tile);
  }

  /** Number of tiles, also of those without cells. */
  get tileCount(): number {
    return this.#memory.tiles.length;
  }

  /**
   * Increases with each call that may change the layer, also if it only updates
   * times.
   */
  get writes(): number {
    return this.#memory.writes;
  }

  /**
   * Reads the cells of one tile as they are now.
   *
   * @param tile its number, below {@linkcode Grid.tileCount}
   * @param into receives the cells
   * @param withTimes true to read their times too
   */
  readTile(tile: number, into: TileStatus, withTimes: boolean): void {
    readStatus(this.#memory, tile, into, withTimes);
  }

  /**
   * Reads the cells of one tile that changed after a revision.
   *
   * @param tile its number, below {@linkcode Grid.tileCount}
   * @param since an earlier revision of the shard; 0 for all cells
   * @param rows receives the cells
   * @returns their number
   */
  readChanged(tile: number, since: number, rows: CellRows): number {
    return readChangedCells(this.#memory, tile, since, rows);
  }

  /**
   * Finds cells that have been unknown for long, in a slice of the layer of
   * about a millisecond.
   *
   * @param from the first tile of the slice: 0, or `next` of the slice before
   * @param now the clock, ms since 1970
   * @param ageing the thresholds
   * @param removeAfter for how long a cell must have been unknown, ms
   */
  longUnknown(
    from: number,
    now: number,
    ageing: Ageing,
    removeAfter: number,
  ): LongUnknown {
    return findLongUnknown(this.#memory, from, now, ageing, removeAfter);
  }

  /**
   * Finds the tiles in which a cell may be due, in a slice of the layer; to age
   * them takes about a millisecond.
   *
   * @param from the first tile of the slice: 0, or `next` of the slice before
   * @param now the clock, ms since 1970
   * @param everything true for all tiles: the clock was set back, or thresholds
   * have changed
   */
  dueTiles(from: number, now: number, everything = false): DueTiles {
    return findDueTiles(this.#memory.tiles, from, now, everything);
  }

  /**
   * Begins to save the tiles that changed since the last save began (also those
   * with new times only). {@linkcode Grid.nextSaved} returns them as they are
   * now, even if the layer changes before the call.
   *
   * @returns the number of tiles to save
   * @throws {RangeError} if a save is running
   */
  beginSave(): number {
    this.writer.leave();
    return this.#save.begin();
  }

  /**
   * Encodes the next tile of the running save, for `MapShard.restoreTiles`.
   *
   * @param bytes destination, with room for `MAX_TILE_BYTES`
   * @param from offset of the first byte
   * @returns the tile and the offset after it; undefined if there are no more
   * @throws {RangeError} if there is no room; call again for the same tile
   */
  nextSaved(bytes: Uint8Array, from: number): SavedTile | undefined {
    return this.#save.next(bytes, from);
  }

  /**
   * Ends the running save, if there is one.
   *
   * @param stored true if all tiles are stored; else the next save repeats them
   */
  endSave(stored: boolean): void {
    this.#save.end(stored);
  }

  /**
   * Makes the next save include a tile that did not change.
   *
   * @throws {RangeError} if there is no such tile
   */
  markDirty(tile: number): void {
    this.#save.include(tile);
  }
}
