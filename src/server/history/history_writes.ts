/**
 * All that a server writes to the tables of its history: first what it records,
 * then what the care for the history changes.
 *
 * @module
 */
import type { HistoryTables, HistoryWork } from "../../store/store.ts";
import { Flush, Flushes, type Write } from "./flush.ts";

/** Options of {@linkcode HistoryWrites}. */
export interface HistoryWritesOptions {
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
  /** Asks the store to call {@linkcode HistoryWrites.write} soon. */
  readonly schedule: () => void;
}

/** Another server writes the history now: begin again when this one does. */
export class OtherWriterError extends Error {
  override name = "OtherWriterError";

  constructor() {
    super("Another server writes the history");
  }
}

/** Writes of the recorder, and further ones behind them. */
export class HistoryWrites implements HistoryWork {
  readonly #recorder: HistoryWork;
  readonly #options: HistoryWritesOptions;
  readonly #flushes = new Flushes();
  #mark = 0;
  #term = 0;
  /** True while another server writes. */
  #isAbandoned = false;
  /** True if the recorder has a part in the present transaction. */
  #isRecording = false;

  constructor(recorder: HistoryWork, options: HistoryWritesOptions) {
    this.#recorder = recorder;
    this.#options = options;
  }

  /** Changes when another server writes: what was read before is old then. */
  get term(): number {
    return this.#term;
  }

  /**
   * Adds writes. Each may be repeated, and a transaction may have only some.
   *
   * @param term a value of {@linkcode HistoryWrites.term}. Default: the present
   * @returns resolves when all are durable; never if the store fails until its
   * end
   * @throws {OtherWriterError} if another server writes before that
   */
  commit(writes: readonly Write[], term = this.#term): Promise<void> {
    if (this.#isAbandoned || term !== this.#term) {
      return Promise.reject(new OtherWriterError());
    }
    const mark = ++this.#mark;
    const flush = new Flush(
      (function* () {
        yield* writes;
      })(),
      () => {},
    );
    this.#flushes.push(flush, mark);
    this.#options.schedule();
    return this.#flushes.untilDurable(mark);
  }

  /** Gives up what is not durable yet: another server writes. */
  abandon(): void {
    this.#term++;
    this.#isAbandoned = true;
    this.#flushes.clear(new OtherWriterError());
  }

  /** This server writes from now on. */
  resume(): void {
    this.#isAbandoned = false;
  }

  get hasWork(): boolean {
    return this.#recorder.hasWork || !this.#flushes.isEmpty;
  }

  write(tables: HistoryTables, budgetMs: number): void {
    const { monotonic } = this.#options;
    const start = monotonic();
    const isTimeOver = () => monotonic() - start >= budgetMs;
    this.#isRecording = this.#recorder.hasWork;
    if (this.#isRecording) {
      this.#recorder.write(tables, budgetMs);
      if (isTimeOver()) return;
    }
    this.#flushes.write(tables, isTimeOver);
  }

  committed(): void {
    if (this.#isRecording) this.#recorder.committed();
    this.#flushes.committed();
    if (!this.#flushes.isEmpty) this.#options.schedule();
  }

  failed(): void {
    if (this.#isRecording) this.#recorder.failed();
    this.#flushes.failed();
  }

  mark(): number {
    return this.#recorder.mark();
  }

  isDurable(mark: number): boolean {
    return this.#recorder.isDurable(mark);
  }

  beforeReplay(now: number): void {
    this.#recorder.beforeReplay?.(now);
  }

  opened(): void {
    this.#recorder.opened?.();
  }

  covers(shard: number, revision: number): boolean {
    return this.#recorder.covers?.(shard, revision) ?? true;
  }
}
