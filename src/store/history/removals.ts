/**
 * Deletes history, in steps that take some milliseconds each.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { HistoryRemoval } from "../history_tables.ts";
import type { OpenHours } from "./open_hours.ts";
import { HOURS } from "./reads.ts";
import type { RowTable } from "./row_table.ts";
import { blockKey, HOUR_OF_BLOCK, TILES_OF_LAYER } from "./schema.ts";

/** Tiles or zones that a step of a removal of days looks at. */
const OWNERS_PER_STEP = 500;

/** Blocks that a step looks up to find out whether tiles have none. */
const LOOKED_UP_BLOCKS = 2000;

/** Deletes rows, and returns their number. */
type Delete = (...parameters: number[]) => number;

/** The tables with rows that are deleted. */
export interface RemovalTables {
  readonly open: OpenHours;
  readonly blocks: RowTable;
  readonly frames: RowTable;
  readonly cellDays: RowTable;
  readonly zoneDays: RowTable;
}

/** Where a removal that goes through all tiles or zones has arrived. */
interface Sweep {
  /** The key of the last tile or zone. */
  after: number;
  /** Keys after one. */
  readonly next: StatementSync;
}

/** The statements that delete. */
export class HistoryRemovals {
  readonly #open: OpenHours;
  /** Of a layer: `?1` its number, `?2` the next one, `?3` the limit. */
  readonly #ofLayer: readonly Delete[];
  readonly #ofZone: Delete;
  readonly #blocksBefore: Delete;
  readonly #framesBefore: Delete;
  readonly #cellDaysBefore: Delete;
  readonly #zoneDaysBefore: Delete;
  readonly #cellDaySweep: Sweep;
  readonly #zoneDaySweep: Sweep;
  readonly #unusedSweep: Sweep;
  readonly #hideLayer: StatementSync;
  readonly #hideZones: StatementSync;
  readonly #hiddenLayer: StatementSync;
  readonly #hiddenZone: StatementSync;
  readonly #tilesOfLayer: StatementSync;
  readonly #removeLayer: StatementSync;
  readonly #removeZone: StatementSync;
  readonly #withoutStates: StatementSync;
  readonly #blockHours: StatementSync;
  readonly #unused: StatementSync;
  readonly #unusedNames: readonly StatementSync[];
  readonly #gaps: StatementSync;

