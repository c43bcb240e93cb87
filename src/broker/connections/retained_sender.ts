/**
 * Sends retained messages after a SUBSCRIBE, at the client's speed.
 *
 * @module
 */
import type { Turns, Worker } from "./turns.ts";

/** As of `SubscribeResult.retained`. */
export type RetainedMessages = Iterator<boolean, void>;

/** Messages between two looks at the clock. */
const STEPS = 64;

/** The retained messages for one connection, a subscription after the other. */
export class RetainedSender implements Worker {
  readonly #turns: Turns;
  /** By filter, in the order of the subscriptions. */
  readonly #subscriptions = new Map<string, RetainedMessages>();
  /** False while it is scheduled. */
  #isWaiting = true;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /**
   * Adds the messages of a subscription, and begins to send them. If some of an
   * earlier one with the same filter wait, all are sent again in their place
   * (3.8.4): a client that repeats SUBSCRIBE and does not read collects nothing.
   */
  add(filter: string, messages: RetainedMessages): void {
    this.#subscriptions.delete(filter);
    this.#subscriptions.set(filter, messages);
    this.continue();
  }

  /** Continues: the client has acknowledged or read something, or is gone. */
  continue(): void {
    if (!this.#isWaiting || this.#subscriptions.size === 0) return;
    this.#isWaiting = false;
    this.#turns.later(this);
  }

  work(): void {
    for (const [filter, messages] of this.#subscriptions) {
      for (let i = 1;; i++) {
        const { done, value } = messages.next();
        if (done) break;
        if (!value) {
          this.#isWaiting = true;
          return;
        }
        if (i % STEPS === 0 && this.#turns.isOver()) {
          this.#turns.later(this);
          return;
        }
      }
      this.#subscriptions.delete(filter);
    }
    this.#isWaiting = true;
  }
}
