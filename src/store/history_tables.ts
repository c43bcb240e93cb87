/**
 * The tables of the history, beside the map and its journal.
 *
 * The tables keep bytes under keys; what the bytes mean is for `src/history/`.
 * Hours and days are numbers since 1970 in UTC, seconds are whole seconds since
 * 1970, and `tx`, `ty` are tile coordinates.
 *
 * An hour is open while it has *parts*: the changes of a tile, as they arrived.
 * When it is closed, the parts of a tile become one *block*. A *frame* is the
 * state of a tile at the start of an hour. Days have *rollups* of cells, one row
 * per tile, and of zones, one row per zone.
 *
 * @module
 */
import type { Soon } from "../common/async.ts";
import type { Region } from "../grid/mod.ts";
import type { Gap } from "../history/gaps.ts";

/** A tile of a layer. */
export interface HistoryTile {
  readonly layer: string;
  readonly tx: number;
  readonly ty: number;
}

/**
 * The bytes of a row; undefined if they differ from what was written, because
 * the disk has changed them.
 */
export interface HistoryRow {
  readonly bytes: Uint8Array | undefined;
}

/** A row of an hour. */
export interface HistoryHourRow extends HistoryRow {
  readonly hour: number;
}

/** A row of a UTC day. */
export interface HistoryDayRow extends HistoryRow {
  readonly day: number;
}

/** A zone that has rollups. */
export interface HistoryZone {
  readonly zone: string;
  /** The layer of its newest rollup. */
  readonly layer: string;
  readonly firstDay: number;
  readonly lastDay: number;
}

/** Number of rows, and their bytes without keys. */
export interface HistoryCount {
  readonly rows: number;
  readonly bytes: number;
}

/** How much the tables have. */
export interface HistorySize {
  /** Approximate size of all rows with their keys. */
  readonly bytes: number;
  readonly parts: HistoryCount;
  readonly blocks: HistoryCount;
  readonly frames: HistoryCount;
  readonly cellDays: HistoryCount;
  readonly zoneDays: HistoryCount;
}

/** The result of a step of a removal. Valid after its commit. */
export interface HistoryRemoval {
  /** Number of rows that were deleted, at most the limit. */
  readonly rows: number;
  /** True if the removal is complete. */
  readonly done: boolean;
}

/** The result of {@linkcode HistoryTables.endHour}. Valid after its commit. */
export interface HistoryHourEnd {
  /** False if the hour has parts still, and is open. */
  readonly isEnded: boolean;
}

/** What is needed for the states of a tile until an hour, read together. */
export interface HistoryTileRows {
  /** The newest frame at or before an hour. */
  readonly frame: HistoryHourRow | undefined;
  /** The blocks since the hour of the frame, ascending; all if there is none. */
  readonly blocks: readonly HistoryHourRow[];
  /** The parts of each open hour since then, ascending. */
  readonly open: readonly {
    readonly hour: number;
    readonly parts: readonly HistoryRow[];
  }[];
}

/** Tables that several servers share: one of them writes. */
export interface HistorySharing {
  /**
   * Begins to write: what other servers write from now on does not count. Then
   * {@linkcode HistoryTables.meta} and the like have what was written before.
   *
   * @param fence of the lease of this server, see {@linkcode Leases.fenceOf}
   * @returns resolves to false if there is a writer with a later lease, or the
   * store fails
   */
  lead(fence: number): Promise<boolean>;
  /** Does not write any more. What {@linkcode lead} has begun resolves to false. */
  resign(): void;
  /** True from {@linkcode lead} on until another server writes. */
  readonly isLeading: boolean;
  /** Returns a number of {@linkcode HistoryTables.meta} that is durable. */
  stored(key: string): number | undefined;
  /** True if the store has little memory left: the readings need it. */
  readonly memoryFull: boolean;
}

