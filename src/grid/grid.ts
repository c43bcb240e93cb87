/**
 * One layer of the map: the latest value of every coordinate.
 *
 * @module
 */

import { findSlot, metaFreshness, metaKey, metaOf } from "./block.ts";
import type { ApplyResult, Cell, CellVisitor, ReadingColumns } from "./cell.ts";
import { CellReader, type ScanOptions, UNKNOWN } from "./cell_reader.ts";
import { ChangeList } from "./change_list.ts";
import { type Ageing, dueAt, Freshness, freshnessAt } from "./freshness.ts";
import { scanInOrder } from "./first_seen.ts";
import { keyOf, TILE_BITS } from "./tiles.ts";
import { isInt32 } from "../protocol/region.ts";
import { type CellCounts, Tally } from "./tally.ts";
import type { TileColumns } from "./tile_codec.ts";
import { LOOK_AHEAD, TileCursor } from "./tile_cursor.ts";
import { type SavedTile, TileSave } from "./tile_save.ts";
import { TileStore } from "./tile_store.ts";
import { NO_TILE } from "./tile_table.ts";

/**
 * The cells of one layer, in tiles of 32 by 32 that cost what they hold.
 *
 * Readers may use all of it but `write`, `age` and `restore`: these belong to `OccupancyMap`,
 * which keeps the revisions of its layers together. A save belongs to the one store of the map.
 */
export class Grid {
  readonly #store = new TileStore();
  readonly #slab = this.#store.slab;
  readonly #tiles = this.#store.tiles;
  readonly #save = new TileSave(this.#store);
  readonly #cursor = new TileCursor(this.#store, this.#save);
  readonly #changes = new ChangeList(this.#tiles);
  readonly #tally = new Tally();
  #size = 0;
  #revision = 0;
  /** The newest revision that came with restored tiles, which are not in the list of changes. */
  #restored = 0;
  /** One above the largest first-seen order. */
  #nextOrder = 0;
  /** The least of the tiles' own. */
  #due = Infinity;

  /** How many coordinates it has ever seen. */
  get size(): number {
    return this.#size;
  }

  /** The newest revision of its cells; 0 when it has none. */
  get revision(): number {
    return this.#revision;
  }

  /** No cell is due for another freshness up to this time, ms since 1970. */
  get due(): number {
    return this.#due;
  }

  /** Memory of its tiles and cells, bytes. */
  get bytes(): number {
    return this.#store.bytes + this.#save.bytes;
  }

  /** How many cells say what. Costs nothing: the counts are kept up to date. */
  counts(): CellCounts {
    return this.#tally.counts();
  }

  /**
   * Looks one coordinate up.
   *
   * @param x int32
   * @param y int32
   * @returns what is known of it; `undefined` when it was never seen
   */
  get(x: number, y: number): Cell | undefined {
    if (!isInt32(x) || !isInt32(y)) return undefined;
    const tile = this.#tiles.find(x >> TILE_BITS, y >> TILE_BITS);
    if (tile === NO_TILE) return undefined;
    const block = this.#tiles.block(tile);
    const chunk = this.#slab.chunkOf(block);
    const start = this.#slab.offsetOf(block);
    const sizeClass = this.#tiles.sizeClass(tile);
    const slot = findSlot(chunk.meta, start, sizeClass, keyOf(x, y));
    if (slot < 0) return undefined;
    const freshness = metaFreshness(chunk.meta[slot]!);
    return {
      x,
      y,
      value: freshness === Freshness.Forgotten ? UNKNOWN : chunk.value[slot]!,
      time: chunk.time[slot]!,
      revision: chunk.revision[slot]!,
      freshness,
    };
  }

  /**
   * Reads cells, in no particular order. Costs what the region holds and what changed, not what
   * the layer holds.
   *
   * @param options which cells; all by default
   * @returns stands before the first cell
   * @throws {RangeError} when the region has a bound that is not a number, or `x0 > x1`, `y0 > y1`
   */
  cells(options: ScanOptions = {}): CellReader {
    const source = {
      store: this.#store,
      changes: this.#changes,
      listedAfter: this.#restored,
    };
    return new CellReader(source, options);
  }

