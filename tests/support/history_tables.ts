/**
 * A history that is written to its tables as a server does it, without a server:
 * for tests and benchmarks. Import it only where `node:sqlite` may be loaded.
 */
import { DatabaseSync } from "node:sqlite";
import { CellHours } from "../../src/history/cell_hours.ts";
import { encodeCellHours } from "../../src/history/cell_hours_codec.ts";
import { encodeChanges } from "../../src/history/changes_codec.ts";
import type { Gap } from "../../src/history/gaps.ts";
import { DAY_HOURS, dayOf, hourOf, startOf } from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import { encodeFrame, TileFrame } from "../../src/history/tile_frame.ts";
import {
  encodeZoneQuarters,
  ZoneQuarters,
} from "../../src/history/zone_quarters.ts";
import { ZoneSeries } from "../../src/history/zone_series.ts";
import {
  BEGAN,
  CLOSED_TO,
  ROLLED_TO,
  SEEN,
} from "../../src/server/history/parts.ts";
import {
  type TileAddress,
  TileReader,
} from "../../src/server/history/tile_reader.ts";
import { HISTORY_SCHEMA } from "../../src/store/history/schema.ts";
import { SqliteHistory } from "../../src/store/history/sqlite_history.ts";
import type { HistoryTables } from "../../src/store/store.ts";
import { ZoneShape } from "../../src/zones/tile_mask.ts";
import type { Zone } from "../../src/zones/zone.ts";
import { resultNow } from "./work.ts";

/** A frame is written when the blocks since the last have this many times it. */
const BLOCK_BYTES_PER_FRAME_BYTE = 3;
const MAX_FRAME_HOURS = 24;

/** Which part of a history is written, and how. */
export interface WrittenTime {
  /** The first second, since 1970. */
  readonly began: number;
  /** The second after the last. */
  readonly end: number;
  /** Hours before this one are closed. */
  readonly closedTo: number;
  /** Days (UTC) before this one have rollups of cells. */
  readonly rolledTo: number;
  /** Merged. */
  readonly gaps: readonly Gap[];
}

/** The tables in a database of their own. */
export class OpenedTables implements Disposable {
  readonly tables: SqliteHistory;
  readonly database: DatabaseSync;

  /** @param path of a new file; default: in memory */
  constructor(path = ":memory:") {
    const database = this.database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    database.exec(HISTORY_SCHEMA);
    this.tables = new SqliteHistory(database);
  }

  /** Changes the tables in a transaction. */
  write(work: (tables: SqliteHistory) => void): void {
    this.database.exec("BEGIN");
    work(this.tables);
    this.tables.beforeCommit();
    this.database.exec("COMMIT");
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}

/** Writes what belongs to no tile. */
export function writeTime(tables: HistoryTables, time: WrittenTime): void {
  tables.putMeta(BEGAN, time.began);
  tables.putMeta(SEEN, time.end);
  tables.putMeta(CLOSED_TO, time.closedTo);
  tables.putMeta(ROLLED_TO, time.rolledTo);
  for (const gap of time.gaps) tables.addGap(gap);
}

/**
 * Writes the changes of a tile: blocks with frames of closed hours, parts of
 * open ones, and rollups of days in which it has changed.
 *
 * @param changes of each hour, sorted; by hour
 */
export function writeTile(
  tables: HistoryTables,
  { layer, tx, ty }: TileAddress,
  changes: ReadonlyMap<number, TileChanges>,
  { began, end, closedTo, rolledTo, gaps }: WrittenTime,
): void {
  const state = new TileFrame();
  const none = new TileChanges();
  const rollup = new CellHours();
  let frameHour: number | undefined;
  let blockBytes = 0;
  const first = Math.min(hourOf(began), ...changes.keys());
  const [from, to] = [first, hourOf(end)];
  let hasDay = false;
  for (let hour = from; hour <= to; hour++) {
    const ofHour = changes.get(hour) ?? none;
    const hourOfDay = hour % DAY_HOURS;
    if (hour === from || hourOfDay === 0) {
      rollup.clear(dayOf(hour));
      hasDay = false;
    }
    if (ofHour.length > 0) {
      hasDay = true;
      if (hour >= closedTo) {
        const part = encodeChanges(ofHour, hour, { compress: false });
        tables.appendPart(layer, tx, ty, hour, part);
      } else {
        const frame = encodeFrame(state);
        if (
          frameHour === undefined || hour - frameHour >= MAX_FRAME_HOURS ||
          blockBytes >= BLOCK_BYTES_PER_FRAME_BYTE * frame.length
        ) {
          tables.putFrame(layer, tx, ty, hour, frame);
          frameHour = hour;
          blockBytes = 0;
        }
        const block = encodeChanges(ofHour, hour, { compress: true });
        tables.putBlock(layer, tx, ty, hour, block);
        blockBytes += block.length;
      }
    }
    if (dayOf(hour) < rolledTo) {
      rollup.addHour(hourOfDay, state, ofHour, gaps);
      if (hourOfDay === DAY_HOURS - 1 && hasDay) {
        tables.putCellDay(
          ...[layer, tx, ty, dayOf(hour), encodeCellHours(rollup)] as const,
        );
      }
    }
    state.apply(ofHour, Infinity);
  }
}

/** Writes the rollups of a zone, after those of all its tiles. */
export function writeZone(
  tables: SqliteHistory,
  zone: Zone,
  { began, closedTo, gaps }: WrittenTime,
): void {
  const shape = new ZoneShape(zone.polygons);
  const listed = tables.tilesOf(zone.layer, shape.bounds, 1_000_000);
  if (listed instanceof Promise) throw new Error("the layer has many tiles");
  const tiles = listed.flatMap(({ tx, ty }) => {
    const mask = shape.tileMask(tx, ty);
    const tile = { layer: zone.layer, tx, ty };
    return mask === undefined
      ? []
      : [{ tile, mask, state: new TileFrame(), changes: new TileChanges() }];
  });
  const reader = new TileReader(tables);
  const series = new ZoneSeries();
  const quarters = new ZoneQuarters();
  let day = dayOf(hourOf(began));
  const put = () => {
    const bytes = encodeZoneQuarters(quarters);
    if (quarters.has.includes(1)) {
      tables.putZoneDay(zone.name, zone.layer, day, bytes);
    }
  };
  for (let hour = hourOf(began); hour < closedTo; hour++) {
    if (dayOf(hour) !== day) {
      put();
      quarters.clear();
      day = dayOf(hour);
    }
    for (const { tile, mask, state, changes } of tiles) {
      resultNow(reader.readChanges(tile, hour, changes));
      series.add(state, changes, mask, hour);
      state.apply(changes, Infinity);
    }
    const isGap = gaps.some(({ from, to }) =>
      from <= startOf(hour) && to >= startOf(hour + 1)
    );
    if (isGap) series.clear();
    else series.finish(zone, gaps, hour, quarters);
  }
  put();
}
