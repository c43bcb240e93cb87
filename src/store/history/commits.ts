/**
 * Commits the history with the entries of a store, and holds checkpoints back
 * until what they cover is durable.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Backoff } from "../../common/backoff.ts";
import type { HistoryWork } from "../history_tables.ts";
import type { StoreError } from "../store_error.ts";
import { SqliteHistory } from "./sqlite_history.ts";

/** How long the history may delay the commit of entries, ms. */
export const COMMIT_BUDGET_MS = 2;
/** The default of a commit of history alone, ms. */
const IDLE_BUDGET_MS = 10;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/** The history of one store. Without work it does nothing. */
export class HistoryCommits {
  work: HistoryWork | undefined;
  readonly #db: DatabaseSync;
  readonly #transaction: (work: () => void) => void;
  readonly #explain: (error: unknown) => StoreError;
  /** The clock, ms. */
  readonly #now: () => number;
  readonly #backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  #tables: SqliteHistory | undefined;
  #problem: StoreError | undefined;
  /** While there is a problem: when to try again. */
  #retryAt = 0;
  /** True while `work` writes. */
  #isWriting = false;
  /** True if the present transaction has something of the history. */
  #hasWritten = false;
  /** What the running checkpoint covers. */
  #mark: number | undefined;

  /**
   * @param db has the schema of the history
   * @param transaction runs work in a transaction, and rolls it back if that
   * throws
   * @param explain returns an error for users
   */
  constructor(
    db: DatabaseSync,
    transaction: (work: () => void) => void,
    explain: (error: unknown) => StoreError,
    now: () => number = () => performance.now(),
  ) {
    this.#db = db;
    this.#transaction = transaction;
    this.#explain = explain;
    this.#now = now;
  }

  /** The tables, prepared when they are first used. */
  get tables(): SqliteHistory {
    return this.#tables ??= new SqliteHistory(this.#db);
  }

  get problem(): StoreError | undefined {
    return this.#problem;
  }

  /** True if the next commit should write history. */
  get hasWork(): boolean {
    return this.work !== undefined && this.work.hasWork &&
      (this.#problem === undefined || this.#now() >= this.#retryAt);
  }

  /**
   * Writes history, if there is some, within a transaction. Then call
   * {@linkcode HistoryCommits.committed} or {@linkcode HistoryCommits.failed}.
   */
  write(budgetMs = COMMIT_BUDGET_MS): void {
    if (!this.hasWork) return;
    const { tables } = this;
    this.#hasWritten = true;
    this.#isWriting = true;
    this.work!.write(tables, budgetMs);
    tables.beforeCommit();
    this.#isWriting = false;
  }

  /** Call it after the commit. */
  committed(): void {
    if (!this.#hasWritten) return;
    this.#hasWritten = false;
    this.#problem = undefined;
    this.#backoff.reset();
    this.work?.committed();
  }

  /**
   * Call it after the transaction was rolled back: the history pauses if it had
   * a part in it.
   *
   * @returns true if writing the history was what failed
   */
  failed(error: unknown): boolean {
    if (!this.#hasWritten) return false;
    const isCause = this.#isWriting;
    this.#hasWritten = false;
    this.#isWriting = false;
    this.#problem = this.#explain(error);
    this.#retryAt = this.#now() + this.#backoff.next();
    try {
      this.#tables?.rolledBack();
    } catch {
      this.#tables = undefined; // prepared again when it is used
    }
    this.work?.failed();
    return isCause;
  }

  /**
   * Commits history alone, if there is some and it is not paused.
   *
   * @returns why that failed
   */
  commit(budgetMs = IDLE_BUDGET_MS): StoreError | undefined {
    if (!this.hasWork) return this.#problem;
    try {
      this.#transaction(() => this.write(budgetMs));
    } catch (error) {
      this.failed(error);
      return this.#problem;
    }
    this.committed();
    return undefined;
  }

  /**
   * Commits everything that the running checkpoint waits for.
   *
   * @param timeoutMs after it no further commit begins
   * @throws {StoreError} if that fails, or takes longer
   */
  commitAll(timeoutMs = Infinity): void {
    this.#retryAt = 0;
    const end = this.#now() + timeoutMs;
    while (!this.isDurable && this.hasWork && this.#now() < end) {
      const problem = this.commit(Infinity);
      if (problem !== undefined) throw problem;
    }
    if (!this.isDurable) {
      throw this.#explain(new Error("a part of the history was not written"));
    }
  }

  /** Commits all that there is, until that fails. */
  commitRest(): void {
    while (this.hasWork && this.commit(Infinity) === undefined);
  }

  /** A checkpoint begins. */
  checkpointBegins(): void {
    this.#mark = this.work?.mark();
  }

  /** True if everything before the running checkpoint is durable. */
  get isDurable(): boolean {
    return this.#mark === undefined || this.work === undefined ||
      this.work.isDurable(this.#mark);
  }
}
