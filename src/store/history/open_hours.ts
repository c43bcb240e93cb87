/**
 * The parts of open hours, in batches.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { HistoryRow, HistoryTile } from "../history_tables.ts";
import { execute } from "../sqlite_rows.ts";
import type { HistoryNumbers } from "./numbers.ts";
import { bytesOf, RowTable } from "./row_table.ts";
import { TILES_OF_LAYER } from "./schema.ts";
import { PAGE_BYTES, TileNumbers } from "./tile_numbers.ts";

/** More batches than this are not continued: their next parts begin new ones. */
const MAX_CONTINUED_BATCHES = 64;
/** The same for the memory of their tiles. */
const MAX_CONTINUED_PAGES = 4 * 2 ** 20 / PAGE_BYTES;

/** A batch that gets more parts. */
interface Batch {
  readonly id: number;
  /** The tiles that have a part in it. */
  readonly tiles: TileNumbers;
}

/** Writes parts and finds those of a tile. */
export class OpenHours {
  readonly #parts: RowTable;
  /** By hour and layer: the batch that gets the next parts. */
  readonly #current = new Map<string, Batch>();
  #nextBatch: number;
  /** What {@linkcode OpenHours.hours} returns; undefined: not known. */
  #openHours: readonly number[] | undefined;
  readonly #addBatch: StatementSync;
  readonly #hours: StatementSync;
  readonly #tiles: StatementSync;
  readonly #ofTile: StatementSync;
  readonly #endBatches: StatementSync;
  readonly #isOpen: StatementSync;
  readonly #dropParts: (...parameters: number[]) => number;
  readonly #dropBatch: (...parameters: number[]) => number;
  readonly #batchOf: StatementSync;
  readonly #removeBatch: StatementSync;

  constructor(db: DatabaseSync, numbers: HistoryNumbers) {
    this.#parts = new RowTable(db, numbers, "parts", "(?1 << 24) | ?2");
    const { last } = db.prepare(
      `SELECT max(
         coalesce((SELECT max(batch) FROM history_batch), 0),
         coalesce((SELECT max(id) >> 24 FROM history_part), 0)
       ) AS last`,
    ).get()!;
    this.#nextBatch = Number(last) + 1;
    this.#addBatch = db.prepare(
      "INSERT INTO history_batch (hour, layer, batch) VALUES (?, ?, ?)",
    );
    const live = "layer IN (SELECT id FROM history_layer WHERE name NOT NULL)";
    this.#hours = db.prepare(
      `SELECT DISTINCT hour FROM history_batch WHERE ${live} ORDER BY hour`,
    );
    this.#tiles = db.prepare(
      `SELECT l.name AS layer, t.tx, t.ty
       FROM history_batch AS b
         CROSS JOIN history_layer AS l
         CROSS JOIN history_part AS p
         CROSS JOIN history_tile AS t
       WHERE b.hour = ?1 AND l.id = b.layer AND l.name NOT NULL
         AND p.id >= b.batch << 24 AND p.id < (b.batch + 1) << 24
         AND t.id = (b.layer << 24) | (p.id & 16777215)
       LIMIT ?2`,
    );
    const ofTile =
      `SELECT (batch << 24) | ?3 FROM history_batch WHERE hour = ?1 AND layer = ?2`;
    this.#ofTile = db.prepare(
      `SELECT crc32, bytes FROM history_part WHERE id IN (${ofTile}) ORDER BY id`,
    );
    this.#dropParts = this.#parts.deletion(ofTile);
    this.#endBatches = db.prepare(
      `DELETE FROM history_batch WHERE hour = ? AND NOT EXISTS (
         SELECT 1 FROM history_part
         WHERE id >= batch << 24 AND id < (batch + 1) << 24
       )`,
    );
    this.#isOpen = db.prepare(
      `SELECT 1 FROM history_batch WHERE hour = ? AND ${live} LIMIT 1`,
    );
    this.#dropBatch = this.#parts.rangeDeletion(24);
    this.#batchOf = db.prepare(
      "SELECT hour, batch FROM history_batch WHERE layer = ? LIMIT 1",
    );
    this.#removeBatch = db.prepare(
      "DELETE FROM history_batch WHERE hour = ? AND layer = ? AND batch = ?",
    );
  }

  /** After a transaction was rolled back, or rows were deleted. */
  clear(): void {
    this.#current.clear();
    this.#openHours = undefined;
  }

  /** Adds a part of a tile, by its key. */
  append(tile: number, hour: number, bytes: Uint8Array): void {
    const layer = Math.floor(tile / TILES_OF_LAYER);
    const number = tile % TILES_OF_LAYER;
    const key = `${hour} ${layer}`;
    let batch = this.#current.get(key);
    if (batch?.tiles.add(number) !== true) {
      if (this.#isCurrentFull) this.#current.clear();
      batch = { id: this.#nextBatch++, tiles: new TileNumbers() };
      execute(this.#addBatch, hour, layer, batch.id);
      this.#openHours = undefined;
      this.#current.set(key, batch);
      batch.tiles.add(number);
    }
    this.#parts.add(batch.id, number, bytes);
  }

  /** The hours that are open. */
  hours(): readonly number[] {
    return this.#openHours ??= this.#hours.all()
      .map(({ hour }) => Number(hour));
  }

  /** The first tiles that have parts, each once. */
  tiles(hour: number, limit: number): HistoryTile[] {
    const found = new Map<string, HistoryTile>();
    for (const { layer, tx, ty } of this.#tiles.all(hour, limit)) {
      found.set(`${tx} ${ty} ${layer}`, {
        layer: String(layer),
        tx: Number(tx),
        ty: Number(ty),
      });
    }
    return [...found.values()];
  }

  /** The parts of a tile. */
  parts(tile: number, hour: number): HistoryRow[] {
    return this.#ofTile.all(hour, ...split(tile))
      .map((row) => ({ bytes: bytesOf(row) }));
  }

  /** Deletes the parts of a tile. */
  drop(tile: number, hour: number): void {
    this.#dropParts(hour, ...split(tile));
  }

  /** Checked for each new batch: there is one for each further part of a tile. */
  get #isCurrentFull(): boolean {
    if (this.#current.size >= MAX_CONTINUED_BATCHES) return true;
    let pages = 0;
    for (const { tiles } of this.#current.values()) pages += tiles.pages;
    return pages >= MAX_CONTINUED_PAGES;
  }

  /** Ends an hour, unless it has parts. Returns true if it is ended. */
  end(hour: number): boolean {
    this.#endBatches.run(hour);
    this.#openHours = undefined;
    for (const key of [...this.#current.keys()]) {
      if (key.startsWith(`${hour} `)) this.#current.delete(key);
    }
    return this.#isOpen.get(hour) === undefined;
  }

  /** Deletes parts of a layer. Returns the number of rows, at most the limit. */
  deleteLayer(layer: number, limit: number): number {
    this.clear();
    let rows = 0;
    while (rows < limit) {
      const row = this.#batchOf.get(layer);
      if (row === undefined) break;
      const batch = Number(row.batch);
      rows += this.#dropBatch(batch, batch + 1, limit - rows);
      if (rows < limit) {
        this.#removeBatch.run(Number(row.hour), layer, batch);
        rows++;
      }
    }
    return rows;
  }
}

/** The layer of a tile, and its number there. */
function split(tile: number): [layer: number, number: number] {
  return [Math.floor(tile / TILES_OF_LAYER), tile % TILES_OF_LAYER];
}
