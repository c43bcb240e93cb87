/**
 * Changes the cells of one layer: applies readings, ages, removes and restores
 * cells, and maintains what the layer knows of all its cells.
 *
 * @module
 */

import { metaFreshness, metaKey, metaOf } from "./cell_block.ts";
import type { ApplyResult, DroppedListener, ReadingColumns } from "./cell.ts";
import type { ChangeLog } from "./change_log.ts";
import { type Coordinates, removeUnknown } from "./cell_removal.ts";
import { ChangeList } from "./change_list.ts";
import { type Ageing, dueAt, freshnessAt, staysUnknown } from "./freshness.ts";
import { ageTile } from "./tile_ageing.ts";
import { keyOf } from "./tiles.ts";
import { CellCounter } from "./cell_counter.ts";
import { MAX_ORDER, type TileColumns } from "./tile_codec.ts";
import { LOOK_AHEAD_READINGS, TileCursor } from "./tile_cursor.ts";
import { TileSave } from "./tile_save.ts";
import { TileMemory } from "./tile_memory.ts";
import type { TileCopies } from "./tile_copies.ts";
import { GROUP_TILES, NO_TILE, type TileTable } from "./tile_table.ts";

/** The tiles of a layer that were checked for a time, from the first one. */
interface CheckedTiles {
  readonly now: number;
  readonly ageing: Ageing;
  /** The writes of the layer so far. */
  readonly writes: number;
  /** The number of these tiles. */
  readonly count: number;
}

/** The cells of one layer, for writing. `Grid` reads them. */
export class CellWriter {
  /** The tiles and their cells. */
  readonly memory: TileMemory;
  /** The running save, and the tiles that changed since the last one. */
  readonly save: TileSave;
  /** The tiles in order of their last change, without restored ones. */
  readonly changes: ChangeList;
  /** The number of cells by status. */
  readonly counter: CellCounter = new CellCounter();
  readonly #memory: TileMemory;
  readonly #tiles: TileTable;
  readonly #save: TileSave;
  readonly #cursor: TileCursor;
  readonly #changes: ChangeList;
  readonly #counter = this.counter;
  #size = 0;
  #removed = 0;
  #revision = 0;
  #latest = -Infinity;
  /** The first-seen order of the next new cell. */
  #nextOrder = 0;
  /** The minimum of `TileTable.due` over all tiles. */
  #due = Infinity;
  #checked: CheckedTiles | undefined;

  /** @param copies the memory for copies of tiles that others still read */
  constructor(copies: TileCopies) {
    this.memory = this.#memory = new TileMemory(copies);
    this.#tiles = this.memory.tiles;
    this.save = this.#save = new TileSave(this.memory);
    this.#cursor = new TileCursor(this.memory);
    this.changes = this.#changes = new ChangeList(this.#tiles);
  }

  /** Number of cells. */
  get size(): number {
    return this.#size;
  }

  /** Number of cells that were removed. */
  get removed(): number {
    return this.#removed;
  }

  /** The newest revision that a cell has had. */
  get revision(): number {
    return this.#revision;
  }

  /** The latest time of a cell so far, ms since 1970; -Infinity without. */
  get latest(): number {
    return this.#latest;
  }

  /** All cells keep their freshness up to this time, ms since 1970. */
  get due(): number {
    return this.#due;
  }

  /** Leaves the current tile: call it before a save or a snapshot begins. */
  leave(): void {
    this.#cursor.leave();
  }

