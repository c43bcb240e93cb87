/** Work that writes to the tables of a history, for tests of the store. */
import type { HistoryTables, HistoryWork } from "../../src/store/store.ts";

/** A change of the tables. */
export type Change = (tables: HistoryTables) => void;

/** Changes wait until a transaction writes them. */
export class QueuedWork implements HistoryWork {
  /** In the order in which they were added. */
  readonly #queue: Change[] = [];
  #writing = 0;
  #added = 0;
  #durable = 0;
  /** Changes of one write; a budget is about this many. */
  perWrite = Infinity;
  /** The budgets of the writes. */
  readonly budgets: number[] = [];
  /** Thrown by the next writes, after their changes. */
  failWith: Error | undefined;
  /** The clocks of the entries that were replayed. */
  readonly replayed: number[] = [];
  /** Size of the map before each of them, if `onReplay` notes it. */
  readonly cellsAtReplay: number[] = [];
  /** Called before each entry that is replayed. */
  onReplay: (() => void) | undefined;

  get hasWork(): boolean {
    return this.#queue.length > 0;
  }

  /** How many changes wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  add(...changes: Change[]): void {
    this.#queue.push(...changes);
    this.#added += changes.length;
  }

  write(tables: HistoryTables, budgetMs: number): void {
    this.budgets.push(budgetMs);
    const count = budgetMs === Infinity ? Infinity : this.perWrite;
    this.#writing = Math.min(count, this.#queue.length);
    for (const change of this.#queue.slice(0, this.#writing)) change(tables);
    if (this.failWith !== undefined) throw this.failWith;
  }

  committed(): void {
    this.#queue.splice(0, this.#writing);
    this.#durable += this.#writing;
    this.#writing = 0;
  }

  failed(): void {
    this.#writing = 0;
  }

  mark(): number {
    return this.#added;
  }

  isDurable(mark: number): boolean {
    return this.#durable >= mark;
  }

  beforeReplay(now: number): void {
    this.replayed.push(now);
    this.onReplay?.();
  }
}

/** Bytes that differ for each seed. */
export function bytesFor(seed: number, length = 20): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => seed * 31 + i);
}
