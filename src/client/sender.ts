/**
 * Publishes readings in batches, with a limit on unacknowledged messages.
 *
 * @module
 */
import { delay } from "../common/async.ts";
import type { Link } from "../mqtt/link.ts";
import {
  encodeBatchJson,
  encodeCsv,
  encodeOriginalReading,
  type ReadingBatch,
} from "../protocol/mod.ts";

/** Maximum number of unacknowledged messages. */
const MAX_PENDING_MESSAGES = 1000;

/** Options of {@linkcode Sender}. */
export interface SendOptions {
  /** The topic to publish to. */
  readonly topic: string;
  /** Maximum readings per message, at least 1. Default 1. */
  readonly batch?: number | undefined;
  /** Time between two messages, in ms. Default 0. */
  readonly interval?: number | undefined;
  /** Source of all readings; messages with a source are JSON, others CSV. */
  readonly source?: string | undefined;
  /** True for the original wire format: one `x,y,value` per message. */
  readonly original?: boolean | undefined;
  /** Stops the sending. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each message, with the source of its readings or "". */
  readonly onPublish?: ((topic: string, source: string) => void) | undefined;
}

/** What the broker has acknowledged. */
export interface Sent {
  readonly readings: number;
  readonly messages: number;
}

/** Publishes readings at QoS 1. */
export class Sender {
  readonly #link: Link;
  readonly #options: SendOptions;
  #readings = 0;
  #messages = 0;
  /** The number of unacknowledged messages. */
  #pending = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #isFirst = true;

  constructor(link: Link, options: SendOptions) {
    this.#link = link;
    this.#options = options;
    options.signal?.addEventListener("abort", () => this.#wake?.());
  }

  /** What the broker has acknowledged so far. */
  get sent(): Sent {
    return { readings: this.#readings, messages: this.#messages };
  }

  /**
   * Publishes all readings of a batch, in order. Waits while too many messages
   * are unacknowledged. To wait for all of them, call {@linkcode finish}.
   *
   * @param readings the readings
   * @param topic the topic to publish to; default: that of the options
   * @throws {LinkError} if the broker refused a message, or the connection
   * failed permanently
   */
  async send(
    readings: ReadingBatch,
    topic: string = this.#options.topic,
  ): Promise<void> {
    const { original = false, signal } = this.#options;
    const size = original ? 1 : this.#options.batch ?? 1;
    for (let from = 0, to; from < readings.length; from = to) {
      await this.#waitInterval();
      await this.#waitForPending(MAX_PENDING_MESSAGES - 1);
      if (signal?.aborted) return;
      to = endOfSource(readings, from, Math.min(from + size, readings.length));
      const source = this.#options.source ??
        readings.sources[readings.sourceIndex[from]!]!;
      this.#options.onPublish?.(topic, original ? "" : source);
      this.#publish(topic, this.#encode(readings, from, to, source), to - from);
    }
  }

  /**
   * Waits until all messages are acknowledged, or the signal is aborted.
   *
   * @throws {LinkError} as {@linkcode send}
   */
  async finish(): Promise<void> {
    await this.#waitForPending(0);
  }

  #encode(
    readings: ReadingBatch,
    from: number,
    to: number,
    source: string,
  ): Uint8Array {
    if (this.#options.original) {
      return encodeOriginalReading(
        readings.x[from]!,
        readings.y[from]!,
        readings.value[from]!,
      );
    }
    return source
      ? encodeBatchJson(readings, from, to, { source })
      : encodeCsv(readings, from, to);
  }

  #publish(topic: string, payload: Uint8Array, readings: number): void {
    this.#pending++;
    this.#link.publish(topic, payload, { qos: 1 }).then(
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

  /** Waits until at most `limit` messages are unacknowledged. */
  async #waitForPending(limit: number): Promise<void> {
    const { signal } = this.#options;
    while (
      this.#pending > limit && this.#failure === undefined && !signal?.aborted
    ) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #waitInterval(): Promise<void> {
    const { interval = 0, signal } = this.#options;
    if (!this.#isFirst && interval > 0) await delay(interval, signal);
    this.#isFirst = false;
  }
}

/** Returns the end of the readings with the same source: one per message. */
function endOfSource(
  readings: ReadingBatch,
  from: number,
  end: number,
): number {
  const source = readings.sourceIndex[from];
  let to = from + 1;
  while (to < end && readings.sourceIndex[to] === source) to++;
  return to;
}
