import { type Arrived, Held, type Lane, type Proceed } from "./lane.ts";
import type { Incoming } from "./link.ts";

/**
 * Hands messages to the server and holds the broker's acknowledgements back
 * until the server says so. Knows nothing of sockets or of the broker.
 */
export class Tap {
  #deliver: ((message: Incoming) => void) | undefined;
  #paused = false;
  #handing = false;
  /** Arrived, not yet handed over, in order. */
  #waiting: Held[] = [];

  /** Starts handing messages to `deliver`, and stops if it is undefined. */
  connect(deliver: ((message: Incoming) => void) | undefined): void {
    this.#deliver = deliver;
    this.#waiting = [];
  }

  /** Hands a message over; `proceed` is called once it is acknowledged. */
  take(message: Arrived, lane: Lane, proceed: Proceed): void {
    const held = new Held(message, lane, proceed);
    lane.hold(held);
    // While those that waited are handed over, a new one waits behind them.
    if (this.#paused || this.#handing) this.#waiting.push(held);
    else this.#deliver?.(held);
  }

  /** Lets messages go on; those that are not held here, or no longer, are passed over. */
  acknowledge(messages: readonly Incoming[]): void {
    if (this.#deliver === undefined) return;
    for (const message of messages) {
      if (message instanceof Held && !message.done) {
        message.lane.release(message);
      }
    }
  }

  /** Keeps what arrives until {@linkcode resume}. Lanes fill, and then their clients are not read. */
  pause(): void {
    this.#paused = true;
  }

  /** Hands over what has waited, and all that arrives. */
  resume(): void {
    this.#paused = false;
    if (this.#handing) return;
    this.#handing = true;
    let handed = 0;
    // The owner may pause again, and more may arrive, at each step.
    while (!this.#paused && handed < this.#waiting.length) {
      this.#deliver?.(this.#waiting[handed++]!);
    }
    this.#waiting.splice(0, handed);
    this.#handing = false;
  }
}
