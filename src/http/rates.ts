import type { ServerCounts } from "./context.ts";

/** What comes in a second, averaged over the last few. */
export interface RateReport {
  /** Readings taken, new or repeated, a second. */
  readonly readings: number;
  /** Readings that changed a cell, a second. */
  readonly changes: number;
  /** Messages with readings, a second. */
  readonly messages: number;
  /** Bytes of their payloads, a second. */
  readonly bytes: number;
}

interface Sample {
  /** ms, monotonic. */
  readonly at: number;
  readonly accepted: number;
  readonly changed: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Samples kept; with one a second the average is over the last ten seconds. */
const SAMPLES = 11;

/** How fast the counts of a server rise. */
export class Rates {
  readonly #samples: Sample[] = [];

  /**
   * Looks at the counts: call it once a second.
   *
   * @param counts of the server
   * @param at ms, of a clock that nobody sets
   */
  sample(counts: ServerCounts, at: number): void {
    const { accepted, changed, messages, bytes } = counts;
    this.#samples.push({ at, accepted, changed, messages, bytes });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** What came in a second between the first and the last look that count. */
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
