/**
 * A store in one SQLite file.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import {
  DEFAULT_AGEING,
  type MapShard,
  type OccupancyMap,
} from "../grid/mod.ts";
import {
  LAST_ALIVE_KEY,
  restoreMeta,
  type StoredMeta,
} from "./checkpoint_meta.ts";
import { Checkpointer, MAX_GROWTH } from "./checkpointer.ts";
import { decodeEntries, EntryEncoder } from "./entry_codec.ts";
import { HistoryCommits } from "./history/commits.ts";
import type { SqliteHistory } from "./history/sqlite_history.ts";
import { LoadGuard } from "./load_guard.ts";
import { loadCheckpoint, SqliteCheckpointTarget } from "./sqlite_checkpoint.ts";
import { type RecordStore, StagedRecords } from "./records.ts";
import { checkedBytes, readRows, runTransaction } from "./sqlite_rows.ts";
import { readErrorOf, storeErrorOf } from "./sqlite_errors.ts";
import { checkLogOwner, forgetLogOwner, recordLogOwner } from "./log_owner.ts";
import { emptyLog, openDatabase } from "./sqlite_file.ts";
import {
  applyEntry,
  type Durability,
  type Entry,
  type HistoryWork,
  type LoadLimit,
  type Store,
  type StoreError,
} from "./store.ts";
import { rescueDatabase } from "./rescue.ts";
import { StoreFiles } from "./store_files.ts";
import { countLostTransactions, damagedLogWarning } from "./wal_check.ts";

const DEFAULT_MAX_JOURNAL_BYTES = 8 * 1024 * 1024;
/** How long the history may delay the end of a server. */
const CLOSE_HISTORY_MS = 2000;

/** Options of {@linkcode SqliteStore}. */
export interface SqliteOptions {
  /** The file. Created if it does not exist. */
  readonly path: string;
  /** What committed entries survive. Default `fsync`. */
  readonly durability?: Durability;
  /**
   * A checkpoint begins when the journal is larger than this limit and than all
   * tiles. So it never writes more than the journal received, even if it writes
   * all tiles. Until it is complete, the journal may grow to twice that size.
   * Default 8 MiB.
   */
  readonly maxJournalBytes?: number;
  /** Receives a line about a problem that does not prevent the use. */
  readonly onWarning?: ((line: string) => void) | undefined;
}

/**
 * Stores a map in one SQLite file.
 *
 * A commit appends its entries to the journal, as one row. From time to time a
 * checkpoint writes the changed tiles, a part with each commit, and the journal
 * starts empty (see `checkpointer.ts`). A start reads the tiles and replays the
 * journal.
 */
export class SqliteStore implements Store {
  readonly description: string;
  readonly durable = true;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #files: StoreFiles;
  readonly #warn: (line: string) => void;
  readonly #maxJournalBytes: number;
  readonly #encoder = new EntryEncoder();
  readonly #append: StatementSync;
  readonly #checkpointer: Checkpointer<number>;
  readonly #history: HistoryCommits;
  readonly records: StagedRecords;
  /** Why the last commit of records alone failed; undefined if it did not. */
  #recordsProblem: StoreError | undefined;
  /** False until the file was read: a file with errors must not be changed. */
  #loaded = false;
  #lastAlive: number | undefined;
  /** The last row of the journal. */
  #lastRow = 0;
  /** Size of the journal since the last complete checkpoint. */
  #journalBytes = 0;
  /** The part of `#journalBytes` that the running checkpoint covers. */
  #coveredBytes = 0;
  /** After a failure, the size of the journal at which to try again. */
  #retryAtBytes = 0;
  #closed = false;
  /** Why nothing may be stored; undefined while the files are in place. */
  #filesProblem: StoreError | undefined;

