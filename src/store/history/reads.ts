/**
 * Reads the blocks, frames and rollups of the history, and lists its tiles.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Region } from "../../grid/mod.ts";
import type { Work } from "../../common/turns.ts";
import type { Gap } from "../../history/gaps.ts";
import { clipRegion, tileSpan } from "../../grid/tiles.ts";
import type {
  HistoryDayRow,
  HistoryHourRow,
  HistoryTile,
  HistoryZone,
} from "../history_tables.ts";
import { bytesOf } from "./row_table.ts";
import { blockKey, HOUR_OF_BLOCK, TIME_OF_KEY } from "./schema.ts";

/** A tile of a layer that is known. */
type Place = Pick<HistoryTile, "tx" | "ty">;

/** A block is looked up for each hour of a range, if it has at most this many. */
const MAX_LOOKED_UP_HOURS = 64;
/** Tiles that one step of a list looks at: about a millisecond. */
const SCANNED_TILES = 1 << 12;
const ALL_TILES: Region = {
  x0: -Infinity,
  y0: -Infinity,
  x1: Infinity,
  y1: Infinity,
};

/** SQL: the hours from `?2` to `?3`, as a table `h`. */
export const HOURS = `WITH RECURSIVE h(hour) AS (
    VALUES (?2) UNION ALL SELECT hour + 1 FROM h WHERE hour < ?3
  )`;

/** The statements that read. Tiles are given by their key, zones by number. */
export class HistoryReads {
  readonly #blocks: StatementSync;
  readonly #blockSpan: StatementSync;
  readonly #oldestBlock: StatementSync;
  readonly #frameBefore: StatementSync;
  readonly #cellDays: StatementSync;
  readonly #cellDayBefore: StatementSync;
  readonly #zoneDays: StatementSync;
  readonly #zones: StatementSync;
  readonly #gaps: StatementSync;
  readonly #layers: StatementSync;
  readonly #tiles: StatementSync;
  readonly #lastScanned: StatementSync;

