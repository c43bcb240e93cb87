/**
 * Computes the rates of incoming readings from the counts of the server.
 *
 * @module
 */
import type { ServerCounts } from "../context.ts";

/** Rates per second, averaged over the last ten seconds. */
export interface RateReport {
  /** Accepted readings, new or repeated. */
  readonly readings: number;
  /** Readings that changed a cell. */
  readonly changes: number;
  /** Messages with readings. */
  readonly messages: number;
  /** Bytes of the payloads of these messages. */
  readonly bytes: number;
}

interface Sample {
  /** Monotonic time, in ms. */
  readonly at: number;
  readonly accepted: number;
  readonly changed: number;
  readonly messages: number;
  readonly bytes: number;
}

/** One sample per second: an average over ten seconds. */
const MAX_SAMPLES = 11;

/** Computes rates from samples of the counts. */
export class Rates {
  readonly #samples: Sample[] = [];

  /**
   * Adds a sample. Call it every second.
   *
   * @param at monotonic time, in ms
   */
  sample(counts: ServerCounts, at: number): void {
    const { accepted, changed, messages, bytes } = counts;
    this.#samples.push({ at, accepted, changed, messages, bytes });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  /** Returns the rates between the first and the last sample. */
  report(): RateReport {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first && last ? (last.at - first.at) / 1000 : 0;
    if (!first || !last || seconds <= 0) {
      return { readings: 0, changes: 0, messages: 0, bytes: 0 };
    }
    const rate = (from: number, to: number) =>
      Math.round((to - from) / seconds * 10) / 10;
    return {
      readings: rate(first.accepted, last.accepted),
      changes: rate(first.changed, last.changed),
      messages: rate(first.messages, last.messages),
      bytes: rate(first.bytes, last.bytes),
    };
  }
}
