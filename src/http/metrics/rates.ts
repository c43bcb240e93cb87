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

/** Computes a rate for each layer, averaged as in {@linkcode Rates}. */
export class LayerRates {
  /** When the samples were taken: monotonic times, in ms. */
  readonly #times: number[] = [];
  /** The counts at these times; a new layer has fewer. */
  readonly #counts = new Map<string, number[]>();

  /** Begins a sample. @param at monotonic time, in ms */
  begin(at: number): void {
    this.#times.push(at);
    if (this.#times.length > MAX_SAMPLES) this.#times.shift();
  }

  /** Adds the count of a layer to the sample. It never decreases. */
  add(layer: string, count: number): void {
    const counts = this.#counts.get(layer);
    if (counts === undefined) {
      // A layer that is new since the previous sample had no changes then.
      this.#counts.set(layer, this.#times.length > 1 ? [0, count] : [count]);
      return;
    }
    counts.push(count);
    if (counts.length > MAX_SAMPLES) counts.shift();
  }

  /** Removes a layer. */
  remove(layer: string): void {
    this.#counts.delete(layer);
  }

  /** Returns the rate of a layer; 0 if it has no two samples. */
  perSecond(layer: string): number {
    const counts = this.#counts.get(layer);
    const first = this.#times.at(-(counts?.length ?? 1));
    const last = this.#times.at(-1);
    if (!counts || first === undefined || !(last! > first)) return 0;
    const added = counts.at(-1)! - counts[0]!;
    return Math.round(added / (last! - first) * 10_000) / 10;
  }
}
