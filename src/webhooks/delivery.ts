/**
 * The events that wait for one webhook, and their delivery.
 *
 * @module
 */
import { delay } from "../common/async.ts";
import { Fifo } from "../common/fifo.ts";
import { plural } from "../common/plural.ts";
import type { WebhookAddress } from "./address.ts";
import { attempt, type AttemptLimits, type Outcome } from "./attempt.ts";
import { retryDelay, type RetryTimes } from "./retry.ts";

/** An event as it is sent. */
export interface QueuedEvent {
  readonly id: string;
  readonly topic: string;
  /** JSON. */
  readonly body: string;
}

/** Counts of a webhook since the start of the server. */
export interface WebhookCounts {
  /** Events that the receiver has accepted. */
  readonly sent: number;
  /** Events that the receiver has refused, or has failed at for too long. */
  readonly failed: number;
  /** Events that were lost because the queue was full. */
  readonly dropped: number;
  /** Tries after the first one of an event. */
  readonly retries: number;
  /** Events that wait now, with the one that is being sent. */
  readonly queued: number;
}

/** Bounds of a delivery. */
export interface DeliveryLimits extends RetryTimes, AttemptLimits {
  /** Maximum number of events that wait. */
  readonly events: number;
}

/** Options of {@linkcode Delivery}. */
export interface DeliveryOptions {
  readonly address: WebhookAddress;
  readonly limits: DeliveryLimits;
  /** Returns the headers of a request; called for each try. */
  readonly headersOf: (event: QueuedEvent) => Record<string, string>;
  /** Called with what happened, for people, and its kind for the limiter. */
  readonly warn: (
    kind: "failed" | "lost" | "full",
    line: () => string,
  ) => void;
  /** Called when events are delivered again after a failure. */
  readonly onRecovered: () => void;
  /** Called for each event that the full queue has lost. */
  readonly onDropped: () => void;
}

/** After it an event is not tried again. */
type FinalOutcome = Exclude<Outcome, { kind: "failed" }>;

/** Sends events to one webhook, one after the other, in their order. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue = new Fifo<QueuedEvent>();
  readonly #abort = new AbortController();
  readonly #counts = { sent: 0, failed: 0, dropped: 0, retries: 0 };
  /** The event that is being sent, or waits for its next try. */
  #current: QueuedEvent | undefined;
  /** Resolves when nothing waits any more. */
  #running: Promise<void> | undefined;
  /** Tries without success since the last one with it. */
  #failures = 0;
  /** Ends the wait before the next try. */
  #wake: AbortController | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** A copy. */
  get counts(): WebhookCounts {
    const queued = this.#queue.length + Number(this.#current !== undefined);
    return { ...this.#counts, queued };
  }

  /** Adds an event. In place of one too many the oldest that waits is lost. */
  add(event: QueuedEvent): void {
    const { limits, warn, onDropped } = this.#options;
    this.#queue.push(event);
    if (this.#queue.length > limits.events) {
      this.#queue.shift();
      this.#counts.dropped++;
      onDropped();
      warn(
        "full",
        () =>
          `${
            plural(limits.events, "event")
          } wait, which is the maximum: the oldest was dropped`,
      );
    }
    if (this.#running !== undefined) return;
    this.#running = this.#run().finally(() => this.#running = undefined);
  }

  /**
   * Tries at once what waits. Resolves when nothing waits any more, or after
   * {@linkcode abort}.
   */
  async finish(): Promise<void> {
    this.#failures = 0;
    this.#wake?.abort();
    await this.#running;
  }

  /** Ends the delivery; what waits stays in the counts as queued. */
  abort(): void {
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#current = this.#queue.shift();
      if (this.#current === undefined) return;
      const outcome = await this.#deliver(this.#current);
      if (outcome === undefined) return; // it stays in the counts
      this.#current = undefined;
      this.#count(outcome);
    }
  }

  /**
   * Tries until the event is delivered or given up.
   *
   * @returns undefined after {@linkcode abort}
   */
  async #deliver(event: QueuedEvent): Promise<FinalOutcome | undefined> {
    const { address, limits, headersOf } = this.#options;
    const { signal } = this.#abort;
    /** When the receiver first failed at this event. */
    let failedSince = Infinity;
    for (;;) {
      const request = { headers: headersOf(event), body: event.body };
      const outcome = await attempt(address, request, limits, signal);
      if (outcome.kind !== "failed") return outcome;
      if (signal.aborted) return undefined;
      const now = performance.now();
      if (outcome.byEvent) failedSince = Math.min(failedSince, now);
      if (now - failedSince >= limits.giveUpMs) {
        const reason = `${outcome.reason} at every try. Check the receiver`;
        return { kind: "refused", reason };
      }
      await this.#waitAfter(outcome);
      if (signal.aborted) return undefined;
      this.#counts.retries++;
    }
  }

  #count(outcome: FinalOutcome): void {
    const { warn, onRecovered } = this.#options;
    if (outcome.kind === "refused") {
      this.#counts.failed++;
      const { reason } = outcome;
      warn("lost", () => `the receiver did not accept an event: ${reason}`);
    } else {
      this.#counts.sent++;
      if (this.#failures > 0) onRecovered();
    }
    this.#failures = 0;
  }

  async #waitAfter(
    { reason, retryAfterMs }: Extract<Outcome, { kind: "failed" }>,
  ): Promise<void> {
    const { limits, warn } = this.#options;
    this.#failures++;
    const wait = retryDelay(
      limits,
      this.#failures,
      retryAfterMs,
      Math.random(),
    );
    warn(
      "failed",
      () =>
        `cannot deliver an event: ${reason}; ${
          plural(this.counts.queued, "event")
        } to send, next try in ${Math.ceil(wait / 1000)} s`,
    );
    this.#wake = new AbortController();
    const { signal } = this.#abort;
    await delay(wait, AbortSignal.any([signal, this.#wake.signal]));
    this.#wake = undefined;
  }
}