  /** @throws {StoreError} if the file cannot be used; it is not changed */
  constructor(options: SqliteOptions) {
    const { path, durability = "fsync", onWarning = () => {} } = options;
    this.description = `sqlite:${path}`;
    this.#path = path;
    this.#maxJournalBytes = options.maxJournalBytes ??
      DEFAULT_MAX_JOURNAL_BYTES;
    this.#warn = onWarning;
    checkLogOwner(path);
    const lost = countLostTransactions(`${path}-wal`);
    this.#db = openDatabase(path, durability);
    if (lost > 0) onWarning(damagedLogWarning(path, lost));
    this.#files = new StoreFiles(path);
    recordLogOwner(path);
    try {
      this.#append = this.#db.prepare(
        "INSERT INTO journal (entries, crc32) VALUES (?, ?)",
      );
      this.#checkpointer = new Checkpointer(
        new SqliteCheckpointTarget(this.#db),
        0,
        () => this.#canComplete(),
      );
      this.#history = new HistoryCommits(
        this.#db,
        (work) => this.#transaction(work),
        (error) => storeErrorOf(path, error, true),
      );
      this.records = new StagedRecords(this.#db, this.#recordStore());
    } catch (error) {
      this.#db.close();
      forgetLogOwner(path);
      throw storeErrorOf(path, error);
    }
  }

  get lastAlive(): number | undefined {
    return this.#lastAlive;
  }

  get history(): SqliteHistory {
    return this.#history.tables;
  }

  get historyWork(): HistoryWork | undefined {
    return this.#history.work;
  }

  set historyWork(work: HistoryWork | undefined) {
    this.#history.work = work;
  }

  get historyProblem(): StoreError | undefined {
    return this.#history.problem;
  }

  load(map: OccupancyMap, limit?: LoadLimit): void {
    const guard = new LoadGuard(this.description, map, limit);
    const { only } = map;
    try {
      const meta = this.#loadMeta(only);
      loadCheckpoint(this.#db, this.#checkpointer, only, meta, guard);
      this.#replay(map, guard);
      this.#loaded = true;
    } catch (error) {
      throw readErrorOf(this.#path, error);
    }
  }

  commit(entries: readonly Entry[]): void {
    const problem = this.#checkFiles();
    if (problem !== undefined) throw problem;
    const bytes = this.#encoder.encode(entries);
    try {
      // Else the row would join a failed transaction.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      const committed = (this.#checkpointer.hasWork || this.#history.hasWork) &&
        this.#commitWithStep(bytes);
      if (!committed) this.#commitRow(bytes);
    } catch (error) {
      this.records.failed();
      throw storeErrorOf(this.#path, error, true);
    }
    this.#recordsProblem = undefined;
    this.records.committed();
    for (const entry of entries) this.#noteAlive(entry);
    this.#journalBytes += bytes.length;
  }

  commitHistory(budgetMs?: number): StoreError | undefined {
    return this.#checkFiles() ?? this.#history.commit(budgetMs);
  }

  problem(): StoreError | undefined {
    return this.#checkFiles() ?? this.#recordsProblem;
  }

  #checkFiles(): StoreError | undefined {
    const before = this.#filesProblem;
    this.#filesProblem = this.#files.check();
    if (before === undefined && this.#filesProblem !== undefined) {
      emptyLog(this.#db, this.#files);
    }
    return this.#filesProblem;
  }

  applied(map: OccupancyMap): void {
    if (
      !this.#checkpointer.running &&
      this.#journalBytes >= this.#checkpointAtBytes()
    ) this.#beginCheckpoint(map.only);
  }

  async rescue(): Promise<void> {
    if (this.#closed || this.#files.databaseDifference() === undefined) return;
    emptyLog(this.#db, this.#files);
    await rescueDatabase(this.#db, this.#path, this.#files, this.#warn);
  }

  checkpoint(map: OccupancyMap): void {
    try {
      this.#checkpointAll(map.only);
    } catch (error) {
      throw storeErrorOf(this.#path, error, true);
    }
  }

  close(map?: OccupancyMap): void {
    if (this.#closed) return;
    this.#closed = true;
    this.records.close();
    while (this.records.hasStaged && this.#commitRecords());
    try {
      if (map !== undefined && this.#loaded) {
        this.#checkpointAll(map.only, CLOSE_HISTORY_MS);
      }
    } catch {
      // The disk is full, for example, or much of the history is not written.
      // The journal is still complete: the next start makes it again.
    }
    this.#db.close();
    forgetLogOwner(this.#path);
  }

  /**
   * Appends entries, writes history and runs a step of the checkpoint, in one
   * transaction.
   *
   * @returns false if the transaction failed; the disk may still have space for
   * the entries alone
   */
  #commitWithStep(bytes: Uint8Array<ArrayBuffer>): boolean {
    const share = Math.min(1, bytes.length / this.#checkpointAtBytes());
    try {
      this.#transaction(() => {
        this.#appendRow(bytes);
        this.records.write();
        this.#history.write();
        this.#checkpointer.step(share);
      });
    } catch (error) {
      this.records.failed();
      if (!this.#history.failed(error)) {
        this.#checkpointer.stepFailed();
        this.#retryAtBytes = 2 * this.#journalBytes;
      }
      return false;
    }
    this.#history.committed();
    this.#afterStep();
    return true;
  }

  #commitRow(bytes: Uint8Array<ArrayBuffer>): void {
    // One statement is one transaction.
    if (!this.records.hasStaged) return this.#appendRow(bytes);
    this.#transaction(() => {
      this.#appendRow(bytes);
      this.records.write();
    });
  }

  /** Commits records without entries. Returns false if the store fails. */
  #commitRecords(): boolean {
    this.#recordsProblem = this.#checkFiles();
    if (this.#recordsProblem !== undefined) return false;
    try {
      this.#transaction(() => this.records.write());
    } catch (error) {
      this.records.failed();
      this.#recordsProblem = storeErrorOf(this.#path, error, true);
      return false;
    }
    this.records.committed();
    return true;
  }

  #recordStore(): RecordStore {
    return {
      commitRecords: () => this.#commitRecords(),
      explain: (error) => readErrorOf(this.#path, error),
    };
  }

  #appendRow(bytes: Uint8Array<ArrayBuffer>): void {
    this.#lastRow = Number(
      this.#append.run(bytes, crc32(bytes)).lastInsertRowid,
    );
  }

  #beginCheckpoint(map: MapShard): void {
    this.#coveredBytes = this.#journalBytes;
    this.#history.checkpointBegins();
    this.#checkpointer.begin(map, {
      position: this.#lastRow,
      lastAlive: this.#lastAlive,
    });
  }

  #afterStep(): void {
    if (!this.#checkpointer.stepCommitted()) return;
    this.#journalBytes -= this.#coveredBytes;
    this.#retryAtBytes = 0;
  }

  /** Writes all changed tiles and empties the journal. */
  #checkpointAll(map: MapShard, historyMs = Infinity): void {
    while (this.#checkpointer.hasWork || this.#journalBytes > 0) {
      if (!this.#checkpointer.hasWork) this.#beginCheckpoint(map);
      this.#history.commitAll(historyMs);
      this.#transaction(() => this.#checkpointer.step(1));
      this.#afterStep();
    }
    this.#history.commitRest();
  }

  /**
   * A checkpoint waits for the history, which is made from the journal again
   * after a crash; but a history that fails must not let the journal grow on.
   */
  #canComplete(): boolean {
    return this.#history.isDurable ||
      this.#journalBytes >= MAX_GROWTH * this.#journalLimit();
  }

  #noteAlive(entry: Entry): void {
    if (entry.kind === "alive") this.#lastAlive = entry.now;
  }

  /** Size of the journal at which the next checkpoint begins. */
  #checkpointAtBytes(): number {
    return Math.max(this.#journalLimit(), this.#retryAtBytes);
  }

  #journalLimit(): number {
    return Math.max(this.#maxJournalBytes, this.#checkpointer.liveBytes);
  }

  #transaction(work: () => void): void {
    runTransaction(this.#db, work);
  }

  #loadMeta(map: MapShard): StoredMeta {
    const rows = this.#db.prepare("SELECT key, value FROM meta").all();
    const meta = Object.fromEntries(
      rows.map(({ key, value }) => [key as string, Number(value)]),
    );
    this.#lastAlive = meta[LAST_ALIVE_KEY];
    // Files of earlier versions do not have all values.
    restoreMeta(map, { ...DEFAULT_AGEING, revision: 0, ...meta });
    return meta;
  }

  /** Applies the entries since the last checkpoint. */
  #replay(map: OccupancyMap, guard: LoadGuard): void {
    const { checkpointed } = this.#checkpointer;
    this.#lastRow = checkpointed;
    const journal =
      "SELECT id, entries AS bytes, crc32 FROM journal WHERE id > ? ORDER BY id LIMIT ?";
    for (const row of readRows(this.#db, journal, checkpointed)) {
      const bytes = checkedBytes(row);
      for (const entry of decodeEntries(bytes)) {
        this.historyWork?.beforeReplay?.(entry.now);
        applyEntry(map, entry);
        this.#noteAlive(entry);
      }
      this.#journalBytes += bytes.length;
      this.#lastRow = Number(row.id);
      guard.loaded(bytes.length, () => 0);
    }
  }
}
