/**
 * Records in the database of the map: the state of the embedded broker, the
 * zones, and what Home Assistant has of them.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { nextTurn } from "../common/next_turn.ts";
import { checkedBytes, readRows } from "./sqlite_rows.ts";
import {
  type Encode,
  FIRST_IDS,
  lastIdOf,
  RecordStaging,
} from "./record_staging.ts";
import type { RecordOwner, Records } from "./store.ts";

const RETRY_INTERVAL_MS = 1000;

/** What {@linkcode StagedRecords} needs of its store. */
export interface RecordStore {
  /**
   * Commits the first staged changes without entries. Throws nothing.
   *
   * @returns false if the store fails
   */
  commitRecords(): boolean;
  /** Returns an error of {@linkcode Records.load} for the user. */
  explain(error: unknown): Error;
}

/** Records in tables of SQLite; changes are staged until a commit. */
export class StagedRecords implements Records {
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  readonly #set: StatementSync;
  readonly #delete: StatementSync;
  readonly #staging = new RecordStaging();
  readonly #lastIds = { ...FIRST_IDS };
  #isScheduled = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(db: DatabaseSync, store: RecordStore) {
    this.#db = db;
    this.#store = store;
    this.#set = db.prepare(
      "INSERT OR REPLACE INTO record (id, value, crc32) VALUES (?, ?, ?)",
    );
    this.#delete = db.prepare("DELETE FROM record WHERE id = ?");
  }

  /** True if changes wait for a commit. */
  get hasStaged(): boolean {
    return this.#staging.hasStaged;
  }

  *load(
    owner: RecordOwner,
  ): Generator<readonly [id: number, value: Uint8Array]> {
    const first = FIRST_IDS[owner];
    const all =
      `SELECT id, value AS bytes, crc32 FROM record WHERE id > ? AND id <= ${
        lastIdOf(owner)
      } ORDER BY id LIMIT ?`;
    try {
      for (const row of readRows(this.#db, all, first)) {
        const id = Number(row.id);
        this.#lastIds[owner] = id;
        yield [id, checkedBytes(row)];
      }
    } catch (error) {
      throw this.#store.explain(error);
    }
  }

  add(owner: RecordOwner, encode: Encode): number {
    const id = ++this.#lastIds[owner];
    this.#staging.stage(id, encode, true);
    this.#schedule();
    return id;
  }

  replace(id: number, encode: Encode): void {
    this.#staging.stage(id, encode);
    this.#schedule();
  }

  delete(id: number): void {
    this.#staging.stage(id, undefined);
    this.#schedule();
  }

  bind(id: number): void {
    this.#staging.bind(id);
  }

  afterCommit(callback: (counts: boolean) => void): void {
    this.#staging.afterCommit(callback);
  }

  /**
   * Writes the first staged changes. Call it within a transaction, and then
   * {@linkcode StagedRecords.committed} or {@linkcode StagedRecords.failed}.
   */
  write(): void {
    for (const { id, value } of this.#staging.write()) {
      if (value === undefined) this.#delete.run(id);
      else this.#set.run(id, value, crc32(value));
    }
  }

  /** Call after the transaction was committed. */
  committed(): void {
    this.#staging.committed();
    if (this.hasStaged) this.#schedule();
  }

  /** Call after the transaction failed: the changes stay staged. */
  failed(): void {
    this.#staging.failed();
  }

  /** Stops the timers. */
  close(): void {
    clearTimeout(this.#retryTimer);
    this.#isScheduled = true;
  }

  /** Commits soon, if no entries are committed before. */
  #schedule(hasMore = false): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    nextTurn(() => this.#flush(), hasMore);
  }

  #flush(): void {
    if (!this.hasStaged || this.#store.commitRecords()) {
      this.#isScheduled = false;
      // Each commit takes some milliseconds.
      if (this.hasStaged) this.#schedule(true);
      return;
    }
    this.#retryTimer = setTimeout(() => this.#flush(), RETRY_INTERVAL_MS);
  }
}
