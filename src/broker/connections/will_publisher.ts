/**
 * Publishes wills (MQTT 5, 3.1.2.5).
 *
 * @module
 */
import type { Access, Identity } from "../access/access.ts";
import type { Router } from "../router.ts";
import type { Will } from "../wills/wills.ts";
import { AckQueue } from "./ack_queue.ts";
import { expiryTime } from "./received_message.ts";
import { type Finisher, PendingMessage, type Tap } from "./tap.ts";

/** Options of {@linkcode WillPublisher}. */
export interface WillPublisherOptions {
  readonly access: Access;
  readonly tap: Tap;
  readonly router: () => Router;
  /** Returns the time, in ms since 1970. */
  readonly clock: () => number;
  /** Called for each will that is dropped because of its topic. */
  readonly onRefused: (clientId: string, topic: string) => void;
}

/** Publishes the wills of all clients. */
export class WillPublisher implements Finisher {
  readonly #options: WillPublisherOptions;
  /** The clients of this process. */
  readonly #identities = new WeakMap<Will, Identity>();
  /** Wills that the server has not acknowledged. */
  readonly #queue = new AckQueue();

  constructor(options: WillPublisherOptions) {
    this.#options = options;
  }

  /** Remembers whose will it is. */
  add(will: Will, identity: Identity): void {
    this.#identities.set(will, identity);
  }

  /** Publishes a will, if the rules allow it. Its lifetime begins now. */
  publish(will: Will): void {
    const { access, tap, router, clock, onRefused } = this.#options;
    const { user, expiryInterval } = will;
    const clientId = will.message.publisher ?? "";
    // After a restart, with the rights of a user.
    const identity = this.#identities.get(will) ??
      { clientId, user, isAdministrator: false };
    const { topic } = will.message;
    if (!access.mayPublish(identity, topic)) return onRefused(clientId, topic);
    const message = expiryInterval === undefined ? will.message : {
      ...will.message,
      expiresAt: expiryTime(expiryInterval, clock()),
    };
    if (!tap.receives(topic)) {
      router().publish(message);
      return;
    }
    // RETAIN does not mean that the value is old.
    const pending = new PendingMessage(this.#queue, this, message, 0, false);
    this.#queue.add(pending);
    tap.deliver(pending);
  }

  finishMessage({ message }: PendingMessage): void {
    const { tap, router } = this.#options;
    if (!tap.isPrivate(message.topic)) router().publish(message);
  }

  finishRun(): void {}
}
