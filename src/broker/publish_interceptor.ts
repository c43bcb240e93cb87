import { type Arrived, Held, type Lane, type Proceed } from "./ack_queue.ts";
import type { Incoming } from "../mqtt/link.ts";

/**
 * Hands messages to the server and holds the broker's acknowledgements back
 * until the server says so. Knows nothing of sockets or of the broker.
 */
export class Tap {
  #deliver: ((message: Incoming) => void) | undefined;

  /** Starts handing messages to `deliver`, and stops if it is undefined. */
  connect(deliver: ((message: Incoming) => void) | undefined): void {
    this.#deliver = deliver;
  }

  /** Hands a message over; `proceed` is called once it is acknowledged. */
  take(message: Arrived, lane: Lane, proceed: Proceed): void {
    const held = new Held(message, lane, proceed);
    lane.hold(held);
    this.#deliver?.(held);
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
}
