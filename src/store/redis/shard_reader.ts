/**
 * Delivers the journal of a shard, in its order, as far as it is safe.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { Backoff } from "../../common/backoff.ts";
import type { Semaphore } from "../../common/semaphore.ts";
import type { Delivery } from "../store.ts";
import { type Deployment, RedisError } from "./deployment.ts";
import { JournalGapError, JournalSource } from "./journal_source.ts";
import type { JournalState } from "./journal_state.ts";
import { NextDelivery, type NextDeliveryOptions } from "./next_delivery.ts";
import { ReadEntries } from "./read_entries.ts";
import type { RedisProblem } from "./redis_problem.ts";
import { timeOfId } from "./stream_entry.ts";

/** Content that was read and can be applied: at most this and a block more. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** Entries that are not known to be safe after this time are asked about, in ms. */
const UNSAFE_MS = 100;
/**
 * A read costs each server a quarter of a millisecond, whatever it returns. So
 * after one that returned much, it waits for more.
 */
const BUSY_READ_BYTES = 2 * 1024;
/** The pause after such a read, in ms. */
const BUSY_PAUSE_MS = 4;
/** Own safe entries that are missing are looked for at this interval, in ms. */
const CHECK_INTERVAL_MS = 1000;
const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1000;

/** What a reader needs. */
export interface ShardReaderOptions extends NextDeliveryOptions {
  readonly deployment: Deployment;
  /** The key of the journal. */
  readonly key: string;
  /** Of {@linkcode RedisProblem}. */
  readonly source: string;
  readonly problem: RedisProblem;
  /** Where the reader begins; the reader changes it. */
  readonly state: JournalState;
  /** Applies one delivery of all shards at a time. */
  readonly turns: Semaphore;
  /** Called before the state changes. */
  readonly onApplying: () => void;
  /** Called in the turn of the event loop in which the state has changed. */
  readonly onApplied: () => void;
  /**
   * Called when entries after the position are not in the journal: loads the
   * shard anew, and changes the state.
   *
   * @throws {StoreError} if that is not possible
   */
  readonly onGap: (reason: JournalGapError["reason"]) => Promise<void>;
}

/** Applies a delivery. */
export type Apply = (delivery: Delivery) => Promise<void>;

