/**
 * Counts what arrives of a source.
 *
 * @module
 */
import type { SourceActivity } from "../../protocol/mod.ts";

/** Rates are averages over this time. */
const RATE_WINDOW_MS = 60_000;
/** A shorter time says nothing about a rate. */
const MIN_RATE_MS = 1000;
/** An earlier time than this before the last one: the clock was set back. */
const CLOCK_STEP_THRESHOLD_MS = 5000;
/** Rates are rounded to three decimals. */
const RATE_DIGITS = 1000;

/**
 * The counts of one source, or of several together. Times of arrival are ms
 * since 1970; the others are of a clock that never jumps, in ms.
 */
export class Activity {
  /** When the first reading arrived, ms since 1970; NaN before it. */
  first = NaN;
  /** When the last reading arrived, ms since 1970; NaN before it. */
  last = NaN;
  /** The same by the clock that never jumps. */
  firstMs = NaN;
  /** The same by the clock that never jumps. */
  lastMs = -Infinity;
  /** When this server got the last reading, by the clock that never jumps. */
  heardMs = -Infinity;
  readings = 0;
  refused = 0;
  #lastRefused: { readonly code: string; readonly time: number } | undefined;
  /** The readings since `#windowMs`, and in the window before. */
  #count = 0;
  #previous = 0;
  #windowMs = -Infinity;

  /**
   * Counts accepted readings.
   *
   * @param arrivedMs earlier than `nowMs` if another server has received them,
   * and this one gets them late
   */
  accept(
    count: number,
    time: number,
    nowMs: number,
    arrivedMs: number = nowMs,
  ): void {
    this.#hear(time, nowMs, arrivedMs);
    this.readings += count;
    this.#advance(nowMs);
    if (nowMs >= this.#windowMs) this.#count += count;
    else if (nowMs >= this.#windowMs - RATE_WINDOW_MS) this.#previous += count;
  }

  /**
   * Counts refused readings.
   *
   * @param code why they are refused
   * @param arrivedMs as for {@linkcode accept}
   */
  refuse(
    count: number,
    code: string,
    time: number,
    nowMs: number,
    arrivedMs: number = nowMs,
  ): void {
    const isLast = arrivedMs >= this.lastMs;
    this.#hear(time, nowMs, arrivedMs);
    this.refused += count;
    if (isLast || this.#lastRefused === undefined) {
      this.#lastRefused = { code, time };
    }
  }

  /** Returns the counts. */
  state(nowMs: number): SourceActivity {
    const { first, last, readings, refused } = this;
    const lastRefused = this.#lastRefused;
    return {
      first,
      last,
      readings,
      rate: this.#rate(nowMs),
      refused,
      ...(lastRefused && { lastRefused }),
    };
  }

  /** Readings of several shards are not in the order of their arrival. */
  #hear(time: number, nowMs: number, arrivedMs: number): void {
    if (Number.isNaN(this.first)) {
      this.first = this.last = time;
      this.firstMs = nowMs;
    } else if (arrivedMs < this.lastMs) {
      this.first = Math.min(this.first, time);
      this.firstMs = Math.min(this.firstMs, nowMs);
    }
    // An earlier time of readings that arrived later: the clock was set back.
    // But a group counts refused readings a little later than the others.
    const isStep = arrivedMs >= this.lastMs &&
      this.last - time >= CLOCK_STEP_THRESHOLD_MS;
    this.last = isStep ? time : Math.max(this.last, time);
    this.lastMs = Math.max(this.lastMs, arrivedMs);
    this.heardMs = Math.max(this.heardMs, nowMs);
  }

  /** Per second: the previous window counts with the part that is not over. */
  #rate(nowMs: number): number {
    this.#advance(nowMs);
    const part = (nowMs - this.#windowMs) / RATE_WINDOW_MS;
    const count = this.#count + this.#previous * (1 - part);
    const age = nowMs - this.firstMs;
    const ms = Math.min(RATE_WINDOW_MS, Math.max(MIN_RATE_MS, age));
    return Math.round(count / ms * 1000 * RATE_DIGITS) / RATE_DIGITS;
  }

  #advance(nowMs: number): void {
    const elapsed = nowMs - this.#windowMs;
    if (elapsed < RATE_WINDOW_MS) return;
    const isNext = elapsed < 2 * RATE_WINDOW_MS;
    this.#previous = isNext ? this.#count : 0;
    this.#windowMs = isNext ? this.#windowMs + RATE_WINDOW_MS : nowMs;
    this.#count = 0;
  }
}
