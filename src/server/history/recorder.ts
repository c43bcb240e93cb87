/**
 * Records the history of the map: samples it, and writes what has changed with
 * the commits of the store.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import { nextTurn } from "../../common/next_turn.ts";
import { ChangeLog, type OccupancyMap } from "../../grid/mod.ts";
import { HOUR_SECONDS, hourOf, startOf } from "../../history/hour.ts";
import type { HistoryTables, HistoryWork } from "../../store/store.ts";
import { Flush, Flushes, type Write, type Writes } from "./flush.ts";
import { MapSampler } from "./map_sampler.ts";
import { RecordedTime } from "./recorded_time.ts";
import { SamplePace, type SamplePaceOptions } from "./sample_pace.ts";
import { CLOSED_TO, DELETED_TO, partWrites, SAMPLED } from "./parts.ts";

/** Logged states that are written: about 1 MB of memory. */
const FLUSH_STATES = 1 << 16;
/** A sample waits for writes while this number of states is logged. */
const MAX_SAMPLED_STATES = 1 << 17;
/** Then further ones are dropped; the next sample has the latest. */
const MAX_LOGGED_STATES = 1 << 18;
/** The same during a start, when nothing can be written: 32 MB. */
const MAX_REPLAYED_STATES = 1 << 21;
/** A transaction keeps its rows in memory until it is committed. */
const MAX_TRANSACTION_ROWS = 1 << 12;
/** Logged states are written after this time, also if they are few. */
const FLUSH_INTERVAL_MS = 300_000;
/** If there are none: so that a pause of the server shows. */
const SEEN_INTERVAL_MS = 60_000;
/** Time for a sample in one turn. */
const SLICE_MS = 2;
/** How long late readings are applied to the past. */
const LATE_SECONDS = HOUR_SECONDS;
/** How long {@linkcode Recorder.capture} waits, while the store fails. */
const CAPTURE_TIMEOUT_MS = 2000;

/** Options of {@linkcode Recorder}. A state begins with a step. */
export interface RecorderOptions extends SamplePaceOptions {
  readonly map: OccupancyMap;
  /** Asks the store to call {@linkcode Recorder.write} soon. */
  readonly schedule: () => void;
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
 */
export class Recorder implements HistoryWork {
  readonly #options: RecorderOptions;
  readonly #sampler: MapSampler;
  /** Written first; not repeated. */
  readonly #pending: Write[] = [];
  /** Up to these revisions, by shard, all states are logged or written. */
  #complete: readonly number[];
  #sample: Generator<void, void, void> | undefined;
  readonly #flushes = new Flushes();
  #flushedAt: number;
  #isFlushWanted = false;
  #isAllWanted = false;
  readonly #time: RecordedTime;
  readonly #pace: SamplePace;
  #mark = 0;
  /** `#mark` when the present sample began. */
  #sampleMark = 0;
  #isReplaying = true;
  #isScheduled = false;
  #stopped = false;
  /** By shard. */
  readonly #deletedTo: readonly number[];

