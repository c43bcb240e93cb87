/**
 * One layer of the map: the latest value of every coordinate.
 *
 * @module
 */

import { metaFreshness, metaKey, metaOf } from "./cell_block.ts";
import type {
  ApplyResult,
  Cell,
  CellVisitor,
  DroppedListener,
  ReadingColumns,
} from "./cell.ts";
import {
  cellAt,
  CellReader,
  scanInOrder,
  type ScanOptions,
} from "./cell_reader.ts";
import { ChangeList } from "./change_list.ts";
import { type Ageing, dueAt, freshnessAt, staysUnknown } from "./freshness.ts";
import { keyOf } from "./tiles.ts";
import { CellCounter, type CellCounts } from "./cell_counter.ts";
import type { TileColumns } from "./tile_codec.ts";
import { LOOK_AHEAD_READINGS, TileCursor } from "./tile_cursor.ts";
import { type SavedTile, TileSave } from "./tile_save.ts";
import { TileMemory } from "./tile_memory.ts";
import { NO_TILE } from "./tile_table.ts";

/**
 * The cells of one layer, in tiles of 32 by 32 cells.
 *
 * Only `OccupancyMap` may call `write`, `age` and `restore`, because it
 * maintains the revision of all layers. Only the store may save.
 */
export class Grid {
  readonly #memory = new TileMemory();
  readonly #slab = this.#memory.slab;
  readonly #tiles = this.#memory.tiles;
  readonly #save = new TileSave(this.#memory);
  readonly #cursor = new TileCursor(this.#memory, this.#save);
  readonly #changes = new ChangeList(this.#tiles);
  readonly #counter = new CellCounter();
  #size = 0;
  #revision = 0;
  /** The newest revision of restored tiles (not in the list of changes). */
  #restored = 0;
  /** The first-seen order of the next new cell. */
  #nextOrder = 0;
  /** The minimum of `TileTable.due` over all tiles. */
  #due = Infinity;

  /** Number of cells. */
  get size(): number {
    return this.#size;
  }

  /** The newest revision of the cells; 0 without cells. */
  get revision(): number {
    return this.#revision;
  }

  /** All cells keep their freshness up to this time, ms since 1970. */
  get due(): number {
    return this.#due;
  }

  /** Memory of tiles and cells, in bytes. */
  get bytes(): number {
    return this.#memory.bytes + this.#save.bytes;
  }