  constructor(db: DatabaseSync) {
    this.#blocks = db.prepare(
      `${HOURS} SELECT h.hour AS time, b.crc32, b.bytes
       FROM h CROSS JOIN history_block AS b
       WHERE b.id = ${blockKey("?1", "h.hour")}`,
    );
    this.#blockSpan = db.prepare(
      `SELECT (SELECT min(${HOUR_OF_BLOCK}) FROM (
           SELECT id FROM history_block
           WHERE id >= ?1 << 45 AND id < (?1 + 1) << 45 ORDER BY id LIMIT 1
         )) AS first,
         (SELECT max(${HOUR_OF_BLOCK}) FROM (
           SELECT id FROM history_block
           WHERE id >= ?1 << 45 AND id < (?1 + 1) << 45 ORDER BY id DESC LIMIT 1
         )) AS last`,
    );
    this.#oldestBlock = db.prepare(
      `SELECT min((
         SELECT ${HOUR_OF_BLOCK} FROM history_block
         WHERE id >= l.id << 45 AND id < (l.id + 1) << 45 ORDER BY id LIMIT 1
       )) AS hour FROM history_layer AS l WHERE name NOT NULL`,
    );
    const timed = (table: string, rest: string) =>
      db.prepare(
        `SELECT ${TIME_OF_KEY} AS time, crc32, bytes FROM ${table} WHERE ${rest}`,
      );
    const between =
      "id >= (?1 << 21) | ?2 AND id <= (?1 << 21) | ?3 ORDER BY id";
    this.#frameBefore = timed(
      "history_frame",
      "id >= ?1 << 21 AND id <= (?1 << 21) | ?2 ORDER BY id DESC LIMIT 1",
    );
    this.#cellDays = timed("history_cell_day", between);
    this.#cellDayBefore = timed(
      "history_cell_day",
      "id >= ?1 << 21 AND id < (?1 << 21) | ?2 ORDER BY id DESC LIMIT 1",
    );
    this.#zoneDays = timed("history_zone_day", between);
    const dayOf = (best: "min" | "max") =>
      `(SELECT ${best}(id) & 2097151 FROM history_zone_day
        WHERE id >= z.id << 21 AND id < (z.id + 1) << 21)`;
    this.#zones = db.prepare(
      `SELECT name AS zone, layer, ${dayOf("min")} AS first, ${
        dayOf("max")
      } AS last
       FROM history_zone AS z WHERE name NOT NULL ORDER BY name`,
    );
    this.#gaps = db.prepare(
      `SELECT start, stop FROM history_gap
       WHERE start < ?2 AND stop > ?1 ORDER BY start, stop`,
    );
    this.#layers = db.prepare(
      "SELECT name FROM history_layer WHERE name NOT NULL ORDER BY name",
    );
    const scanned = `SELECT tx, ty FROM history_tile
       WHERE layer = ?1 AND tx >= ?2 AND tx <= ?3 AND (tx, ty) > (?4, ?5)
       ORDER BY tx, ty LIMIT`;
    this.#tiles = db.prepare(
      `SELECT tx, ty FROM (${scanned} ${SCANNED_TILES})
       WHERE ty >= ?6 AND ty <= ?7 LIMIT ?8`,
    );
    this.#lastScanned = db.prepare(
      `${scanned} 1 OFFSET ${SCANNED_TILES - 1}`,
    );
  }

  blocks(tile: number, fromHour: number, toHour: number): HistoryHourRow[] {
    let [from, to] = [fromHour, toHour];
    if (to - from >= MAX_LOOKED_UP_HOURS) {
      const span = this.blockSpan(Math.floor(tile / 2 ** 24));
      if (span === undefined) return [];
      [from, to] = [Math.max(from, span.first), Math.min(to, span.last)];
    }
    return from > to ? [] : hourRows(this.#blocks.all(tile, from, to));
  }

  /** The first and last hour with a block of a layer. */
  blockSpan(layer: number): { first: number; last: number } | undefined {
    const { first, last } = this.#blockSpan.get(layer)!;
    if (first === null) return undefined;
    return { first: Number(first), last: Number(last) };
  }

  /** The oldest hour with a block of any layer. */
  oldestHour(): number | undefined {
    const { hour } = this.#oldestBlock.get()!;
    return hour === null ? undefined : Number(hour);
  }

  frameBefore(tile: number, hour: number): HistoryHourRow | undefined {
    return hourRows(this.#frameBefore.all(tile, hour))[0];
  }

  cellDays(tile: number, fromDay: number, toDay: number): HistoryDayRow[] {
    return dayRows(this.#cellDays.all(tile, fromDay, toDay));
  }

  cellDayBefore(tile: number, day: number): HistoryDayRow | undefined {
    return dayRows(this.#cellDayBefore.all(tile, day))[0];
  }

  zoneDays(zone: number, fromDay: number, toDay: number): HistoryDayRow[] {
    return dayRows(this.#zoneDays.all(zone, fromDay, toDay));
  }

  zones(): HistoryZone[] {
    return this.#zones.all().filter(({ first }) => first !== null).map((
      row,
    ) => ({
      zone: String(row.zone),
      layer: String(row.layer),
      firstDay: Number(row.first),
      lastDay: Number(row.last),
    }));
  }

  gaps({ from, to }: Gap): Gap[] {
    return this.#gaps.all(from, to).map(({ start, stop }) => ({
      from: Number(start),
      to: Number(stop),
    }));
  }

  layers(): string[] {
    return this.#layers.all().map(({ name }) => String(name));
  }

  /**
   * Lists tiles, in steps: of a narrow region of a layer with many tiles, there
   * can be many beside it between two in it.
   *
   * @returns pauses by `yield`; the tiles
   */
  *tiles(
    layer: number,
    region: Region = ALL_TILES,
    limit: number,
    after: Place = { tx: -Infinity, ty: 0 },
  ): Work<Place[]> {
    const { x0, y0, x1, y1 } = tileSpan(clipRegion(region));
    let from = after.tx === -Infinity ? { tx: x0 - 1, ty: 0 } : after;
    const found: Place[] = [];
    for (;;) {
      // The first of these is where the index is entered.
      const span = [layer, Math.max(x0, from.tx), x1, from.tx, from.ty];
      const left = limit - found.length;
      const page = places(this.#tiles.all(...span, y0, y1, left));
      found.push(...page);
      if (page.length === left) return found;
      const [last] = places(this.#lastScanned.all(...span));
      if (last === undefined) return found;
      from = last;
      yield;
    }
  }
}

type Rows = ReturnType<StatementSync["all"]>;

function hourRows(rows: Rows): HistoryHourRow[] {
  return rows.map((row) => ({ hour: Number(row.time), bytes: bytesOf(row) }));
}

function dayRows(rows: Rows): HistoryDayRow[] {
  return rows.map((row) => ({ day: Number(row.time), bytes: bytesOf(row) }));
}

function places(rows: Rows): Place[] {
  return rows.map(({ tx, ty }) => ({ tx: Number(tx), ty: Number(ty) }));
}
