/**
 * When the map is sampled: once a step, or less often if that takes long.
 *
 * @module
 */

import { stepSecond } from "../../grid/mod.ts";

/** A sample and its writes take at most this part of the time, about. */
const MAX_SHARE = 1 / 32;
/** Shorter work delays nothing. */
const MIN_DELAYING_MS = 2;
/** No sample is delayed for longer, beside its step. */
const MAX_WAIT_MS = 120_000;

/** Options of {@linkcode SamplePace}. */
export interface SamplePaceOptions {
  /** Returns the clock of the server, ms since 1970. */
  readonly now: () => number;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
  /** The length of a step, in seconds. */
  readonly stepSeconds: number;
}

/** Decides when the next sample begins. */
export class SamplePace {
  readonly #options: SamplePaceOptions;
  /** An entry with this time or a later one begins a sample, ms since 1970. */
  #nextAt = -Infinity;
  /** The time of the last entry, ms since 1970; Infinity: of the loaded map. */
  #appliedTo = Infinity;
  #sampledAt: number;
  #coarsestMs = 0;
  /** Work that can wait begins after this, ms of the clock that never jumps. */
  #restUntil = -Infinity;
  /** Time that the last sample and its writes have taken, in ms. */
  #busyMs = 0;

  constructor(options: SamplePaceOptions) {
    this.#options = options;
    this.#sampledAt = options.monotonic();
  }

  /** Time since the last sample, in ms. */
  get sinceSampleMs(): number {
    return this.#options.monotonic() - this.#sampledAt;
  }

  /** Returns the second at which a state begins that is of a time. */
  secondOf(time: number): number {
    return stepSecond(time, this.#options.stepSeconds);
  }

  /**
   * Returns the last second of a sample that must begin before an entry is
   * applied; undefined if none must.
   *
   * @param now the time of the entry, ms since 1970
   */
  due(now: number): number | undefined {
    const { stepSeconds } = this.#options;
    const waitMs = this.#nextAt - now;
    // Longer: the clock was set back.
    if (waitMs > 0 && waitMs < MAX_WAIT_MS + 1000 * stepSeconds) {
      return undefined;
    }
    const second = this.secondOf(now);
    this.#nextAt = (second + stepSeconds) * 1000;
    // The step that has ended, unless the map has entries of this one.
    const applied = this.secondOf(Math.min(this.#appliedTo, now));
    return Math.max(second - stepSeconds, applied);
  }

  /** An entry is applied. */
  applied(now: number): void {
    this.#appliedTo = now;
  }

  /** A sample begins. */
  begun(): void {
    this.#busyMs = 0;
  }

  /** Measures work for the sample, or for its writes. */
  measure(work: () => void): void {
    const start = this.#options.monotonic();
    work();
    this.#busyMs += this.#options.monotonic() - start;
  }

  /** A sample is complete. */
  sampled(): void {
    this.#coarsestMs = Math.max(this.#coarsestMs, this.sinceSampleMs);
    this.#sampledAt = this.#options.monotonic();
    this.limit();
  }

  /** Delays the next sample, so that the recording takes its share only. */
  limit(): void {
    if (this.#busyMs <= MIN_DELAYING_MS) return;
    const waitMs = Math.min(this.#busyMs / MAX_SHARE, MAX_WAIT_MS);
    this.#restUntil = this.#options.monotonic() + waitMs;
    const earliest = this.#options.now() + waitMs;
    this.#nextAt = Math.max(this.#nextAt, earliest);
  }

  /** True while the next sample is delayed, because the last took long. */
  get isResting(): boolean {
    return this.#options.monotonic() < this.#restUntil;
  }

  /** Returns the longest time between two samples since the last call, ms. */
  takeCoarsestMs(): number {
    const longest = this.#coarsestMs;
    this.#coarsestMs = 0;
    return longest;
  }
}
