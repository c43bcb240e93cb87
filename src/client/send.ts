import type { Link } from "../mqtt/link.ts";
import {
  encodeBatchJson,
  encodeCsv,
  encodeOriginalReading,
  type ReadingBatch,
} from "../protocol/mod.ts";

/** Messages that may wait for their acknowledgement at once. */
const MAX_PENDING = 1000;

/** How readings are sent. */
export interface SendOptions {
  /** The topic they go to. */
  readonly topic: string;
  /** Readings a message, at least 1. Default 1. */
  readonly batch?: number | undefined;
  /** Pause between messages, in ms. Default 0. */
  readonly interval?: number | undefined;
  /** Who reports; makes the messages JSON. */
  readonly source?: string | undefined;
  /** One reading a message, `x,y,value`, as the original server wants it. */
  readonly original?: boolean | undefined;
  /** Ends the pauses and the sending. */
  readonly signal?: AbortSignal | undefined;
}

/** What has been sent. */
export interface Sent {
  readonly readings: number;
  readonly messages: number;
}

/**
 * Sends readings at QoS 1, many messages under way at once. It counts a message
 * once the broker has acknowledged it.
 */
export class Sender {
  readonly #link: Link;
  readonly #options: SendOptions;
  #readings = 0;
  #messages = 0;
  #pending = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #first = true;

  constructor(link: Link, options: SendOptions) {
    this.#link = link;
    this.#options = options;
    options.signal?.addEventListener("abort", () => this.#wake?.());
  }

  /** What has been acknowledged so far. */
  get sent(): Sent {
    return { readings: this.#readings, messages: this.#messages };
  }

  /**
   * Sends all readings of a batch, in order.
   *
   * @throws {LinkError} if the broker refused one, or is gone for good
   */
  async send(readings: ReadingBatch): Promise<void> {
    const { original = false, signal } = this.#options;
    const size = original ? 1 : this.#options.batch ?? 1;
    for (let from = 0, to; from < readings.length; from = to) {
      await this.#pause();
      await this.#below(MAX_PENDING);
      if (signal?.aborted) return;
      to = sameSource(readings, from, Math.min(from + size, readings.length));
      this.#publish(this.#encode(readings, from, to), to - from);
    }
  }

  /** Waits until everything has been acknowledged, or the signal. @throws {LinkError} as send */
  async finish(): Promise<void> {
    await this.#below(1);
  }

  #encode(readings: ReadingBatch, from: number, to: number): Uint8Array {
    if (this.#options.original) {
      return encodeOriginalReading(
        readings.x[from]!,
        readings.y[from]!,
        readings.value[from]!,
      );
    }
    const source = this.#options.source ??
      readings.sources[readings.sourceIndex[from]!];
    return source
      ? encodeBatchJson(readings, from, to, { source })
      : encodeCsv(readings, from, to);
  }

  #publish(payload: Uint8Array, readings: number): void {
    this.#pending++;
    this.#link.publish(this.#options.topic, payload, { qos: 1 }).then(
      () => {
        this.#readings += readings;
        this.#messages++;
      },
      (error) => this.#failure ??= error,
    ).finally(() => {
      this.#pending--;
      this.#wake?.();
    });
  }

  /** Waits until fewer than `limit` messages are under way. */
  async #below(limit: number): Promise<void> {
    const { signal } = this.#options;
    while (
      this.#pending >= limit && this.#failure === undefined && !signal?.aborted
    ) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #pause(): Promise<void> {
    const { interval = 0, signal } = this.#options;
    if (this.#first || interval === 0) {
      this.#first = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, interval);
      signal?.addEventListener("abort", done);
    });
  }
}

/** Where the run of readings that have one source ends: a message names one. */
function sameSource(
  readings: ReadingBatch,
  from: number,
  most: number,
): number {
  const source = readings.sourceIndex[from];
  let to = from + 1;
  while (to < most && readings.sourceIndex[to] === source) to++;
  return to;
}
