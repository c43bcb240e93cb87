/**
 * Writes in the transactions of commits, a part with each, until all are
 * durable.
 *
 * @module
 */
import type { HistoryTables } from "../../store/store.ts";

/** Changes the tables by some rows. May be repeated. */
export type Write = (tables: HistoryTables) => void;

/** Some writes, in order; undefined pauses. */
export type Writes = Generator<Write | undefined, void, void>;

/** Writes that become durable together: the last one says so. */
export class Flush {
  readonly #writes: Writes;
  readonly #last: Write;
  /** Written in the present transaction. */
  #written: Write[] = [];
  /** To be written again, before all others. */
  #again: Write[] = [];
  #isLastWritten = false;

  /**
   * @param writes in order
   * @param last written with the last of them, or after them
   */
  constructor(writes: Writes, last: Write) {
    this.#writes = writes;
    this.#last = last;
  }

  /**
   * Writes a part. Call it within a transaction, and then
   * {@linkcode Flush.committed} or {@linkcode Flush.failed}.
   *
   * @param isTimeOver checked after each write
   */
  write(tables: HistoryTables, isTimeOver: () => boolean): void {
    for (const write of this.#again.splice(0)) this.#write(write, tables);
    while (!this.#isLastWritten) {
      const next = this.#writes.next();
      if (next.done) {
        this.#last(tables);
        this.#isLastWritten = true;
      } else if (next.value !== undefined) this.#write(next.value, tables);
      if (isTimeOver()) return;
    }
  }

  /**
   * Call it after the commit.
   *
   * @returns true if all is durable
   */
  committed(): boolean {
    this.#written = [];
    return this.#isLastWritten;
  }

  /** Call it after the transaction failed. */
  failed(): void {
    this.#again = [...this.#written, ...this.#again];
    this.#written = [];
    this.#isLastWritten = false;
  }

  #write(write: Write, tables: HistoryTables): void {
    this.#written.push(write); // also if it fails
    write(tables);
  }
}

/** A flush and what it makes durable. */
interface MarkedFlush {
  readonly flush: Flush;
  readonly mark: number;
  /** Returns true if another server has written the same. */
  readonly isStored: () => boolean;
}

/** Flushes in order: usually one, or none. */
export class Flushes {
  /** All up to this mark is durable. */
  durable = 0;
  readonly #flushes: MarkedFlush[] = [];
  #waiting: {
    readonly mark: number;
    resolve(): void;
    reject(error: Error): void;
  }[] = [];

  /** True if there is nothing to write. */
  get isEmpty(): boolean {
    return this.#flushes.length === 0;
  }

  /**
   * Adds a flush, behind which all up to a mark is durable.
   *
   * @param isStored returns true if another server has written the same.
   * Default: none does
   */
  push(flush: Flush, mark: number, isStored = () => false): void {
    this.#flushes.push({ flush, mark, isStored });
  }

  /**
   * Removes what another server has written.
   *
   * @returns true if there was such a flush
   */
  dropStored(): boolean {
    return this.#endWhile(({ isStored }) => isStored());
  }

  /** Removes all: what is waited for fails. */
  clear(error: Error): void {
    this.#flushes.length = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** See {@linkcode Flush.write}. */
  write(tables: HistoryTables, isTimeOver: () => boolean): void {
    for (const { flush } of this.#flushes) {
      flush.write(tables, isTimeOver);
      if (isTimeOver()) return;
    }
  }

  /**
   * Call it after the commit.
   *
   * @returns true if a flush has ended
   */
  committed(): boolean {
    return this.#endWhile(({ flush }) => flush.committed());
  }

  #endWhile(isDurable: (flush: MarkedFlush) => boolean): boolean {
    const before = this.#flushes.length;
    while (this.#flushes.length > 0 && isDurable(this.#flushes[0]!)) {
      this.durable = this.#flushes.shift()!.mark;
    }
    if (this.#flushes.length === before) return false;
    const resolved = this.#waiting.filter(({ mark }) => mark <= this.durable);
    this.#waiting = this.#waiting.filter(({ mark }) => mark > this.durable);
    for (const { resolve } of resolved) resolve();
    return true;
  }

  /** Resolves when all up to a mark is durable; see {@linkcode Flushes.clear}. */
  untilDurable(mark: number): Promise<void> {
    if (this.durable >= mark) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ mark, resolve, reject });
    });
  }

  /** Call it after the transaction failed. */
  failed(): void {
    for (const { flush } of this.#flushes) flush.failed();
  }
}
