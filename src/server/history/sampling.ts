/**
 * Runs the samples of a map, in short turns of the event loop.
 *
 * @module
 */
import { nextTurn } from "../../common/next_turn.ts";
import {
  ChangeLog,
  type LoggedChanges,
  type OccupancyMap,
  SpareColumns,
} from "../../grid/mod.ts";
import { HOUR_SECONDS, hourOf, startOf } from "../../history/hour.ts";
import { MapSampler } from "./map_sampler.ts";
import { SamplePace, type SamplePaceOptions } from "./sample_pace.ts";

/** A sample waits for writes while this number of states is logged. */
const MAX_SAMPLED_STATES = 1 << 17;
/** Then further ones are dropped; the next sample has the latest. */
const MAX_LOGGED_STATES = 1 << 18;
/** The same during a start, when nothing can be written: 32 MB. */
const MAX_REPLAYED_STATES = 1 << 21;
/** Time for a sample in one turn. */
const SLICE_MS = 2;
/** How long late readings are applied to the past. */
const LATE_SECONDS = HOUR_SECONDS;

/** Options of {@linkcode Sampling}. A state begins with a step. */
export interface SamplingOptions extends SamplePaceOptions {
  readonly map: OccupancyMap;
}

/** Receives what a sample does. The functions must not throw. */
export interface SamplingEvents {
  /** A sample begins. */
  onBegun(): void;
  /** A sample is complete. */
  onSampled(): void;
  /** A sample was due, but nothing has changed. */
  onUnchanged(): void;
  /** A sample waits until {@linkcode Sampling.take} was called. */
  onFull(): void;
}

/** One sample after the other. */
export class Sampling {
  readonly pace: SamplePace;
  /** Where the columns of the logs come from. */
  readonly spare: SpareColumns = new SpareColumns();
  /** Up to these revisions, by shard, all states are logged or taken. */
  complete: readonly number[] = [];
  /** True while the map is loaded: samples are complete at once. */
  isReplaying = true;
  readonly #options: SamplingOptions;
  readonly #events: SamplingEvents;
  readonly #sampler: MapSampler;
  #sample: Generator<void, void, void> | undefined;
  #isAllWanted = false;
  #isScheduled = false;
  #stopped = false;

  /** @param options its map is empty */
  constructor(options: SamplingOptions, events: SamplingEvents) {
    const { map, stepSeconds, now } = options;
    this.#options = options;
    this.#events = events;
    const pace = this.pace = new SamplePace(options);
    const maxSize = () =>
      this.isReplaying ? MAX_REPLAYED_STATES : MAX_LOGGED_STATES;
    this.#sampler = new MapSampler(
      map,
      () => new ChangeLog(stepSeconds, maxSize, this.spare),
      () => pace.secondOf(now()),
    );
  }

  /** By shard. */
  get logs(): readonly ChangeLog[] {
    return this.#sampler.logs;
  }

  /** The number of logged states. */
  get size(): number {
    return this.#sampler.size;
  }

  /** True if nothing is logged. */
  get isEmpty(): boolean {
    return this.#sampler.isEmpty;
  }

  /** True while a sample is not complete. */
  get isRunning(): boolean {
    return this.#sample !== undefined;
  }

  /** True if the last sample is complete, and has the present map. */
  get isCurrent(): boolean {
    return !this.#sampler.isDue && !this.isRunning;
  }

  /** True if a sample of an entry would have to drop states. */
  get isReplayFull(): boolean {
    return this.#sampler.size >= MAX_REPLAYED_STATES / 2;
  }

  /** The present second, a multiple of the step. */
  get second(): number {
    return this.pace.secondOf(this.#options.now());
  }

  /** Hours before this one get no more changes. */
  get openFromHour(): number {
    return hourOf(this.logs[0]!.openFrom);
  }

  /**
   * Notes what is stored. Call it before entries are replayed.
   *
   * @param sampled by shard: up to these revisions all states are stored
   * @param openFrom hours before this second are closed
   */
  restore(sampled: readonly number[], openFrom: number): void {
    for (const [i, log] of this.logs.entries()) {
      log.sampled = log.durable = sampled[i]!;
      log.openFrom = openFrom;
    }
    this.complete = sampled;
  }

  /** Call it after the map was loaded. */
  loaded(): void {
    this.isReplaying = false;
    for (const [shard, log] of this.logs.entries()) {
      this.replaced(shard);
      log.durable = 0;
    }
  }

  /** Call it after another state of a shard was loaded. */
  replaced(shard: number): void {
    const log = this.logs[shard]!;
    // It is an earlier one than was recorded.
    const { revision } = this.#options.map.shards[shard]!;
    if (log.sampled > revision) log.sampled = 0;
  }

  /** Call it before an entry is applied to the map, and once a second. */
  advance(now: number): void {
    const isReady = !this.isRunning && !this.#stopped;
    const second = isReady ? this.pace.due(now) : undefined;
    if (second !== undefined) this.begin(second);
    this.pace.applied(now);
  }

  /** The next sample has all cells: call it if states were lost. */
  wantAll(): void {
    this.#isAllWanted = true;
  }

  /**
   * Begins a sample, if something has changed. One that is running is given up.
   *
   * @param endSecond its last second. Default: the present one
   */
  begin(endSecond = this.second): void {
    const from = startOf(hourOf(endSecond - LATE_SECONDS));
    for (const log of this.logs) {
      log.openFrom = Math.max(log.openFrom, from);
      if (this.#isAllWanted) log.sampled = 0;
    }
    this.#isAllWanted = false;
    if (!this.#sampler.isDue) return this.#events.onUnchanged();
    this.#events.onBegun();
    this.#sample = this.#sampler.sample(endSecond);
    this.pace.begun();
    if (this.isReplaying) this.#finish();
    else this.#slice(); // usually all of it: no later change is in it
  }

  /** Continues a sample that waits. */
  continue(): void {
    if (this.#isScheduled || !this.isRunning || this.#stopped) return;
    this.#isScheduled = true;
    nextTurn(() => {
      this.#isScheduled = false;
      if (this.isRunning && !this.#stopped) this.#slice();
    });
  }

  /** Removes all that is logged, and returns it by shard. */
  take(): LoggedChanges[] {
    return this.logs.map((log) => log.take());
  }

  /** Begins no further sample, and continues none. */
  stop(): void {
    this.#stopped = true;
  }

  /** Completes a sample. Each step has the states of a part. */
  *rest(): Generator<LoggedChanges[], void, void> {
    while (this.#sample !== undefined) {
      if (this.size >= MAX_SAMPLED_STATES) yield this.take();
      if (this.#sample.next().done) this.#end();
    }
    yield this.take();
  }

  #finish(): void {
    while (!this.#sample!.next().done);
    this.#end();
  }

  #slice(): void {
    const { monotonic } = this.#options;
    const end = monotonic() + SLICE_MS;
    let isDone = false;
    let isOver = false;
    this.pace.measure(() => {
      while (!isDone && !isOver && this.size < MAX_SAMPLED_STATES) {
        isDone = this.#sample!.next().done === true;
        isOver = monotonic() >= end;
      }
    });
    if (isDone) this.#end();
    else if (isOver) this.continue();
    else this.#events.onFull();
  }

  #end(): void {
    this.#sample = undefined;
    this.complete = this.logs.map(({ sampled }) => sampled);
    if (!this.isReplaying) this.pace.sampled();
    this.#events.onSampled();
  }
}