  /**
   * Visits cells as {@linkcode Grid.cells} reads them, for where speed matters less.
   *
   * @param visit is given each cell; it must not change the map
   * @param options which cells; all by default
   * @throws {RangeError} as `cells` does
   */
  scan(visit: CellVisitor, options: ScanOptions = {}): void {
    for (const cell = this.cells(options); cell.next();) {
      visit(
        cell.x,
        cell.y,
        cell.value,
        cell.time,
        cell.revision,
        cell.freshness,
      );
    }
  }

  /**
   * Visits all cells in the order in which their coordinates were first seen. Slower than
   * {@linkcode Grid.scan}, and takes 16 bytes a cell while it lasts.
   *
   * @param visit is given each cell; it must not change the map
   */
  scanInOrder(visit: CellVisitor): void {
    scanInOrder(this.#store, this.#size, visit);
  }

  /**
   * Where a tile lies. Tiles keep their numbers, from 0, and new ones come last: whoever reads a
   * layer in slices finds on from there.
   *
   * @returns its tile coordinates; undefined past the last
   */
  tileAt(tile: number): { tx: number; ty: number } | undefined {
    const tiles = this.#tiles;
    if (tile >= tiles.length) return undefined;
    return { tx: tiles.tx(tile), ty: tiles.ty(tile) };
  }

  /**
   * Begins to save the tiles that were written to (also if only times were renewed) since the last
   * save began. They are handed out by {@linkcode Grid.nextSaved} as they are now, whatever
   * happens to the layer meanwhile.
   *
   * @returns how many tiles there are to save
   * @throws {RangeError} when a save is under way
   */
  beginSave(): number {
    this.#cursor.leave();
    return this.#save.begin();
  }

  /**
   * Writes the next tile of the save under way, as it was when that began, for
   * `OccupancyMap.restoreTiles`.
   *
   * @param bytes where it goes
   * @param from where it starts there, with room for `MAX_TILE_BYTES`
   * @returns which tile it is and where it ends; undefined when there are no more
   * @throws {RangeError} when there is no room; it is still the next one
   */
  nextSaved(bytes: Uint8Array, from: number): SavedTile | undefined {
    return this.#save.next(bytes, from);
  }

  /**
   * Ends the save under way, if there is one.
   *
   * @param stored whether all its tiles are safe; if not, the next save has them again
   */
  endSave(stored: boolean): void {
    this.#save.end(stored);
  }

  /**
   * Has the next save take a tile again, though nothing was written to it.
   *
   * @throws {RangeError} when there is no such tile
   */
  markDirty(tile: number): void {
    this.#check(tile);
    this.#save.noteWrite(tile);
  }

  /**
   * Takes a batch of readings in. For `OccupancyMap` only.
   *
   * @param batch the readings, in order of arrival
   * @param now the clock, ms since 1970
   * @param revision what changed cells get: above that of every cell
   * @param ageing the thresholds
   */
  write(
    batch: ReadingColumns,
    now: number,
    revision: number,
    ageing: Ageing,
  ): ApplyResult {
    const latest = now + ageing.maxSkew;
    const cursor = this.#cursor;
    let changed = 0, renewed = 0, late = 0, future = 0;
    this.#store.writes++;
    for (let i = 0; i < batch.length; i++) {
      const ahead = i % LOOK_AHEAD;
      if (ahead === 0) cursor.lookAhead(batch.x, batch.y, i, batch.length);
      const time = batch.time[i]!;
      if (!(time <= latest)) {
        future++;
        continue;
      }
      const x = batch.x[i]!;
      const y = batch.y[i]!;
      const value = batch.value[i]!;
      const slot = cursor.seek(x, y, ahead);
      const chunk = cursor.chunk;
      const oldTime = slot < 0 ? time : chunk.time[slot]!;
      // A stored time beyond the skew was taken in under a clock since set back: it wins nothing.
      if (time < oldTime && oldTime <= latest) {
        late++;
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
        // With the same freshness a later time is only due later: the bound still holds.
        if (meta !== oldMeta || time < oldTime) {
          this.#lowerDue(dueAt(time, freshness, ageing));
        }
        if (value === oldValue && meta === oldMeta) {
          this.#save.noteWrite(cursor.tile);
          renewed++;
          continue;
        }
        this.#tally.remove(oldValue, metaFreshness(oldMeta));
        chunk.value[slot] = value;
        chunk.meta[slot] = meta;
        chunk.revision[slot] = revision;
      }
      this.#tally.add(value, freshness);
      this.#noteChange(cursor.tile, revision);
      changed++;
    }
    return { changed, renewed, late, future };
  }

  /**
   * Moves cells to the freshness that their age demands. For `OccupancyMap` only.
   *
   * Looks only into tiles in which a cell may be due; so it relies on the clock having moved
   * forwards, under the same thresholds, since all cells were last looked at.
   *
   * @param now the clock, ms since 1970
   * @param revision what changed cells get: above that of every cell
   * @param ageing the thresholds
   * @param everything whether to look at all cells, due or not
   * @returns how many cells changed
   */
  age(
    now: number,
    revision: number,
    ageing: Ageing,
    everything: boolean,
  ): number {
    if (!everything && now <= this.#due) return 0;
    let changed = 0;
    this.#store.writes++;
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
   * Takes a tile in as it was encoded, unless it is there already. For `OccupancyMap` only.
   *
   * @param columns the cells, as `decodeTile` checked them
   * @returns its number; undefined when it was there
   */
  restore(columns: TileColumns): number | undefined {
    const { tx, ty, count } = columns;
    if (this.#tiles.find(tx, ty) !== NO_TILE) return undefined;
    this.#store.writes++;
    const tile = this.#store.addWith(columns);
    let newest = 0;
    for (let i = 0; i < count; i++) {
      const order = columns.order[i]!;
      this.#tally.add(columns.value[i]!, metaFreshness(columns.meta[i]!));
      newest = Math.max(newest, columns.revision[i]!);
      if (order >= this.#nextOrder) this.#nextOrder = order + 1;
    }
    this.#size += count;
    this.#tiles.setRevision(tile, newest);
    this.#restored = Math.max(this.#restored, newest);
    this.#revision = Math.max(this.#revision, newest);
    // Time has passed, or the clock was set, since it was encoded: age() looks at it in any case.
    this.#tiles.setDue(tile, -Infinity);
    this.#due = -Infinity;
    return tile;
  }

  /** Adds a cell to the tile that is written to, at the slot where it was not found. */
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

  /** Moves the cells of a tile to their freshness, and finds when the next one is due. */
  #ageTile(
    tile: number,
    now: number,
    revision: number,
    ageing: Ageing,
  ): number {
    this.#save.beforeWrite(tile);
    const block = this.#tiles.block(tile);
    const chunk = this.#slab.chunkOf(block);
    const start = this.#slab.offsetOf(block);
    const end = start + (1 << this.#tiles.sizeClass(tile));
    let changed = 0;
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
      chunk.revision[slot] = revision;
      this.#tally.remove(chunk.value[slot]!, before);
      this.#tally.add(chunk.value[slot]!, after);
      changed++;
    }
    this.#tiles.setDue(tile, due);
    if (changed > 0) this.#noteChange(tile, revision);
    return changed;
  }

  /** A cell of a tile has this revision, the newest of all. */
  #noteChange(tile: number, revision: number): void {
    this.#save.noteWrite(tile);
    if (this.#tiles.revision(tile) === revision) return;
    this.#tiles.setRevision(tile, revision);
    this.#changes.touch(tile);
    this.#revision = revision;
  }

  /** A cell of the tile that is written to is due at this time. */
  #lowerDue(due: number): void {
    const { tile } = this.#cursor;
    if (due < this.#tiles.due(tile)) this.#tiles.setDue(tile, due);
    if (due < this.#due) this.#due = due;
  }

  #check(tile: number): void {
    if (tile >= 0 && tile < this.#tiles.length && Number.isInteger(tile)) {
      return;
    }
    throw new RangeError(
      `Cannot use tile ${tile}: the layer has ${this.#tiles.length}`,
    );
  }
}
