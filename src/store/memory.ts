import { DatabaseSync } from "node:sqlite";
import { COMMIT_BUDGET_MS, HistoryCommits } from "./history/commits.ts";
import { HISTORY_SCHEMA } from "./history/schema.ts";
import type { SqliteHistory } from "./history/sqlite_history.ts";
import { storeErrorOf } from "./sqlite_errors.ts";
import { runTransaction } from "./sqlite_rows.ts";
import type { HistoryWork, Store, StoreError } from "./store.ts";

/**
 * A store without storage: the map is lost at the end of the process. So is its
 * history, which is in a database in memory, made when it is first used.
 */
export class MemoryStore implements Store {
  readonly description = "memory:";
  readonly durable = false;
  #db: DatabaseSync | undefined;
  #commits: HistoryCommits | undefined;
  #closed = false;

  get history(): SqliteHistory {
    return this.#history().tables;
  }

  get historyWork(): HistoryWork | undefined {
    return this.#commits?.work;
  }

  set historyWork(work: HistoryWork | undefined) {
    if (work !== undefined || this.#commits) this.#history().work = work;
  }

  get historyProblem(): StoreError | undefined {
    return this.#commits?.problem;
  }

  load(): void {}

  commit(): void {
    this.commitHistory(COMMIT_BUDGET_MS);
  }

  commitHistory(budgetMs?: number): StoreError | undefined {
    return this.#closed ? undefined : this.#commits?.commit(budgetMs);
  }

  applied(): void {}

  close(): void {
    this.#closed = true;
    this.#db?.close();
    this.#db = undefined;
  }

  #history(): HistoryCommits {
    if (this.#commits !== undefined) return this.#commits;
    const db = this.#db = new DatabaseSync(":memory:");
    db.exec(HISTORY_SCHEMA);
    const transaction = (work: () => void) => runTransaction(db, work);
    const explain = (error: unknown) => storeErrorOf("memory:", error, true);
    return this.#commits = new HistoryCommits(db, transaction, explain);
  }
}
