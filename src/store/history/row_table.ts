/**
 * One table of the history: bytes with their checksum under an integer key.
 *
 * @module
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { execute } from "../sqlite_rows.ts";
import type { CountedTable, HistoryNumbers } from "./numbers.ts";

/** A row as it is read. */
export type StoredRow = Record<string, SQLOutputValue>;

/** The table of what is counted. */
const TABLE_NAMES: Readonly<Record<CountedTable, string>> = {
  parts: "history_part",
  blocks: "history_block",
  frames: "history_frame",
  cellDays: "history_cell_day",
  zoneDays: "history_zone_day",
};

/** Writes and deletes rows of one table, and counts them. */
export class RowTable {
  readonly name: string;
  readonly #table: CountedTable;
  readonly #db: DatabaseSync;
  readonly #numbers: HistoryNumbers;
  readonly #put: StatementSync;
  readonly #lengthOf: StatementSync;

  /**
   * @param key SQL of the key of a row from two numbers, `?1` and `?2`
   */
  constructor(
    db: DatabaseSync,
    numbers: HistoryNumbers,
    table: CountedTable,
    key: string,
  ) {
    this.#db = db;
    this.#numbers = numbers;
    this.#table = table;
    const name = this.name = TABLE_NAMES[table];
    this.#put = db.prepare(
      `INSERT OR REPLACE INTO ${name} (id, crc32, bytes) VALUES (${key}, ?3, ?4)`,
    );
    this.#lengthOf = db.prepare(
      `SELECT length(bytes) AS bytes FROM ${name} WHERE id = ${key}`,
    );
  }

  /** Adds a row, or replaces it. */
  put(owner: number, time: number, bytes: Uint8Array): void {
    const before = this.#lengthOf.get(owner, time);
    if (before === undefined) return this.add(owner, time, bytes);
    execute(this.#put, owner, time, crc32(bytes), bytes);
    const more = bytes.length - Number(before.bytes);
    this.#numbers.count(this.#table, 0, more);
  }

  /** Adds a row whose key the table does not have. */
  add(owner: number, time: number, bytes: Uint8Array): void {
    execute(this.#put, owner, time, crc32(bytes), bytes);
    this.#numbers.count(this.#table, 1, bytes.length);
  }

  /**
   * Prepares a statement that deletes rows.
   *
   * @param ids SQL of the keys to delete
   * @returns deletes them, and returns their number
   */
  deletion(ids: string): (...parameters: number[]) => number {
    const statement = this.#db.prepare(
      `DELETE FROM ${this.name} WHERE id IN (${ids}) RETURNING length(bytes) AS bytes`,
    );
    return (...parameters) => {
      const deleted = statement.all(...parameters);
      if (deleted.length === 0) return 0;
      let bytes = 0;
      for (const row of deleted) bytes += Number(row.bytes);
      this.#numbers.count(this.#table, -deleted.length, -bytes);
      return deleted.length;
    };
  }

  /** Prepares {@linkcode RowTable.deletion} of `?3` keys from `?1` to `?2`. */
  rangeDeletion(shift: number): (...parameters: number[]) => number {
    return this.deletion(
      `SELECT id FROM ${this.name} WHERE id >= ?1 << ${shift} AND id < ?2 << ${shift} LIMIT ?3`,
    );
  }
}

/** Returns the bytes of a row; undefined if their checksum is wrong. */
export function bytesOf(
  { bytes, crc32: expected }: StoredRow,
): Uint8Array | undefined {
  return bytes instanceof Uint8Array && crc32(bytes) === Number(expected)
    ? bytes
    : undefined;
}
