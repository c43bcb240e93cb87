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
import type { RecordOwner, Records } from "./store.ts";

/**
 * More changes than this wait for the next commit, so that no commit is long,
 * unless they have to be committed together.
 */
const MAX_WRITTEN_RECORDS = 2000;
/** The same for their values; the last one may exceed it. */
const MAX_WRITTEN_BYTES = 2 * 1024 * 1024;
const RETRY_INTERVAL_MS = 1000;
/** Ids of an owner are above this, and at most {@linkcode MAX_RECORDS} above. */
const FIRST_IDS: Readonly<Record<RecordOwner, number>> = {
  broker: 0,
  zones: 2 ** 48,
  "home-assistant": 2 ** 49,
};
/** More than a server adds in its life. */
const MAX_RECORDS = 2 ** 48;

type Encode = () => Uint8Array<ArrayBuffer>;

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

/**
 * Collects changes of records until a commit writes them. A record that changes
 * several times in between is written once; one that is added and deleted is not
 * written at all.
 */
export class StagedRecords implements Records {
  readonly #db: DatabaseSync;
  readonly #store: RecordStore;
  readonly #set: StatementSync;
  readonly #delete: StatementSync;
  /** By id, in the order of the first change; undefined: delete it. */
  readonly #staged = new Map<number, Encode | undefined>();
  /** Ids that the database does not have yet. */
  readonly #added = new Set<number>();
  readonly #lastIds = { ...FIRST_IDS };
  /** Positions in the order of changes: of the last staged, written, committed. */
  #stagedTo = 0;
  #writtenTo = 0;
  #committedTo = 0;
  /**
   * The position up to which changes are committed together with that of a
   * staged record, by its id.
   */
  readonly #boundTo = new Map<number, number>();
  /** Ids that the present transaction has written. */
  #written: number[] = [];
  /** In order of `position`. */
  #waiting: { readonly position: number; readonly callback: () => void }[] = [];
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
    return this.#staged.size > 0;
  }

  *load(
    owner: RecordOwner,
  ): Generator<readonly [id: number, value: Uint8Array]> {
    const first = FIRST_IDS[owner];
    const last = first + MAX_RECORDS;
    const all =
      `SELECT id, value AS bytes, crc32 FROM record WHERE id > ? AND id <= ${last} ORDER BY id LIMIT ?`;
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
    this.#added.add(id);
    this.#stage(id, encode);
    return id;
  }

  replace(id: number, encode: Encode): void {
    this.#stage(id, encode);
  }

  delete(id: number): void {
    this.#stage(id, undefined);
  }

  bind(id: number): void {
    if (this.#staged.has(id)) this.#boundTo.set(id, this.#stagedTo);
  }

  afterCommit(callback: () => void): void {
    if (this.#committedTo === this.#stagedTo) callback();
    else this.#waiting.push({ position: this.#stagedTo, callback });
  }

  /**
   * Writes the first staged changes. Call it within a transaction, and then
   * {@linkcode StagedRecords.committed} or {@linkcode StagedRecords.failed}.
   */
  write(): void {
    let bytes = 0;
    let boundTo = 0;
    for (const [id, encode] of this.#staged) {
      const isFull = this.#written.length >= MAX_WRITTEN_RECORDS ||
        bytes >= MAX_WRITTEN_BYTES;
      if (isFull && this.#writtenTo >= boundTo) return;
      if (this.#boundTo.size > 0) {
        boundTo = Math.max(boundTo, this.#boundTo.get(id) ?? 0);
      }
      if (encode !== undefined) {
        const value = encode();
        this.#set.run(id, value, crc32(value));
        bytes += value.length;
      } else if (!this.#added.has(id)) this.#delete.run(id);
      this.#written.push(id);
      this.#writtenTo++;
    }
  }

  /** Call after the transaction was committed. */
  committed(): void {
    for (const id of this.#written) {
      this.#staged.delete(id);
      this.#added.delete(id);
      this.#boundTo.delete(id);
    }
    this.#written = [];
    this.#committedTo = this.#writtenTo;
    if (this.#waiting.length > 0) queueMicrotask(() => this.#callBack());
    if (this.hasStaged) this.#schedule();
  }

  /** Call after the transaction failed: the changes stay staged. */
  failed(): void {
    this.#written = [];
    this.#writtenTo = this.#committedTo;
  }

  /** Stops the timers. */
  close(): void {
    clearTimeout(this.#retryTimer);
    this.#isScheduled = true;
  }

  #stage(id: number, encode: Encode | undefined): void {
    // A change of a staged record keeps its place.
    if (!this.#staged.has(id)) this.#stagedTo++;
    this.#staged.set(id, encode);
    this.#schedule();
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

  #callBack(): void {
    const count = this.#waiting.findIndex(({ position }) =>
      position > this.#committedTo
    );
    const due = this.#waiting.splice(
      0,
      count === -1 ? this.#waiting.length : count,
    );
    for (const { callback } of due) callback();
  }
}