  /**
   * Applies a batch of readings.
   *
   * @param batch the readings, in order of arrival
   * @param now the clock, ms since 1970
   * @param revision for changed cells: above that of every cell
   * @param ageing the thresholds
   * @param onDropped called for each reading that is dropped
   * @param log collects what a sample of the layer does not show
   */
  write(
    batch: ReadingColumns,
    now: number,
    revision: number,
    ageing: Ageing,
    onDropped?: DroppedListener,
    log?: ChangeLog,
  ): ApplyResult {
    const sampled = log?.sampled ?? Infinity;
    const stepStart = log?.stepStart ?? -Infinity;
    const latest = now + ageing.maxSkew;
    const cursor = this.#cursor;
    let changed = 0, renewed = 0, late = 0, future = 0;
    /** The last tile whose change was recorded: it is for all of its cells. */
    let recorded = NO_TILE;
    this.#memory.writes++;
    const { length } = batch;
    const xs = batch.x;
    const ys = batch.y;
    const values = batch.value;
    const times = batch.time;
    for (let i = 0; i < length; i++) {
      const ahead = i % LOOK_AHEAD_READINGS;
      if (ahead === 0) cursor.lookAhead(xs, ys, i, length);
      const time = times[i]!;
      if (!(time <= latest)) {
        future++;
        onDropped?.(i, "future");
        continue;
      }
      const x = xs[i]!;
      const y = ys[i]!;
      const value = values[i]!;
      const slot = cursor.seek(x, y, ahead);
      const chunk = cursor.chunk;
      const oldTime = slot < 0 ? time : chunk.time[slot]!;
      // A stored time above `latest` is from before the clock was set back:
      // every reading replaces it.
      if (time < oldTime && oldTime <= latest) {
        late++;
        if (log !== undefined && revision > log.durable) {
          log.late(batch, i, chunk, slot);
        }
        onDropped?.(i, "late");
        continue;
      }
      if (time > this.#latest) this.#latest = time;
      const freshness = freshnessAt(time, now, ageing);
      const meta = metaOf(keyOf(x, y), freshness);
      if (slot < 0) {
        this.#insert(~slot, meta, value, time, revision);
        this.#counter.add(value, freshness);
        this.#lowerDue(dueAt(time, freshness, ageing));
      } else {
        const oldValue = chunk.value[slot]!;
        const oldMeta = chunk.meta[slot]!;
        if (oldTime < stepStart && chunk.revision[slot]! > sampled) {
          log!.replaced(batch, i, chunk, slot);
        }
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
        this.#counter.replace(oldValue, oldFreshness, value, freshness);
        chunk.revision[slot] = revision;
      }
      if (cursor.tile !== recorded) {
        recorded = cursor.tile;
        this.#recordChange(recorded, revision);
      }
      changed++;
    }
    return { changed, renewed, late, future };
  }

  /**
   * Updates the freshness of cells.
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
    const first = everything ? this.#checkedFor(now, ageing).count : Infinity;
    this.#memory.writes++;
    this.#due = Infinity;
    const { length } = this.#tiles;
    for (let group = 0; group < length; group += GROUP_TILES) {
      const end = Math.min(group + GROUP_TILES, length);
      if (end > first || now > this.#tiles.groupDue(group)) {
        for (let tile = group; tile < end; tile++) {
          if (tile < first && now <= this.#tiles.due(tile)) continue;
          changed += this.#ageTile(tile, now, revision, ageing);
        }
      }
      this.#due = Math.min(this.#due, this.#tiles.groupDue(group));
    }
    return changed;
  }

  /**
   * Updates the freshness of the cells of some tiles. {@linkcode CellWriter.due}
   * stays until the next {@linkcode CellWriter.age}, which does not check those
   * tiles again if they were all, up to some tile, and nothing else happens.
   *
   * @param tiles tile coordinates, as `Grid.dueTiles` returns them
   * @param now the clock, ms since 1970
   * @param revision for changed cells: above that of every cell
   * @param ageing the thresholds
   * @returns the number of cells that changed
   */
  ageTiles(
    { length, x, y }: Coordinates,
    now: number,
    revision: number,
    ageing: Ageing,
  ): number {
    let changed = 0;
    let { count } = this.#checkedFor(now, ageing);
    this.#memory.writes++;
    for (let i = 0; i < length; i++) {
      const tile = this.#tiles.find(x[i]!, y[i]!);
      if (tile === NO_TILE) continue;
      if (tile === count) count++;
      changed += this.#ageTile(tile, now, revision, ageing);
    }
    this.#checked = { now, ageing, writes: this.#memory.writes, count };
    return changed;
  }

  /** Returns what was checked, or nothing if the layer has changed since. */
  #checkedFor(now: number, ageing: Ageing): { readonly count: number } {
    const { writes } = this.#memory;
    const checked = this.#checked;
    const isValid = checked?.now === now && checked.ageing === ageing &&
      checked.writes === writes;
    return isValid ? checked : { count: 0 };
  }

  #ageTile(
    tile: number,
    now: number,
    revision: number,
    ageing: Ageing,
  ): number {
    const aged = ageTile(
      this.#memory,
      this.#save,
      this.#counter,
      tile,
      now,
      revision,
      ageing,
    );
    if (aged > 0) this.#recordChange(tile, revision);
    return aged;
  }

  /**
   * Removes those of the cells that are shown as unknown.
   * {@linkcode CellWriter.revision} stays: for a receiver of changes, an unknown
   * cell and a removed one are the same. Their tiles get the revision, because
   * counts of their cells change.
   *
   * @param cells sorted by tile, as `Grid.longUnknown` returns them
   * @param revision for tiles that lose a cell: above that of every cell
   * @returns the number of removed cells
   */
  remove(cells: Coordinates, revision: number): number {
    this.#memory.writes++;
    this.#cursor.leave();
    const removed = removeUnknown(
      this.#memory,
      this.#save,
      this.#counter,
      cells,
      (tile) => this.#listChange(tile, revision),
    );
    this.#size -= removed;
    this.#removed += removed;
    return removed;
  }

  /**
   * Adds a decoded tile, unless the layer has it.
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
      if (columns.time[i]! > this.#latest) this.#latest = columns.time[i]!;
      if (order >= this.#nextOrder) {
        this.#nextOrder = Math.min(order + 1, MAX_ORDER);
      }
    }
    this.#size += count;
    this.#tiles.setRevision(tile, newest);
    this.#changes.addUnlisted(newest);
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
    chunk.order[slot] = this.#nextOrder;
    if (this.#nextOrder < MAX_ORDER) this.#nextOrder++;
    this.#size++;
  }

  /** Records that a cell of a tile changed at the newest revision. */
  #recordChange(tile: number, revision: number): void {
    this.#save.markDirty(tile);
    if (this.#listChange(tile, revision)) this.#revision = revision;
  }

  /** Returns false if the tile has the revision already. */
  #listChange(tile: number, revision: number): boolean {
    if (this.#tiles.revision(tile) === revision) return false;
    this.#tiles.setRevision(tile, revision);
    this.#changes.moveToFront(tile);
    return true;
  }

  /** Lowers `due` of the current tile and of the layer to at most `due`. */
  #lowerDue(due: number): void {
    const { tile } = this.#cursor;
    if (due < this.#tiles.due(tile)) this.#tiles.setDue(tile, due);
    if (due < this.#due) this.#due = due;
  }
}