  constructor(db: DatabaseSync, tables: RemovalTables) {
    const { open, blocks, frames, cellDays, zoneDays } = tables;
    this.#open = open;
    this.#ofLayer = [
      blocks.rangeDeletion(45),
      frames.rangeDeletion(45),
      cellDays.rangeDeletion(45),
    ];
    this.#ofZone = zoneDays.rangeDeletion(21);
    this.#blocksBefore = blocks.deletion(
      `${HOURS} SELECT b.id FROM h CROSS JOIN history_block AS b
       WHERE b.id = ${blockKey("?1", "h.hour")} LIMIT ?4`,
    );
    this.#framesBefore = frames.deletion(
      `SELECT id FROM history_frame
       WHERE id >= ?1 << 21 AND id < (
         SELECT max(id) FROM history_frame
         WHERE id >= ?1 << 21 AND id <= (?1 << 21) | ?2
       ) LIMIT ?3`,
    );
    const daysBefore = (days: RowTable, owners: string) =>
      days.deletion(
        `SELECT d.id FROM ${owners} AS o CROSS JOIN ${days.name} AS d
         WHERE o.id > ?1 AND o.id <= ?2
           AND d.id >= o.id << 21 AND d.id < (o.id << 21) | ?3
         LIMIT ?4`,
      );
    const sweep = (owners: string): Sweep => ({
      after: 0,
      next: db.prepare(
        `SELECT id FROM ${owners} WHERE id > ? ORDER BY id LIMIT ?`,
      ),
    });
    this.#cellDaysBefore = daysBefore(cellDays, "history_tile");
    this.#zoneDaysBefore = daysBefore(zoneDays, "history_zone");
    this.#cellDaySweep = sweep("history_tile");
    this.#zoneDaySweep = sweep("history_zone");
    this.#unusedSweep = sweep("history_tile");
    this.#hideLayer = db.prepare(
      "UPDATE history_layer SET name = NULL WHERE name = ?",
    );
    this.#hideZones = db.prepare(
      "UPDATE history_zone SET name = NULL WHERE layer = ? AND name NOT NULL",
    );
    this.#hiddenLayer = db.prepare(
      "SELECT id FROM history_layer WHERE name IS NULL LIMIT 1",
    );
    this.#hiddenZone = db.prepare(
      "SELECT id FROM history_zone WHERE name IS NULL LIMIT 1",
    );
    this.#tilesOfLayer = db.prepare(
      `DELETE FROM history_tile WHERE id IN (
         SELECT id FROM history_tile
         WHERE id >= ?1 << 24 AND id < (?1 + 1) << 24 LIMIT ?2
       )`,
    );
    this.#removeLayer = db.prepare("DELETE FROM history_layer WHERE id = ?");
    this.#removeZone = db.prepare("DELETE FROM history_zone WHERE id = ?");
    const none = (table: string) =>
      `NOT EXISTS (SELECT 1 FROM ${table}
         WHERE id >= history_tile.id << 21 AND id < (history_tile.id + 1) << 21)`;
    const withoutStates = `id > ?1 AND id <= ?2
         AND ${none("history_frame")} AND ${none("history_cell_day")}`;
    this.#withoutStates = db.prepare(
      `SELECT id FROM history_tile WHERE ${withoutStates}
       ORDER BY id LIMIT ?3`,
    );
    // Not with min() and max(), which together read all blocks of the layer.
    const blockHour = (layer: string, order: "ASC" | "DESC") =>
      `(SELECT ${HOUR_OF_BLOCK} FROM history_block
        WHERE id >= ${layer} << 45 AND id < (${layer} + 1) << 45
        ORDER BY id ${order} LIMIT 1)`;
    this.#blockHours = db.prepare(
      `SELECT coalesce(
         ${blockHour("?1", "DESC")} - ${blockHour("?1", "ASC")}, 0
       ) + 1 AS hours`,
    );
    const layer = "history_tile.layer";
    this.#unused = db.prepare(
      `DELETE FROM history_tile
       WHERE ${withoutStates}
         AND NOT EXISTS (
           SELECT 1 FROM history_batch AS b CROSS JOIN history_part AS p
           WHERE b.layer = ${layer}
             AND p.id = (b.batch << 24) | (history_tile.id & 16777215)
         )
         AND NOT EXISTS (
           WITH RECURSIVE h(hour, last) AS (
             SELECT ${blockHour(layer, "ASC")}, ${blockHour(layer, "DESC")}
             UNION ALL SELECT hour + 1, last FROM h WHERE hour < last
           )
           SELECT 1 FROM h CROSS JOIN history_block AS b
           WHERE b.id = ${blockKey("history_tile.id", "h.hour")}
         )`,
    );
    this.#unusedNames = [
      db.prepare(
        `DELETE FROM history_layer WHERE name NOT NULL AND NOT EXISTS (
           SELECT 1 FROM history_tile WHERE layer = history_layer.id
         )`,
      ),
      db.prepare(
        `DELETE FROM history_zone WHERE NOT EXISTS (
           SELECT 1 FROM history_zone_day
           WHERE id >= history_zone.id << 21 AND id < (history_zone.id + 1) << 21
         )`,
      ),
    ];
    this.#gaps = db.prepare("DELETE FROM history_gap WHERE stop <= ?");
  }

  /** After a transaction was rolled back. */
  clear(): void {
    for (
      const sweep of [this.#cellDaySweep, this.#zoneDaySweep, this.#unusedSweep]
    ) sweep.after = 0;
  }

  /** Takes a layer and its zones out of all reads. */
  hideLayer(layer: string): void {
    this.#hideLayer.run(layer);
    this.#hideZones.run(layer);
  }

  /** Deletes rows of layers that were taken out. */
  deleteHidden(limit: number): HistoryRemoval {
    let rows = 0;
    for (let row; (row = this.#hiddenZone.get()) !== undefined;) {
      if (rows >= limit) return { rows, done: false };
      const zone = Number(row.id);
      rows += this.#ofZone(zone, zone + 1, limit - rows);
      if (rows >= limit) return { rows, done: false };
      this.#removeZone.run(zone);
      rows++;
    }
    for (let row; (row = this.#hiddenLayer.get()) !== undefined;) {
      if (rows >= limit) return { rows, done: false };
      const layer = Number(row.id);
      rows += this.#open.deleteLayer(layer, limit - rows);
      for (const remove of this.#ofLayer) {
        if (rows < limit) rows += remove(layer, layer + 1, limit - rows);
      }
      if (rows < limit) {
        rows += Number(this.#tilesOfLayer.run(layer, limit - rows).changes);
      }
      if (rows >= limit) return { rows, done: false };
      this.#removeLayer.run(layer);
      rows++;
    }
    return { rows, done: true };
  }

  /** @param oldest the oldest hour with a block of the layer */
  blocksBefore(
    tile: number,
    oldest: number | undefined,
    hour: number,
    limit: number,
  ): HistoryRemoval {
    const blocks = oldest === undefined || oldest >= hour
      ? 0
      : this.#blocksBefore(tile, oldest, hour - 1, limit);
    const frames = blocks >= limit
      ? 0
      : this.#framesBefore(tile, hour, limit - blocks);
    const rows = blocks + frames;
    return { rows, done: rows < limit };
  }

  cellDaysBefore(day: number, limit: number): HistoryRemoval {
    return daysStep(this.#cellDaySweep, this.#cellDaysBefore, day, limit);
  }

  zoneDaysBefore(day: number, limit: number): HistoryRemoval {
    return daysStep(this.#zoneDaySweep, this.#zoneDaysBefore, day, limit);
  }

  gapsBefore(second: number): void {
    this.#gaps.run(second);
  }

  /** Deletes tiles without rows; at the end, layers and zones too. */
  unusedTiles(limit: number): HistoryRemoval {
    const last = nextOwners(this.#unusedSweep, limit);
    if (last === undefined) {
      for (const names of this.#unusedNames) names.run();
      this.#unusedSweep.after = 0;
      return { rows: 0, done: true };
    }
    const { after } = this.#unusedSweep;
    const to = this.#lastLookedUp(after, last);
    const { changes } = this.#unused.run(after, to);
    this.#unusedSweep.after = to;
    return { rows: Number(changes), done: false };
  }

  /** Returns the last tile of those that one step can look up. */
  #lastLookedUp(after: number, last: number): number {
    const [first] = this.#withoutStates.all(after, last, 1);
    if (first === undefined) return last;
    const layer = Math.floor(Number(first.id) / TILES_OF_LAYER);
    const hours = Number(this.#blockHours.get(layer)!.hours);
    const most = Math.max(1, Math.floor(LOOKED_UP_BLOCKS / hours));
    const tiles = this.#withoutStates.all(after, last, most);
    return tiles.length < most ? last : Number(tiles.at(-1)!.id);
  }
}

/** One step of a deletion of days, of some tiles or zones. */
function daysStep(
  sweep: Sweep,
  remove: Delete,
  day: number,
  limit: number,
): HistoryRemoval {
  const last = nextOwners(sweep, OWNERS_PER_STEP);
  if (last === undefined) {
    sweep.after = 0;
    return { rows: 0, done: true };
  }
  const rows = remove(sweep.after, last, day, limit);
  if (rows < limit) sweep.after = last;
  return { rows, done: false };
}

/** Returns the key of the last of the next tiles or zones, if there are more. */
function nextOwners({ after, next }: Sweep, limit: number): number | undefined {
  const last = next.all(after, limit).at(-1)?.id;
  return last === undefined ? undefined : Number(last);
}
