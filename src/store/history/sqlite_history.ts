/**
 * The history in SQLite, see `schema.ts` for its tables.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Soon } from "../../common/async.ts";
import { inTurns } from "../../common/turns.ts";
import type { Region } from "../../grid/mod.ts";
import type { Gap } from "../../history/gaps.ts";
import type {
  HistoryDayRow,
  HistoryHourEnd,
  HistoryHourRow,
  HistoryRemoval,
  HistoryRow,
  HistorySize,
  HistoryTables,
  HistoryTile,
  HistoryTileRows,
  HistoryZone,
} from "../history_tables.ts";
import { HistoryNames } from "./names.ts";
import { HistoryNumbers } from "./numbers.ts";
import { OpenHours } from "./open_hours.ts";
import { HistoryReads } from "./reads.ts";
import { HistoryRemovals } from "./removals.ts";
import { RowTable } from "./row_table.ts";
import { blockKey, timeKey } from "./schema.ts";

/** A tile of a layer that is known. */
type Place = Pick<HistoryTile, "tx" | "ty">;

/**
 * The history in a database whose schema has it. It answers at once; only where
 * it looks at many tiles, it lists them in turns.
 */
export class SqliteHistory implements HistoryTables {
  /** For copies of all rows. */
  readonly database: DatabaseSync;
  readonly #names: HistoryNames;
  readonly #numbers: HistoryNumbers;
  readonly #open: OpenHours;
  readonly #blocks: RowTable;
  readonly #frames: RowTable;
  readonly #cellDays: RowTable;
  readonly #zoneDays: RowTable;
  readonly #reads: HistoryReads;
  readonly #removals: HistoryRemovals;
  readonly #addGap: StatementSync;
  /** Earlier days have no rollups, as far as this process has deleted them. */
  readonly #deletedDays = { cells: 0, zones: 0 };

