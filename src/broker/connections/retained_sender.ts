/**
 * Sends retained messages after a SUBSCRIBE, at the client's speed.
 *
 * @module
 */
import type { Turns, Worker } from "./turns.ts";

/** As of `SubscribeResult.retained`. */
export type RetainedMessages = Iterator<boolean, void>;

/** The retained messages for one connection, a subscription after the other. */
export class RetainedSender implements Worker {
  readonly #turns: Turns;
  readonly #subscriptions: RetainedMessages[] = [];
  /** False while it is scheduled. */
  #isWaiting = true;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Adds the messages of a subscription, and begins to send them. */
  add(messages: RetainedMessages): void {
    this.#subscriptions.push(messages);
    this.continue();
  }

  /** Continues: the client has acknowledged or read something, or is gone. */
  continue(): void {
    if (!this.#isWaiting || this.#subscriptions.length === 0) return;
    this.#isWaiting = false;
    this.#turns.later(this);
  }

  work(): void {
    for (let i = 1; this.#subscriptions.length > 0; i++) {
      const { done, value } = this.#subscriptions[0]!.next();
      if (done) this.#subscriptions.shift();
      else if (!value) break;
      else if (i % 64 === 0 && this.#turns.isOver()) {
        this.#turns.later(this);
        return;
      }
    }
    this.#isWaiting = true;
  }
}