/**
 * Reads the journal of a shard on a connection of its own.
 *
 * An entry is applied only if no failover can lose it (see `ReadEntries`). On
 * another connection the reader begins behind the last entry that it applied:
 * the others may not be in the journal of another master.
 */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  readonly #closing = new AbortController();
  readonly #read: ReadEntries;
  readonly #next: NextDelivery;
  #apply: Apply | undefined;
  #source: JournalSource | undefined;
  #running: Promise<void> | undefined;
  /** Resolves when nothing is left that can be applied. */
  #delivering: Promise<void> | undefined;
  #progress = Promise.withResolvers<void>();
  #unsafeTimer: ReturnType<typeof setTimeout> | undefined;
  /** The position at which the journal may be shorter, or missing. */
  #lostAt: string | undefined;
  /** False while it only loads: then it writes no markers. */
  #isFollowing = false;

  constructor(options: ShardReaderOptions) {
    this.#options = options;
    const { run, writer, state } = options;
    this.#read = new ReadEntries(run, writer, state.position);
    this.#next = new NextDelivery(this.#read, options);
  }

  /** Number of entries with content that were read and not applied. */
  get waiting(): number {
    return this.#read.waiting;
  }

  /** Age of the oldest of them, in ms. */
  get waitingMs(): number {
    const { first, waiting } = this.#read;
    if (first === undefined || waiting === 0) return 0;
    const now = Date.now() + (this.#source?.clockOffset ?? 0);
    return Math.max(0, now - timeOfId(first.id));
  }

  /**
   * Applies what the journal has now, as far as that is safe.
   *
   * @param replicas how many must confirm what ended writers left unconfirmed
   * @throws {RedisError} if it cannot be read
   */
  async load(apply: Apply, replicas: number): Promise<void> {
    try {
      await this.#load(apply, replicas);
    } catch (error) {
      if (!(error instanceof JournalGapError)) throw error;
      // Trimmed after the checkpoint was read, for example.
      await this.#fillGap(error.reason);
      await this.#load(apply, replicas);
    }
  }

  async #load(apply: Apply, replicas: number): Promise<void> {
    this.#apply = apply;
    try {
      const source = await this.#open();
      await this.#loadToEnd(source);
      if (this.#read.waiting > 0) {
        const id = await source.mark(this.#options.run, replicas);
        await this.#loadToEnd(source);
        if (id !== undefined) this.#read.raiseSafe(id);
        this.#deliver();
        await this.#delivered();
      }
    } finally {
      this.#forget();
      this.#apply = undefined;
    }
  }

  async #loadToEnd(source: JournalSource): Promise<void> {
    do {
      this.#read.add(await source.read());
      this.#deliver();
      await this.#delivered();
    } while (!source.isAtEnd && !this.#closing.signal.aborted);
  }

  /** Begins to deliver all that comes. */
  follow(apply: Apply): void {
    this.#apply = apply;
    this.#isFollowing = true;
    this.#running = this.#run();
  }

  /** Call it when own entries became safe. */
  checkOwn(): void {
    this.#read.checkOwn();
    this.#deliver();
  }

  /** Begins to end. */
  stop(): void {
    this.#closing.abort();
    this.#source?.close();
    clearTimeout(this.#unsafeTimer);
  }

  /** Resolves after {@linkcode ShardReader.stop}, when nothing runs any more. */
  async stopped(): Promise<void> {
    await this.#delivering;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { deployment, problem, source: name, writer } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
    while (!signal.aborted) {
      let start = performance.now();
      try {
        const source = await this.#open();
        let checked = 0;
        while (!signal.aborted) {
          start = performance.now();
          const mustCheck = checked === 0 ||
            start >= checked + CHECK_INTERVAL_MS;
          const safe = mustCheck ? writer.safeSequences() : [];
          const bytes = this.#read.add(await source.read());
          this.#deliver();
          if (mustCheck && source.isAtEnd) {
            this.#checkLost(safe, checked > 0);
            checked = start;
          }
          problem.works(name);
          backoff.reset();
          await this.#room();
          if (source.isAtEnd) await this.#pause(bytes);
        }
      } catch (error) {
        this.#source?.close();
        if (signal.aborted) return;
        await this.#delivered();
        this.#forget();
        const failure: unknown = error instanceof JournalGapError
          ? await this.#fillGap(error.reason).catch((error) => error)
          : error;
        if (failure === undefined) continue; // filled
        if (failure instanceof RedisError) deployment.changed();
        problem.failed(name, failure, start);
        await delay(backoff.next(), signal);
      }
    }
  }

  async #open(): Promise<JournalSource> {
    const { deployment, key, state } = this.#options;
    const source = await JournalSource.open(
      deployment,
      key,
      state.position,
      state.position === this.#lostAt,
    );
    if (this.#closing.signal.aborted) source.close();
    return this.#source = source;
  }

  async #fillGap(reason: JournalGapError["reason"]): Promise<void> {
    const { state, onGap } = this.#options;
    await onGap(reason);
    if (reason === "lost") this.#lostAt = state.position;
    this.#read.clear(state.position);
  }

  /** Forgets what was read and not applied. */
  #forget(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#read.clear(this.#options.state.position);
    clearTimeout(this.#unsafeTimer);
    this.#unsafeTimer = undefined;
  }

  /**
   * Writes own entries again that were safe and are not in the journal: Redis
   * has lost them, for example in a crash without replicas.
   *
   * @param safe the numbers of those that were safe before the end was read
   * @param isLater false for the first look on a connection
   * @throws {RedisError} if some are missing later: perhaps another is the master
   */
  #checkLost(safe: readonly number[], isLater: boolean): void {
    const { writer } = this.#options;
    const lost = this.#read.missing(safe).filter((one) => writer.part(one));
    if (isLater && lost.length > 0) {
      throw new RedisError("elsewhere", "entries of this server are missing");
    }
    for (const sequence of lost) writer.repeat(sequence);
  }

  /**
   * Waits for more than was read, if that was much, or if no client waits for
   * what comes next.
   */
  async #pause(bytes: number): Promise<void> {
    const { writer } = this.#options;
    if (bytes === 0 || bytes < BUSY_READ_BYTES && writer.isAwaited) return;
    await delay(BUSY_PAUSE_MS, this.#closing.signal);
  }

  /** Waits while too much is held that can be applied. */
  async #room(): Promise<void> {
    while (
      this.#read.bytes >= MAX_READ_BYTES && this.#delivering !== undefined &&
      !this.#closing.signal.aborted
    ) await Promise.race([this.#progress.promise, this.#delivering]);
  }

  async #delivered(): Promise<void> {
    while (this.#delivering !== undefined) await this.#delivering;
  }

  /** Delivers what is safe, if that is not being done. */
  #deliver(): void {
    if (this.#delivering === undefined && this.#read.next !== undefined) {
      this.#delivering = this.#deliverAll().finally(() => {
        this.#delivering = undefined;
        this.#watchUnsafe();
      });
    } else this.#watchUnsafe();
  }

  async #deliverAll(): Promise<void> {
    const { turns } = this.#options;
    while (this.#read.next !== undefined && !this.#closing.signal.aborted) {
      await turns.run(1, () => this.#deliverNext());
      this.#progress.resolve();
      this.#progress = Promise.withResolvers();
    }
  }

  async #deliverNext(): Promise<void> {
    const { state, writer } = this.#options;
    this.#options.onApplying();
    const { delivery, own, position, bytes, count } = this.#next.take(
      this.#closing.signal,
    );
    if (delivery !== undefined) await this.#apply!(delivery);
    this.#options.pool.reuse();
    this.#read.applied(count, bytes);
    state.position = position;
    state.bytes += bytes;
    this.#options.onApplied();
    if (own !== undefined) writer.applied(own.sequence);
  }

  /**
   * If entries with content stay unsafe, as after the end of their writer, this
   * server writes a marker: when that is safe, so are they.
   */
  #watchUnsafe(): void {
    if (
      !this.#isFollowing || this.#unsafeTimer !== undefined ||
      this.#read.waiting === 0 || this.#read.next !== undefined ||
      this.#closing.signal.aborted
    ) return;
    const first = this.#read.first;
    this.#unsafeTimer = setTimeout(() => {
      this.#unsafeTimer = undefined;
      const { writer } = this.#options;
      // What the writer has in flight becomes safe later, and they with it.
      if (this.#read.first === first && writer.isIdle) writer.mark();
      this.#watchUnsafe();
    }, UNSAFE_MS);
  }
}

/** How far readers are behind their journals. */
export function lagOf(
  readers: Iterable<Pick<ShardReader, "waiting" | "waitingMs">>,
): { entries: number; ms: number } {
  let entries = 0;
  let ms = 0;
  for (const { waiting, waitingMs } of readers) {
    entries += waiting;
    ms = Math.max(ms, waitingMs);
  }
  return { entries, ms };
}
