/**
 * Copies the history of one SQLite file to another, row by row.
 *
 * @module
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { untilNextTurn } from "../../common/next_turn.ts";
import type { SqliteHistory } from "../history/sqlite_history.ts";
import type { HistoryTables } from "../history_tables.ts";
import { runTransaction } from "../sqlite_rows.ts";

const ROWS_PER_TRANSACTION = 1000;

/** Tables with a key in the column `id`, and their other columns. */
const KEYED_TABLES: readonly (readonly [name: string, columns: string])[] = [
  ["history_layer", "name"],
  ["history_tile", "layer, tx, ty"],
  ["history_part", "crc32, bytes"],
  ["history_block", "crc32, bytes"],
  ["history_frame", "crc32, bytes"],
  ["history_cell_day", "crc32, bytes"],
  ["history_zone", "name, layer"],
  ["history_zone_day", "crc32, bytes"],
];

/** Small tables with other keys. */
const SMALL_TABLES: readonly (readonly [name: string, columns: string])[] = [
  ["history_meta", "key, value"],
  ["history_batch", "hour, layer, batch"],
  ["history_gap", "start, stop"],
];

/** The rows of a history, to be compared with a copy. */
export interface HistorySummary {
  readonly rows: number;
  /** Rows that are damaged and were left out. */
  readonly damaged: number;
  /** Differs between different histories, with high probability. */
  readonly checksum: string;
}

/** True for the history of a file. */
export function isOfFile(history: HistoryTables): history is SqliteHistory {
  return "database" in history;
}

/** Counts the rows of a history, and sums up their checksums. */
export function summarizeHistory({ database }: SqliteHistory): HistorySummary {
  let rows = 0;
  const sums: unknown[] = [];
  for (const [name, columns] of [...KEYED_TABLES, ...SMALL_TABLES]) {
    const sum = columns.includes("crc32") ? "sum(crc32)" : "0";
    const sql = `SELECT count(*) AS count, ${sum} AS sum FROM ${name}`;
    const row = database.prepare(sql).get()!;
    rows += Number(row.count);
    sums.push(row.count, row.sum);
  }
  return { rows, damaged: 0, checksum: sums.join() }; // damaged ones are copied
}

/**
 * Copies a history.
 *
 * @param source is only read
 * @param target an empty history of a store that nothing else uses
 * @param signal ends it
 */
export async function copyHistory(
  source: SqliteHistory,
  target: SqliteHistory,
  signal: AbortSignal,
): Promise<void> {
  const [from, to] = [source.database, target.database];
  for (const [name, columns] of SMALL_TABLES) {
    const rows = from.prepare(`SELECT ${columns} FROM ${name}`).all();
    insert(to, name, columns, rows);
  }
  for (const [name, columns] of KEYED_TABLES) {
    const page = from.prepare(
      `SELECT id, ${columns} FROM ${name} WHERE id > ? ORDER BY id LIMIT ?`,
    );
    page.setReadBigInts(true); // keys have up to 63 bits
    for (let after = -1n;;) {
      signal.throwIfAborted();
      const rows = page.all(after, ROWS_PER_TRANSACTION);
      insert(to, name, `id, ${columns}`, rows);
      if (rows.length < ROWS_PER_TRANSACTION) break;
      after = rows.at(-1)!.id as bigint;
      await untilNextTurn();
    }
  }
  target.rolledBack(); // it reads its numbers again
}

function insert(
  to: DatabaseSync,
  name: string,
  columns: string,
  rows: readonly Record<string, SQLInputValue>[],
): void {
  const names = columns.split(", ");
  const statement = to.prepare(
    `INSERT OR REPLACE INTO ${name} (${columns}) VALUES (${
      names.map(() => "?").join()
    })`,
  );
  runTransaction(to, () => {
    for (const row of rows) statement.run(...names.map((key) => row[key]!));
  });
}