  /** Returns the number of cells by status, at constant cost. */
  counts(): CellCounts {
    return this.#counter.counts();
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
    const source = {
      memory: this.#memory,
      changes: this.#changes,
      listedAfter: this.#restored,
    };
    return new CellReader(source, options);
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
   * Visits all cells in the order in which they were first reported. Slower
   * than {@linkcode Grid.scan}; needs 16 bytes for each cell during the call.
   *
   * @param visit called with each cell; must not change the map
   */
  scanInOrder(visit: CellVisitor): void {
    scanInOrder(this.#memory, this.#size, visit);
  }

  /**
   * Returns the tile coordinates of a tile. Tiles have fixed numbers from 0,
   * and new tiles get the next number, so a layer can be read in slices.
   *
   * @returns undefined after the last tile
   */
  tileAt(tile: number): { tx: number; ty: number } | undefined {
    const tiles = this.#tiles;
    if (tile >= tiles.length) return undefined;
    return { tx: tiles.tx(tile), ty: tiles.ty(tile) };
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
    this.#cursor.leave();
    return this.#save.begin();
  }

  /**
   * Encodes the next tile of the running save, for `OccupancyMap.restoreTiles`.
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
    const { length } = this.#tiles;
    if (!(tile >= 0 && tile < length && Number.isInteger(tile))) {
      throw new RangeError(`Cannot use tile ${tile}: the layer has ${length}`);
    }
    this.#save.markDirty(tile);
  }

  /**
   * Applies a batch of readings. For `OccupancyMap` only.
   *
   * @param batch the readings, in order of arrival
   * @param now the clock, ms since 1970
   * @param revision for changed cells: above that of every cell
   * @param ageing the thresholds
   * @param onDropped called for each reading that is dropped
   */
  write(
    batch: ReadingColumns,
    now: number,
    revision: number,
    ageing: Ageing,
    onDropped?: DroppedListener,
  ): ApplyResult {
    const latest = now + ageing.maxSkew;
    const cursor = this.#cursor;
    let changed = 0, renewed = 0, late = 0, future = 0;
    this.#memory.writes++;
    for (let i = 0; i < batch.length; i++) {
      const ahead = i % LOOK_AHEAD_READINGS;
      if (ahead === 0) cursor.lookAhead(batch.x, batch.y, i, batch.length);
      const time = batch.time[i]!;
      if (!(time <= latest)) {
        future++;
        onDropped?.(i, "future");
        continue;
      }
      const x = batch.x[i]!;
      const y = batch.y[i]!;
      const value = batch.value[i]!;
      const slot = cursor.seek(x, y, ahead);
      const chunk = cursor.chunk;
      const oldTime = slot < 0 ? time : chunk.time[slot]!;
      // A stored time above `latest` is from before the clock was set back:
      // every reading replaces it.
      if (time < oldTime && oldTime <= latest) {
        late++;
        onDropped?.(i, "late");
        continue;
      }
      const freshness = freshnessAt(time, now, ageing);
      const meta = metaOf(keyOf(x, y), freshness);
      if (slot < 0) {
        this.#insert(~slot, meta, value, time, revision);
        this.#lowerDue(dueAt(time, freshness, ageing));
      } else {
        const oldValue = chunk.value[slot]!;
        const oldMeta = chunk.meta[slot]!;
        chunk.time[slot] = time;
        // With the same freshness, a later time is due later: no update.
        if (meta !== oldMeta || time < oldTime) {
          this.#lowerDue(dueAt(time, freshness, ageing));
        }
        const oldFreshness = metaFreshness(oldMeta);
        const isSame = value === oldValue && meta === oldMeta;
        if (!isSame) {
          chunk.value[slot] = value;
          chunk.meta[slot] = meta;
        }
        if (isSame || staysUnknown(oldValue, oldFreshness, value)) {
          this.#save.markDirty(cursor.tile);
          renewed++;
          continue;
        }
        this.#counter.remove(oldValue, oldFreshness);
        chunk.revision[slot] = revision;
      }
      this.#counter.add(value, freshness);
      this.#recordChange(cursor.tile, revision);
      changed++;
    }
    return { changed, renewed, late, future };
  }

  /**
   * Updates the freshness of cells. For `OccupancyMap` only.
   *
   * Checks only tiles in which a cell may be due, unless `everything` is true:
   * that is necessary after the clock was set back or the thresholds changed.
   *
   * @param now the clock, ms since 1970
   * @param revision for changed cells: above that of every cell
   * @param ageing the thresholds
   * @param everything true to check all cells
   * @returns the number of cells that changed
   */
  age(
    now: number,
    revision: number,
    ageing: Ageing,
    everything: boolean,
  ): number {
    if (!everything && now <= this.#due) return 0;
    let changed = 0;
    this.#memory.writes++;
    this.#due = Infinity;
    for (let tile = 0; tile < this.#tiles.length; tile++) {
      let due = this.#tiles.due(tile);
      if (everything || now > due) {
        changed += this.#ageTile(tile, now, revision, ageing);
        due = this.#tiles.due(tile);
      }
      if (due < this.#due) this.#due = due;
    }
    return changed;
  }

  /**
   * Adds a decoded tile, unless the layer has it. For `OccupancyMap` only.
   *
   * @param columns the cells, as `decodeTile` returned them
   * @returns the number of the tile; undefined if it was not added
   */
  restore(columns: TileColumns): number | undefined {
    const { tx, ty, count } = columns;
    if (this.#tiles.find(tx, ty) !== NO_TILE) return undefined;
    this.#memory.writes++;
    const tile = this.#memory.addWith(columns);
    let newest = 0;
    for (let i = 0; i < count; i++) {
      const order = columns.order[i]!;
      this.#counter.add(columns.value[i]!, metaFreshness(columns.meta[i]!));
      newest = Math.max(newest, columns.revision[i]!);
      if (order >= this.#nextOrder) this.#nextOrder = order + 1;
    }
    this.#size += count;
    this.#tiles.setRevision(tile, newest);
    this.#restored = Math.max(this.#restored, newest);
    this.#revision = Math.max(this.#revision, newest);
    // The freshness was valid when the tile was encoded: age() must check it.
    this.#tiles.setDue(tile, -Infinity);
    this.#due = -Infinity;
    return tile;
  }

  /** Adds a cell to the current tile; `slot` as for `TileCursor.insert`. */
  #insert(
    slot: number,
    meta: number,
    value: number,
    time: number,
    revision: number,
  ): void {
    slot = this.#cursor.insert(slot, metaKey(meta));
    const chunk = this.#cursor.chunk;
    chunk.meta[slot] = meta;
    chunk.value[slot] = value;
    chunk.time[slot] = time;
    chunk.revision[slot] = revision;
    chunk.order[slot] = this.#nextOrder++;
    this.#size++;
  }

  /** Updates the freshness of a tile's cells, and `due` of the tile. */
  #ageTile(
    tile: number,
    now: number,
    revision: number,
    ageing: Ageing,
  ): number {
    this.#save.copyBeforeWrite(tile);
    const block = this.#tiles.block(tile);
    const chunk = this.#slab.chunkOf(block);
    const start = this.#slab.offsetOf(block);
    const end = start + (1 << this.#tiles.sizeClass(tile));
    let changed = 0;
    let isDirty = false;
    let due = Infinity;
    for (let slot = start; slot < end; slot++) {
      const meta = chunk.meta[slot]!;
      if (meta === 0) continue;
      const time = chunk.time[slot]!;
      const before = metaFreshness(meta);
      const after = freshnessAt(time, now, ageing);
      due = Math.min(due, dueAt(time, after, ageing));
      if (after === before) continue;
      chunk.meta[slot] = metaOf(metaKey(meta), after);
      const value = chunk.value[slot]!;
      isDirty = true;
      if (value < 0) continue; // unknown before and after
      chunk.revision[slot] = revision;
      this.#counter.remove(value, before);
      this.#counter.add(value, after);
      changed++;
    }
    this.#tiles.setDue(tile, due);
    if (changed > 0) this.#recordChange(tile, revision);
    else if (isDirty) this.#save.markDirty(tile);
    return changed;
  }

  /** Records that a cell of a tile changed at the newest revision. */
  #recordChange(tile: number, revision: number): void {
    this.#save.markDirty(tile);
    if (this.#tiles.revision(tile) === revision) return;
    this.#tiles.setRevision(tile, revision);
    this.#changes.moveToFront(tile);
    this.#revision = revision;
  }

  /** Lowers `due` of the current tile and of the layer to at most `due`. */
  #lowerDue(due: number): void {
    const { tile } = this.#cursor;
    if (due < this.#tiles.due(tile)) this.#tiles.setDue(tile, due);
    if (due < this.#due) this.#due = due;
  }
}
