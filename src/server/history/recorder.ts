/**
 * Records the history of the map: samples it, and writes what has changed with
 * the commits of the store.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import type { LimitCounts } from "../../common/limit_counts.ts";
import type { LoggedChanges } from "../../grid/mod.ts";
import { startOf } from "../../history/hour.ts";
import type { HistoryTables, HistoryWork } from "../../store/store.ts";
import { Flush, Flushes, type Write, type Writes } from "./flush.ts";
import {
  CLOSED_TO,
  DELETED_TO,
  PARTS_PER_WRITE,
  PartWrites,
  SAMPLED,
} from "./parts.ts";
import { RecordedTime } from "./recorded_time.ts";
import { Sampling, type SamplingOptions } from "./sampling.ts";
import { StoredRevisions } from "./stored_revisions.ts";

/** Logged states that are written: about 1 MB of memory. */
const FLUSH_STATES = 1 << 16;
/** A transaction keeps its rows in memory until it is committed: 4096 parts. */
const MAX_TRANSACTION_WRITES = (1 << 12) / PARTS_PER_WRITE;
/** Logged states are written after this time, also if they are few. */
const FLUSH_INTERVAL_MS = 300_000;
/** If there are none: so that a pause of the server shows. */
const SEEN_INTERVAL_MS = 60_000;
/** The same where servers share the tables: the others wait for it. */
const SHARED_SEEN_INTERVAL_MS = 5000;
/** How long {@linkcode Recorder.capture} waits, while the store fails. */
const CAPTURE_TIMEOUT_MS = 2000;

/** Options of {@linkcode Recorder}. A state begins with a step. */
export interface RecorderOptions extends SamplingOptions {
  /** Asks the store to call {@linkcode Recorder.write} soon. */
  readonly schedule: () => void;
  /** Counts what is not recorded because the history is too large. */
  readonly limited?: Pick<LimitCounts, "add"> | undefined;
}

/**
 * Samples the map once in a step of the history, and writes what has changed.
 *
 * What is recorded of a cell is the state that it had at the end of each step,
 * dated by its observation. A sample costs as much as the cells that have
 * changed since the one before, however often they changed. If it takes too
 * much of the time, the next one is later: the history is coarser then.
 *
 * After a crash, what was written may be written again: the revisions up to
 * which the map is sampled are stored after the states, and the store deletes
 * its journal only after both are durable.
 *
 * Where servers share the tables, all of them sample and one writes, soon after
 * each sample. The others forget what it has stored: so each of them can write
 * on from there.
 */
export class Recorder implements HistoryWork {
  /** True while this server writes. */
  isWriting: boolean;
  readonly #options: RecorderOptions;
  readonly #tables: Pick<HistoryTables, "meta" | "shared">;
  readonly #stored: StoredRevisions;
  readonly #sampling: Sampling;
  readonly #parts: PartWrites;
  /** Written first; not repeated. */
  readonly #pending: Write[] = [];
  readonly #flushes = new Flushes();
  #flushedAt: number;
  #isFlushWanted = false;
  readonly #time: RecordedTime;
  #mark = 0;
  /** `#mark` when the present sample began. */
  #sampleMark = 0;
  #stopped = false;
  /** By shard. */
  #deletedTo: readonly number[] = [];