/**
 * The history of a map. Only {@linkcode HistoryWork.write} may call what changes
 * the tables. In a store of one server everything is committed with the
 * transaction around it, or lost with it. In a shared store, rows of layers and
 * zones become durable together or not, in any order; numbers, gaps and ends of
 * hours only after them: so each write may be repeated.
 *
 * Reads of rows answer at once where the tables are on this machine; other
 * members answer from memory, as of the last write of this server or of
 * {@linkcode HistoryTables.refresh}.
 *
 * All members throw a {@linkcode StoreError} or an error of the database if that
 * fails; a row with a wrong checksum is returned without bytes instead, so that
 * it hides no other row.
 */
export interface HistoryTables {
  /**
   * Adds changes of a tile in an open hour. The fastest way to write: rows are
   * appended one after the other. One part of each tile per flush is best.
   */
  appendPart(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void;
  /** Sets the block of a tile and hour, and deletes the parts that it has. */
  putBlock(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void;
  /**
   * Deletes the parts of a tile and hour without a block: they have no change
   * that counts.
   */
  dropParts(layer: string, tx: number, ty: number, hour: number): void;
  /** Sets the state of a tile at the start of an hour. */
  putFrame(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void;
  /** Sets the rollup of the cells of a tile on a day. */
  putCellDay(
    layer: string,
    tx: number,
    ty: number,
    day: number,
    bytes: Uint8Array,
  ): void;
  /** Sets the rollup of a zone on a day. */
  putZoneDay(zone: string, layer: string, day: number, bytes: Uint8Array): void;
  /** Sets a number that {@linkcode HistoryTables.meta} has. */
  putMeta(key: string, value: number): void;
  /** Adds a time without recording. Gaps may overlap. */
  addGap(gap: Gap): void;
  /**
   * Ends an hour: it is no longer among the open ones. Parts that it still has
   * keep it open.
   *
   * @returns valid after the commit
   */
  endHour(hour: number): HistoryHourEnd;

  /** Undefined if only this server uses the tables. */
  readonly shared?: HistorySharing;
  /** Brings what is answered from memory up to date; of a shared store only. */
  refresh(): Soon<void>;

  /** Numbers by key, with those of the present transaction. */
  readonly meta: ReadonlyMap<string, number>;
  /** The hours that have or had parts and were not ended, ascending. */
  openHours(): number[];
  /**
   * Returns the first tiles with parts of an hour, in the order of the rows.
   * After they have their blocks (or {@linkcode HistoryTables.dropParts}), it
   * returns the next ones.
   */
  openTiles(hour: number, limit: number): Soon<readonly HistoryTile[]>;
  /**
   * What is needed for the states of a tile until an hour, as it was at one
   * moment.
   *
   * @param frameHour the last hour whose frame may be used
   * @param toHour last hour of blocks and parts, inclusive
   */
  tileRows(
    layer: string,
    tx: number,
    ty: number,
    frameHour: number,
    toHour: number,
  ): Soon<HistoryTileRows>;
  /**
   * The block of a tile in an hour, if it has one, and then its parts, in the
   * order in which they were added; as it was at one moment.
   */
  hourRows(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): Soon<readonly HistoryRow[]>;
  /**
   * The blocks of a tile, ascending.
   *
   * @param fromHour first hour
   * @param toHour last hour, inclusive
   */
  blocks(
    layer: string,
    tx: number,
    ty: number,
    fromHour: number,
    toHour: number,
  ): Soon<readonly HistoryHourRow[]>;
  /** The newest frame of a tile whose hour is `hour` or earlier. */
  frameBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): Soon<HistoryHourRow | undefined>;
  /**
   * The tiles of a layer that have any row, and perhaps some whose rows were
   * deleted lately; by `tx`, then `ty`.
   *
   * @param region in cells; undefined: the whole layer
   * @param after the last one of the page before
   */
  tilesOf(
    layer: string,
    region: Region | undefined,
    limit: number,
    after?: Pick<HistoryTile, "tx" | "ty">,
  ): Soon<readonly Pick<HistoryTile, "tx" | "ty">[]>;
  /** The rollups of a tile, ascending; both days inclusive. */
  cellDays(
    layer: string,
    tx: number,
    ty: number,
    fromDay: number,
    toDay: number,
  ): Soon<readonly HistoryDayRow[]>;
  /** The newest rollup of a tile before a day. */
  cellDayBefore(
    layer: string,
    tx: number,
    ty: number,
    day: number,
  ): Soon<HistoryDayRow | undefined>;
  /** The rollups of a zone, ascending; both days inclusive. */
  zoneDays(
    zone: string,
    fromDay: number,
    toDay: number,
  ): Soon<readonly HistoryDayRow[]>;
  /** The zones that have rollups, sorted by name. */
  zones(): Soon<readonly HistoryZone[]>;
  /** The gaps that overlap a time, by their start; they are not cut to it. */
  gaps(time: Gap): Gap[];
  /** The layers that have a history, sorted. */
  layers(): string[];
  /** How much there is. Cheap. */
  size(): HistorySize;
  /** The oldest hour with a block. */
  oldestHour(): number | undefined;
  /**
   * The oldest day with a rollup of cells or of a zone. May be too early after a
   * layer was deleted, and while earlier days are.
   */
  oldestDay(): number | undefined;

  /**
   * Deletes the history of a layer, with the rollups of its zones. It is out of
   * all reads at once; {@linkcode HistoryTables.deleteRest} then deletes the
   * rows. A layer of that name that is recorded afterwards is a new one.
   */
  deleteLayer(layer: string): void;
  /**
   * Deletes rows of deleted layers, in steps; also of those that were deleted
   * before a restart.
   *
   * @param limit the most rows that the step deletes
   */
  deleteRest(limit: number): HistoryRemoval;
  /**
   * Deletes the blocks of a tile in hours before `hour`, and the frames before
   * the newest one whose hour is `hour` or earlier.
   *
   * @param limit the most rows that the step deletes
   */
  deleteBlocksBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    limit: number,
  ): HistoryRemoval;
  /** Deletes rollups of cells of earlier days, in steps. */
  deleteCellDaysBefore(day: number, limit: number): HistoryRemoval;
  /** Deletes rollups of zones of earlier days, in steps. */
  deleteZoneDaysBefore(day: number, limit: number): HistoryRemoval;
  /** Deletes the gaps that end at or before a second. */
  deleteGapsBefore(second: number): void;
  /**
   * Forgets tiles that have no row any more, in steps. Run it after rows were
   * deleted, not more often than daily: it may read the keys of all tiles.
   *
   * @param limit the most tiles that the step looks at
   */
  deleteUnusedTiles(limit: number): HistoryRemoval;
}

/**
 * What a server has to record. The store calls it: in the transactions of its
 * commits, and when {@linkcode Store.commitHistory} is called.
 */
export interface HistoryWork {
  /** True if {@linkcode HistoryWork.write} has something to do now. */
  readonly hasWork: boolean;
  /**
   * Writes to the tables, within a transaction. Then the store calls
   * {@linkcode HistoryWork.committed} or {@linkcode HistoryWork.failed}.
   *
   * @param budgetMs the time it should take; Infinity: write everything
   */
  write(tables: HistoryTables, budgetMs: number): void;
  /** The transaction was committed: what was written is durable. */
  committed(): void;
  /** The transaction failed: what was written has to be written again. */
  failed(): void;
  /**
   * Captures the state of the map as far as it is not captured yet, because a
   * checkpoint begins: entries before it are not replayed after it is complete.
   *
   * @returns a mark for all that was captured so far
   */
  mark(): number;
  /** Returns true if everything up to a mark was committed. */
  isDurable(mark: number): boolean;
  /**
   * The store is about to apply an entry of its journal at a start, so that the
   * state of the map before it can be captured. Must not write.
   *
   * @param now the clock of the server at the entry, ms since 1970
   */
  beforeReplay?(now: number): void;
  /** The tables of a shared store can be read, before its map is loaded. */
  opened?(): void;
  /**
   * Returns true if what a shard of a shared store was at a revision is durable,
   * whichever server has written it.
   */
  covers?(shard: number, revision: number): boolean;
}
