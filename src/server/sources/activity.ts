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
  heardMs = -Infinity;
  readings = 0;
  refused = 0;
  #lastRefused: { readonly code: string; readonly time: number } | undefined;
  /** The readings since `#windowMs`, and in the window before. */
  #count = 0;
  #previous = 0;
  #windowMs = -Infinity;

  /** Counts accepted readings. */
  accept(count: number, time: number, nowMs: number): void {
    this.#hear(time, nowMs);
    this.readings += count;
    this.#advance(nowMs);
    this.#count += count;
  }

  /** Counts refused readings. @param code why they are refused */
  refuse(count: number, code: string, time: number, nowMs: number): void {
    this.#hear(time, nowMs);
    this.refused += count;
    this.#lastRefused = { code, time };
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

  #hear(time: number, nowMs: number): void {
    if (Number.isNaN(this.first)) {
      this.first = time;
      this.firstMs = nowMs;
    }
    // A group counts its refused readings a little later than the others.
    if (!(this.last - time < CLOCK_STEP_THRESHOLD_MS && this.last > time)) {
      this.last = time;
    }
    // Those of a journal that is loaded are not in order.
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
