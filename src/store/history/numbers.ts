/**
 * Numbers of the history by key: those of the server, and the sizes of the
 * tables, which would take long to count.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { HistoryCount, HistorySize } from "../history_tables.ts";

/** Tables whose rows are counted. */
export type CountedTable = Exclude<keyof HistorySize, "bytes">;

const COUNTED: readonly CountedTable[] = [
  "parts",
  "blocks",
  "frames",
  "cellDays",
  "zoneDays",
];
/** Begins the keys that are not of the server. */
const OWN = "tables.";
const OLDEST_DAY = `${OWN}oldestDay`;
/** About the key, the checksum and SQLite's headers of a row. */
const ROW_OVERHEAD_BYTES = 24;

interface Count {
  rows: number;
  bytes: number;
}

/** The numbers. Changes of the sizes are written at the end of a transaction. */
export class HistoryNumbers {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #meta = new Map<string, number>();
  readonly #counts = new Map<CountedTable, Count>();
  readonly #changed = new Set<CountedTable>();
  #oldestDay: number | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#put = db.prepare(
      "INSERT OR REPLACE INTO history_meta (key, value) VALUES (?, ?)",
    );
    this.reload();
  }

  get meta(): ReadonlyMap<string, number> {
    return this.#meta;
  }

  get oldestDay(): number | undefined {
    return this.#oldestDay;
  }

  /** Reads the numbers again, after a transaction was rolled back. */
  reload(): void {
    this.#meta.clear();
    this.#changed.clear();
    const own = new Map<string, number>();
    const rows = this.#db.prepare("SELECT key, value FROM history_meta").all();
    for (const row of rows) {
      const key = String(row.key);
      (key.startsWith(OWN) ? own : this.#meta).set(key, Number(row.value));
    }
    this.#oldestDay = own.get(OLDEST_DAY);
    for (const table of COUNTED) {
      this.#counts.set(table, {
        rows: own.get(`${OWN}${table}.rows`) ?? 0,
        bytes: own.get(`${OWN}${table}.bytes`) ?? 0,
      });
    }
  }

  set(key: string, value: number): void {
    if (key.startsWith(OWN)) throw new RangeError(`The key ${key} is reserved`);
    if (!Number.isFinite(value)) throw new RangeError(`${key} is not finite`);
    this.#put.run(key, value);
    this.#meta.set(key, value);
  }

  /** Adds rows and bytes to the size of a table; negative: deleted ones. */
  count(table: CountedTable, rows: number, bytes: number): void {
    const count = this.#counts.get(table)!;
    count.rows += rows;
    count.bytes += bytes;
    this.#changed.add(table);
  }

  /** A rollup of a day was written. */
  noteDay(day: number): void {
    if (this.#oldestDay !== undefined && this.#oldestDay <= day) return;
    this.#setOldestDay(day);
  }

  /** All rollups before a day were deleted. */
  daysDeletedBefore(day: number): void {
    if (this.#oldestDay === undefined || this.#oldestDay >= day) return;
    this.#setOldestDay(day);
  }

  size(): HistorySize {
    const copy = (table: CountedTable): HistoryCount => ({
      ...this.#counts.get(table)!,
    });
    let bytes = 0;
    for (const count of this.#counts.values()) {
      bytes += count.bytes + count.rows * ROW_OVERHEAD_BYTES;
    }
    return {
      bytes,
      parts: copy("parts"),
      blocks: copy("blocks"),
      frames: copy("frames"),
      cellDays: copy("cellDays"),
      zoneDays: copy("zoneDays"),
    };
  }

  /** Writes the sizes that have changed. Call it before the commit. */
  write(): void {
    for (const table of this.#changed) {
      const { rows, bytes } = this.#counts.get(table)!;
      this.#put.run(`${OWN}${table}.rows`, rows);
      this.#put.run(`${OWN}${table}.bytes`, bytes);
    }
    this.#changed.clear();
  }

  #setOldestDay(day: number): void {
    this.#oldestDay = day;
    this.#put.run(OLDEST_DAY, day);
  }
}