  constructor(db: DatabaseSync) {
    this.database = db;
    const numbers = this.#numbers = new HistoryNumbers(db);
    this.#names = new HistoryNames(db);
    const open = this.#open = new OpenHours(db, numbers);
    const timed = timeKey("?1", "?2");
    const blocks = this.#blocks = new RowTable(
      ...[db, numbers, "blocks", blockKey("?1", "?2")] as const,
    );
    const frames = this.#frames = new RowTable(db, numbers, "frames", timed);
    const cellDays = this.#cellDays = new RowTable(
      ...[db, numbers, "cellDays", timed] as const,
    );
    const zoneDays = this.#zoneDays = new RowTable(
      ...[db, numbers, "zoneDays", timed] as const,
    );
    this.#reads = new HistoryReads(db);
    const tables = { open, blocks, frames, cellDays, zoneDays };
    this.#removals = new HistoryRemovals(db, tables);
    this.#addGap = db.prepare(
      "INSERT OR IGNORE INTO history_gap (start, stop) VALUES (?, ?)",
    );
  }

  /** Call it at the end of a transaction that has changed the tables. */
  beforeCommit(): void {
    this.#numbers.write();
  }

  /** Call it after a transaction was rolled back that has changed the tables. */
  rolledBack(): void {
    this.#names.clear();
    this.#open.clear();
    this.#removals.clear();
    this.#numbers.reload();
  }

  appendPart(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void {
    this.#open.append(this.#names.ensureTile(layer, tx, ty), hour, bytes);
  }

  putBlock(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void {
    const tile = this.#names.ensureTile(layer, tx, ty);
    this.#blocks.put(tile, hour, bytes);
    this.#open.drop(tile, hour);
  }

  dropParts(layer: string, tx: number, ty: number, hour: number): void {
    const tile = this.#names.tile(layer, tx, ty);
    if (tile !== undefined) this.#open.drop(tile, hour);
  }

  putFrame(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void {
    this.#frames.put(this.#names.ensureTile(layer, tx, ty), hour, bytes);
  }

  putCellDay(
    layer: string,
    tx: number,
    ty: number,
    day: number,
    bytes: Uint8Array,
  ): void {
    this.#cellDays.put(this.#names.ensureTile(layer, tx, ty), day, bytes);
    this.#numbers.noteDay(day);
  }

  putZoneDay(
    zone: string,
    layer: string,
    day: number,
    bytes: Uint8Array,
  ): void {
    this.#zoneDays.put(this.#names.ensureZone(zone, layer), day, bytes);
    this.#numbers.noteDay(day);
  }

  putMeta(key: string, value: number): void {
    this.#numbers.set(key, value);
  }

  addGap({ from, to }: Gap): void {
    if (from < to) this.#addGap.run(from, to);
  }

  endHour(hour: number): HistoryHourEnd {
    return { isEnded: this.#open.end(hour) };
  }

  /** Does nothing: what is answered from memory is up to date. */
  refresh(): void {}

  get meta(): ReadonlyMap<string, number> {
    return this.#numbers.meta;
  }

  openHours(): number[] {
    return [...this.#open.hours()];
  }

  openTiles(hour: number, limit: number): HistoryTile[] {
    return this.#open.tiles(hour, limit);
  }

  tileRows(
    layer: string,
    tx: number,
    ty: number,
    frameHour: number,
    toHour: number,
  ): HistoryTileRows {
    const tile = this.#names.tile(layer, tx, ty);
    if (tile === undefined) return { frame: undefined, blocks: [], open: [] };
    const frame = this.#reads.frameBefore(tile, frameHour);
    const from = frame?.hour ?? 0;
    const blocks = this.#reads.blocks(tile, from, toHour);
    const open = this.#open.hours()
      .filter((hour) => hour >= from && hour <= toHour)
      .map((hour) => ({ hour, parts: this.#open.parts(tile, hour) }))
      .filter(({ parts }) => parts.length > 0);
    return { frame, blocks, open };
  }

  hourRows(layer: string, tx: number, ty: number, hour: number): HistoryRow[] {
    const tile = this.#names.tile(layer, tx, ty);
    if (tile === undefined) return [];
    const rows: HistoryRow[] = this.#reads.blocks(tile, hour, hour);
    if (this.#open.hours().includes(hour)) {
      rows.push(...this.#open.parts(tile, hour));
    }
    return rows;
  }

  blocks(
    layer: string,
    tx: number,
    ty: number,
    fromHour: number,
    toHour: number,
  ): HistoryHourRow[] {
    const tile = this.#names.tile(layer, tx, ty);
    if (tile === undefined) return [];
    return this.#reads.blocks(tile, fromHour, toHour);
  }

  frameBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): HistoryHourRow | undefined {
    const tile = this.#names.tile(layer, tx, ty);
    return tile === undefined ? undefined : this.#reads.frameBefore(tile, hour);
  }

  tilesOf(
    layer: string,
    region: Region | undefined,
    limit: number,
    after?: Place,
  ): Soon<Place[]> {
    const id = this.#names.layer(layer);
    if (id === undefined) return [];
    const listing = this.#reads.tiles(id, region, limit, after);
    const { done, value } = listing.next();
    return done ? value : inTurns(listing);
  }

  cellDays(
    layer: string,
    tx: number,
    ty: number,
    fromDay: number,
    toDay: number,
  ): HistoryDayRow[] {
    const tile = this.#names.tile(layer, tx, ty);
    if (tile === undefined) return [];
    return this.#reads.cellDays(tile, fromDay, toDay);
  }

  cellDayBefore(
    layer: string,
    tx: number,
    ty: number,
    day: number,
  ): HistoryDayRow | undefined {
    const tile = this.#names.tile(layer, tx, ty);
    return tile === undefined
      ? undefined
      : this.#reads.cellDayBefore(tile, day);
  }

  zoneDays(zone: string, fromDay: number, toDay: number): HistoryDayRow[] {
    const id = this.#names.zone(zone);
    return id === undefined ? [] : this.#reads.zoneDays(id, fromDay, toDay);
  }

  zones(): HistoryZone[] {
    return this.#reads.zones();
  }

  gaps(time: Gap): Gap[] {
    return this.#reads.gaps(time);
  }

  layers(): string[] {
    return this.#reads.layers();
  }

  size(): HistorySize {
    return this.#numbers.size();
  }

  oldestHour(layer?: string): number | undefined {
    if (layer === undefined) return this.#reads.oldestHour();
    const id = this.#names.layer(layer);
    return id === undefined ? undefined : this.#reads.blockSpan(id)?.first;
  }

  oldestDay(): number | undefined {
    return this.#numbers.oldestDay;
  }

  deleteLayer(layer: string): void {
    this.#removals.hideLayer(layer);
    this.#names.clear();
    this.#open.clear();
  }

  deleteRest(limit: number): HistoryRemoval {
    return this.#removals.deleteHidden(limit);
  }

  deleteBlocksBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    limit: number,
  ): HistoryRemoval {
    const tile = this.#names.tile(layer, tx, ty);
    if (tile === undefined) return { rows: 0, done: true };
    const oldest = this.oldestHour(layer);
    return this.#removals.blocksBefore(tile, oldest, hour, limit);
  }

  deleteCellDaysBefore(day: number, limit: number): HistoryRemoval {
    const removal = this.#removals.cellDaysBefore(day, limit);
    if (removal.done) this.#daysDeleted("cells", day);
    return removal;
  }

  deleteZoneDaysBefore(day: number, limit: number): HistoryRemoval {
    const removal = this.#removals.zoneDaysBefore(day, limit);
    if (removal.done) this.#daysDeleted("zones", day);
    return removal;
  }

  deleteGapsBefore(second: number): void {
    this.#removals.gapsBefore(second);
  }

  deleteUnusedTiles(limit: number): HistoryRemoval {
    const removal = this.#removals.unusedTiles(limit);
    if (removal.rows > 0 || removal.done) this.#names.clear();
    return removal;
  }

  #daysDeleted(of: "cells" | "zones", before: number): void {
    this.#deletedDays[of] = before;
    const { cells, zones } = this.#deletedDays;
    this.#numbers.daysDeletedBefore(Math.min(cells, zones));
  }
}