  /**
   * @param tables have the revisions up to which the map is sampled
   * @param options its map is empty: the store loads it after this
   */
  constructor(tables: HistoryTables, options: RecorderOptions) {
    this.#options = options;
    this.#pace = new SamplePace(options);
    const { map, stepSeconds, monotonic } = options;
    const { meta } = tables;
    const maxSize = () =>
      this.#isReplaying ? MAX_REPLAYED_STATES : MAX_LOGGED_STATES;
    this.#sampler = new MapSampler(
      map,
      () => new ChangeLog(stepSeconds, maxSize),
      () => this.#pace.secondOf(options.now()),
    );
    this.#flushedAt = monotonic();
    for (const [i, log] of this.#sampler.logs.entries()) {
      log.sampled = log.durable = meta.get(SAMPLED + i) ?? 0;
      log.openFrom = startOf(meta.get(CLOSED_TO) ?? 0);
    }
    this.#complete = this.#sampler.logs.map(({ sampled }) => sampled);
    this.#time = new RecordedTime(meta);
    this.#deletedTo = this.#complete.map((_, i) =>
      meta.get(DELETED_TO + i) ?? -Infinity
    );
  }

  /** True while nothing is stored: the history is too large. */
  get isFull(): boolean {
    return this.#time.isFull;
  }

  /** Readings that were too late to change the history. */
  get tooLate(): number {
    return this.#sampler.logs.reduce((sum, log) => sum + log.tooLate, 0);
  }

  /** States that were dropped, because too many were waiting to be written. */
  get dropped(): number {
    return this.#sampler.logs.reduce((sum, log) => sum + log.dropped, 0);
  }

  /** Time since the last sample, in ms; 0 if nothing has changed since. */
  get lagMs(): number {
    const isCurrent = !this.#sampler.isDue && this.#sample === undefined;
    return isCurrent ? 0 : this.#pace.sinceSampleMs;
  }

  /** The longest time between two samples since the last call, in ms. */
  takeCoarsestMs(): number {
    return Math.max(this.#pace.takeCoarsestMs(), this.lagMs);
  }

  /** Hours before this one get no more changes. */
  get openFromHour(): number {
    return hourOf(this.#sampler.logs[0]!.openFrom);
  }

  /** Call it before an entry is applied to the map, and once a second. */
  advance(now: number): void {
    const isReady = this.#sample === undefined && !this.#stopped;
    const second = isReady ? this.#pace.due(now) : undefined;
    if (second !== undefined) this.#begin(second);
    this.#pace.applied(now);
  }

  /** @inheritdoc */
  beforeReplay(now: number): void {
    this.#time.replayed(now);
    // Else states would be dropped: the next sample has the latest.
    if (this.#sampler.size < MAX_REPLAYED_STATES / 2) this.advance(now);
    else this.#pace.applied(now);
  }

  /** Call it after the map was loaded. */
  loaded(): void {
    const { map, now } = this.#options;
    this.#isReplaying = false;
    for (const [i, { revision }] of map.shards.entries()) {
      const log = this.#sampler.logs[i]!;
      // The map is an earlier one than was recorded.
      if (log.sampled > revision) log.sampled = 0;
      log.durable = 0;
    }
    this.#pending.push(...this.#time.loaded(this.#pace.secondOf(now())));
    this.setFull(false); // perhaps there is space now
    this.#wantFlush();
  }

  /** Call it once a second. */
  tick(): void {
    const { now, monotonic } = this.#options;
    this.advance(now());
    const interval = this.#sampler.isEmpty
      ? SEEN_INTERVAL_MS
      : FLUSH_INTERVAL_MS;
    if (monotonic() - this.#flushedAt >= interval) this.#wantFlush();
  }

  /** The next sample has all cells: call it if states were lost. */
  recordAll(): void {
    this.#isAllWanted = true;
  }

  /** Stops the recording, or continues it: the time between is a gap. */
  setFull(isFull: boolean): void {
    if (isFull === this.isFull || this.#isReplaying || this.#stopped) return;
    const second = this.#pace.secondOf(this.#options.now());
    this.#pending.push(this.#time.setFull(isFull, second));
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
    if (this.#isCaptured || this.#stopped) return this.#isCaptured;
    return await doneWithin(this.#capture(), CAPTURE_TIMEOUT_MS);
  }

  /** Records the map a last time: the store is closed next. */
  stop(): void {
    if (this.#stopped || this.#isReplaying) return;
    this.#begin(this.#pace.secondOf(this.#options.now()));
    this.#stopped = true;
    this.#pushFlush(this.#allWrites(), Infinity, () => this.#complete);
  }

  /** @inheritdoc */
  get hasWork(): boolean {
    return !this.#flushes.isEmpty;
  }

  /** @inheritdoc */
  write(tables: HistoryTables, budgetMs: number): void {
    const { monotonic } = this.#options;
    const end = monotonic() + budgetMs;
    let left = MAX_TRANSACTION_ROWS;
    const isTimeOver = () => --left <= 0 || monotonic() >= end;
    this.#pace.measure(() => this.#flushes.write(tables, isTimeOver));
  }

  /** @inheritdoc */
  committed(): void {
    if (!this.#flushes.committed()) return this.#options.schedule();
    this.#flushedAt = this.#options.monotonic();
    this.#pace.limit();
    this.#flushIfDue();
    this.#continueSample();
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

  get #isCaptured(): boolean {
    return this.#sample === undefined && this.#flushes.isEmpty &&
      !this.#sampler.isDue && this.#sampler.isEmpty &&
      this.#pending.length === 0;
  }

  async #capture(): Promise<void> {
    while (this.#sample !== undefined) {
      await this.#flushes.untilDurable(this.mark());
    }
    this.#begin(this.#pace.secondOf(this.#options.now()));
    await this.#flushes.untilDurable(this.mark());
  }

  #begin(endSecond: number): void {
    const from = startOf(hourOf(endSecond - LATE_SECONDS));
    for (const log of this.#sampler.logs) {
      log.openFrom = Math.max(log.openFrom, from);
      if (this.#isAllWanted) log.sampled = 0;
    }
    this.#isAllWanted = false;
    if (!this.#sampler.isDue) return this.#flushIfDue();
    this.#sample = this.#sampler.sample(endSecond);
    this.#sampleMark = this.#mark;
    this.#pace.begun();
    if (this.#isReplaying) this.#finishSample();
    else this.#sampleSlice(); // usually all of it: no later change is in it
  }

  #finishSample(): void {
    while (!this.#sample!.next().done);
    this.#onSampled();
  }

  #continueSample(): void {
    if (this.#isScheduled || this.#sample === undefined || this.#stopped) {
      return;
    }
    this.#isScheduled = true;
    nextTurn(() => {
      this.#isScheduled = false;
      if (this.#sample !== undefined && !this.#stopped) this.#sampleSlice();
    });
  }

  #sampleSlice(): void {
    const { monotonic } = this.#options;
    const end = monotonic() + SLICE_MS;
    let isDone = false;
    let isOver = false;
    this.#pace.measure(() => {
      while (!isDone && !isOver && this.#sampler.size < MAX_SAMPLED_STATES) {
        isDone = this.#sample!.next().done === true;
        isOver = monotonic() >= end;
      }
    });
    if (isDone) this.#onSampled();
    else if (isOver) this.#continueSample();
    else this.#wantFlush(); // after its commit, the sample continues
  }

  #onSampled(): void {
    this.#sample = undefined;
    this.#complete = this.#sampler.logs.map(({ sampled }) => sampled);
    this.#sampleMark = this.#mark;
    if (!this.#isReplaying) this.#pace.sampled();
    this.#isFlushWanted ||= this.#isLarge;
    this.#flushIfDue();
  }

  #wantFlush(): void {
    this.#isFlushWanted = true;
    this.#flushIfDue();
  }

  get #isLarge(): boolean {
    return this.#sampler.size >= FLUSH_STATES;
  }

  #flushIfDue(): void {
    if (!this.#flushes.isEmpty || this.#isReplaying || this.#stopped) return;
    // What is replaced between two samples has no end: it takes its share too.
    const isLarge = this.#isLarge && !this.#pace.isResting;
    const isMarked = this.#mark > this.#flushes.durable;
    if (!isLarge && !this.#isFlushWanted && !isMarked) return;
    // What a running sample has logged is written, but not all of it.
    const isAll = this.#sample === undefined;
    const mark = isAll ? this.#mark : this.#sampleMark;
    this.#isFlushWanted = mark < this.#mark;
    const complete = this.#complete;
    this.#pushFlush(this.#takeWrites(), mark, () => complete);
    this.#options.schedule();
  }

  /**
   * @param sampled returns the revisions up to which all states are written then
   */
  #pushFlush(
    writes: Writes,
    mark: number,
    sampled: () => readonly number[],
  ): void {
    const seen = this.#time.seen(this.#pace.secondOf(this.#options.now()));
    const last: Write = (tables) => {
      for (const [i, revision] of sampled().entries()) {
        tables.putMeta(SAMPLED + i, revision);
      }
      seen(tables);
    };
    this.#flushes.push(new Flush(writes, last), mark);
  }

  /** The rest of the present sample, and all that is logged. */
  *#allWrites(): Writes {
    while (this.#sample !== undefined) {
      if (this.#sampler.size >= MAX_SAMPLED_STATES) yield* this.#takeWrites();
      if (this.#sample.next().done) this.#onSampled();
    }
    yield* this.#takeWrites();
  }

  *#takeWrites(): Writes {
    yield* this.#pending.splice(0);
    const taken = this.#sampler.logs.map((log) => log.take());
    for (const [shard, { deletions, states }] of taken.entries()) {
      const logged = { deletions, states: this.isFull ? new Map() : states };
      yield* partWrites(logged, shard, this.#deletedTo[shard]!);
    }
  }
}