  /**
   * @param tables have the revisions up to which the map is sampled
   * @param options its map is empty: the store loads it after this
   */
  constructor(
    tables: Pick<HistoryTables, "meta" | "refresh" | "shared">,
    options: RecorderOptions,
  ) {
    this.#options = options;
    this.#tables = tables;
    this.#stored = new StoredRevisions({ tables, ...options });
    this.isWriting = tables.shared === undefined;
    this.#sampling = new Sampling(options, {
      onBegun: () => this.#sampleMark = this.#mark,
      onSampled: () => this.#onSampled(),
      onUnchanged: () => this.#flushIfDue(),
      onFull: () => this.#wantFlush(), // after its commit, the sample continues
    });
    this.#parts = new PartWrites(this.#sampling.spare);
    this.#flushedAt = options.monotonic();
    this.#time = new RecordedTime(tables.meta);
    this.opened();
  }

  /** @inheritdoc */
  opened(): void {
    const closedTo = this.#tables.meta.get(CLOSED_TO) ?? 0;
    this.#sampling.restore(this.#byShard(SAMPLED, 0), startOf(closedTo));
    this.#deletedTo = this.#byShard(DELETED_TO, -Infinity);
  }

  /** True while nothing is stored: the history is too large. */
  get isFull(): boolean {
    return this.isWriting ? this.#time.isFull : this.#stored.isFull;
  }

  /** Readings that were too late to change the history. */
  get tooLate(): number {
    return this.#sampling.logs.reduce((sum, log) => sum + log.tooLate, 0);
  }

  /** States that were dropped, because too many were waiting to be written. */
  get dropped(): number {
    return this.#sampling.logs.reduce((sum, log) => sum + log.dropped, 0);
  }

  /**
   * Time since the last sample, in ms; 0 if nothing has changed since. If another
   * server writes: since the last one that it has stored.
   */
  get lagMs(): number {
    if (!this.isWriting) return this.#stored.ageMs;
    const { isCurrent, pace } = this.#sampling;
    return isCurrent ? 0 : pace.sinceSampleMs;
  }

  /** The longest time between two samples since the last call, in ms. */
  takeCoarsestMs(): number {
    return Math.max(this.#sampling.pace.takeCoarsestMs(), this.lagMs);
  }

  /** Hours before this one get no more changes. */
  get openFromHour(): number {
    return this.#sampling.openFromHour;
  }

  /** Call it before an entry is applied to the map, and once a second. */
  advance(now: number): void {
    this.#sampling.advance(now);
  }

  /** @inheritdoc */
  beforeReplay(now: number): void {
    this.#time.replayed(now);
    // Else states would be dropped: the next sample has the latest.
    if (this.#sampling.isReplayFull) this.#sampling.pace.applied(now);
    else this.#sampling.advance(now);
  }

  /** Call it after the map was loaded. */
  loaded(): void {
    this.#sampling.loaded();
    this.#time.loaded(this.#sampling.second);
    if (this.isWriting) this.#beginWriting();
  }

  /** Another state of a shard of the map was loaded. */
  reloaded(shard: number): void {
    this.#sampling.replaced(shard);
  }

  /** This server writes from now on: the tables have what others have written. */
  lead(): void {
    if (this.isWriting || this.#stopped) return;
    this.isWriting = true;
    this.#flushes.dropStored();
    this.#deletedTo = this.#byShard(DELETED_TO, -Infinity);
    this.#beginWriting();
    this.#options.schedule();
  }

  /** Another server writes from now on. */
  follow(): void {
    this.isWriting = false;
  }

  /** @inheritdoc */
  covers(shard: number, revision: number): boolean {
    return this.#stored.covers(shard, revision);
  }

  /** Call it once a second. */
  tick(): void {
    const { now, monotonic } = this.#options;
    if (!this.isWriting && this.#flushes.dropStored()) this.#dropped();
    this.advance(now());
    const interval = this.#isShared
      ? SHARED_SEEN_INTERVAL_MS
      : this.#sampling.isEmpty
      ? SEEN_INTERVAL_MS
      : FLUSH_INTERVAL_MS;
    if (monotonic() - this.#flushedAt >= interval) this.#wantFlush();
  }

  /** The next sample has all cells: call it if states were lost. */
  recordAll(): void {
    this.#sampling.wantAll();
  }

  /** Stops the recording, or continues it: the time between is a gap. */
  setFull(isFull: boolean): void {
    if (isFull === this.isFull || !this.isWriting) return;
    if (this.#sampling.isReplaying || this.#stopped) return;
    this.#pending.push(this.#time.setFull(isFull, this.#sampling.second));
    if (!isFull) this.recordAll();
    this.#wantFlush();
  }

  /**
   * Records the map as it is now.
   *
   * @returns resolves to true when that is in the tables, to false if it is not
   * after some time, because the store fails
   */
  async capture(): Promise<boolean> {
    if (!this.isWriting) {
      return await this.#stored.untilPresent(CAPTURE_TIMEOUT_MS);
    }
    if (this.#isCaptured || this.#stopped) return this.#isCaptured;
    return await doneWithin(this.#capture(), CAPTURE_TIMEOUT_MS);
  }

  /** Records the map a last time: the store is closed next. */
  stop(): void {
    if (this.#stopped || this.#sampling.isReplaying) return;
    this.#sampling.begin();
    this.#stopped = true;
    this.#sampling.stop();
    const sampled = () => this.#sampling.complete;
    this.#pushFlush(this.#allWrites(), Infinity, sampled);
  }

  /** @inheritdoc */
  get hasWork(): boolean {
    return this.isWriting && !this.#flushes.isEmpty;
  }

  /** @inheritdoc */
  write(tables: HistoryTables, budgetMs: number): void {
    const { monotonic } = this.#options;
    const end = monotonic() + budgetMs;
    let left = MAX_TRANSACTION_WRITES;
    const isTimeOver = () => --left <= 0 || monotonic() >= end;
    this.#sampling.pace.measure(() => this.#flushes.write(tables, isTimeOver));
  }

  /** @inheritdoc */
  committed(): void {
    if (!this.#flushes.committed()) return this.#options.schedule();
    this.#sampling.pace.limit();
    this.#flushed();
  }

  /** @inheritdoc */
  failed(): void {
    this.#flushes.failed();
  }

  /** @inheritdoc */
  mark(): number {
    const mark = ++this.#mark;
    this.#wantFlush();
    return mark;
  }

  /** @inheritdoc */
  isDurable(mark: number): boolean {
    return this.#flushes.durable >= mark;
  }

  get #isShared(): boolean {
    return this.#tables.shared !== undefined;
  }

  /** Returns a number of the tables for each shard. */
  #byShard(key: string, missing: number): number[] {
    const { meta } = this.#tables;
    return this.#sampling.logs.map((_, i) => meta.get(key + i) ?? missing);
  }

  #beginWriting(): void {
    const { second } = this.#sampling;
    const hasLost = this.#isShared && this.dropped > 0;
    this.#pending.push(...this.#time.begin(hasLost ? second : undefined));
    if (hasLost) this.recordAll();
    if (!this.#tables.shared?.memoryFull) this.setFull(false); // perhaps now
    this.#wantFlush();
  }

  #flushed(): void {
    this.#flushedAt = this.#options.monotonic();
    this.#flushIfDue();
    this.#sampling.continue();
  }

  get #isCaptured(): boolean {
    return this.#sampling.isCurrent && this.#sampling.isEmpty &&
      this.#flushes.isEmpty && this.#pending.length === 0;
  }

  async #capture(): Promise<void> {
    while (this.#sampling.isRunning) {
      await this.#flushes.untilDurable(this.mark());
    }
    this.#sampling.begin();
    await this.#flushes.untilDurable(this.mark());
  }

  #onSampled(): void {
    this.#sampleMark = this.#mark;
    this.#isFlushWanted ||= this.#isLarge || this.#isShared;
    this.#flushIfDue();
  }

  /** Another server has stored what was to be written. */
  #dropped(): void {
    for (const log of this.#sampling.logs) log.dropped = 0;
    this.#flushed();
  }

  #wantFlush(): void {
    this.#isFlushWanted = true;
    this.#flushIfDue();
  }

  get #isLarge(): boolean {
    return this.#sampling.size >= FLUSH_STATES;
  }

  #flushIfDue(): void {
    const { isReplaying, pace } = this.#sampling;
    if (!this.#flushes.isEmpty || isReplaying || this.#stopped) return;
    // What is replaced between two samples has no end: it takes its share too.
    const isLarge = this.#isLarge && !pace.isResting;
    const isMarked = this.#mark > this.#flushes.durable;
    if (!isLarge && !this.#isFlushWanted && !isMarked) return;
    // What a running sample has logged is written, but not all of it.
    const mark = this.#sampling.isRunning ? this.#sampleMark : this.#mark;
    this.#isFlushWanted = mark < this.#mark;
    const { complete } = this.#sampling;
    // Taken now: what comes later is not stored with it by another server.
    const writes = this.#writesOf(this.#sampling.take());
    this.#pushFlush(writes, mark, () => complete);
    if (this.isWriting) this.#options.schedule();
  }

  /**
   * @param sampled returns the revisions up to which all states are written then
   */
  #pushFlush(
    writes: Writes,
    mark: number,
    sampled: () => readonly number[],
  ): void {
    const seen = this.#time.seen(this.#sampling.second);
    const last: Write = (tables) => {
      for (const [i, revision] of sampled().entries()) {
        tables.putMeta(SAMPLED + i, revision);
      }
      seen(tables);
    };
    const isStored = this.#isShared ? this.#stored.checkOfPresent() : undefined;
    this.#flushes.push(new Flush(writes, last), mark, isStored);
  }

  /** The rest of the present sample, and all that is logged. */
  *#allWrites(): Writes {
    for (const part of this.#sampling.rest()) yield* this.#writesOf(part);
  }

  *#writesOf(taken: readonly LoggedChanges[]): Writes {
    yield* this.#pending.splice(0);
    for (const [shard, { deletions, states }] of taken.entries()) {
      const logged = { deletions, states: this.#recorded(states) };
      yield* this.#parts.of(logged, shard, this.#deletedTo[shard]!);
    }
  }

  /** Returns the states that are stored: none if the history is too large. */
  #recorded(states: LoggedChanges["states"]): LoggedChanges["states"] {
    if (!this.isFull) return states;
    for (const { length } of states.values()) {
      this.#options.limited?.add("history-size", length);
    }
    return new Map();
  }
}
