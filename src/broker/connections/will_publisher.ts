/**
 * Publishes wills (MQTT 5, 3.1.2.5).
 *
 * @module
 */
import type { Access, Identity } from "../access/access.ts";
import type { Will } from "../codec/packets.ts";
import type { Message } from "../message.ts";
import type { Router } from "../router.ts";
import { AckQueue } from "./ack_queue.ts";
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

/** What is known of a will besides its message. */
interface Known {
  readonly identity: Identity;
  /** In s; undefined: never expires. */
  readonly expiryInterval: number | undefined;
}

/** Publishes the wills of all clients. */
export class WillPublisher implements Finisher {
  readonly #options: WillPublisherOptions;
  readonly #known = new WeakMap<Message, Known>();
  /** Wills that the server has not acknowledged. */
  readonly #queue = new AckQueue();

  constructor(options: WillPublisherOptions) {
    this.#options = options;
  }

  /** Remembers whose will a message is. */
  add(message: Message, identity: Identity, will: Will): void {
    const expiryInterval = will.messageExpiryInterval;
    this.#known.set(message, { identity, expiryInterval });
  }

  /** Publishes a will, if the rules allow it. Its lifetime begins now. */
  publish(will: Message): void {
    const { access, tap, router, clock, onRefused } = this.#options;
    const clientId = will.publisher ?? "";
    // After a restart, the session has the user.
    const { identity, expiryInterval } = this.#known.get(will) ?? {
      identity: router().sessions.get(clientId)?.identity ??
        { clientId, user: undefined, isAdministrator: false },
      expiryInterval: undefined,
    };
    const { topic } = will;
    if (!access.mayPublish(identity, topic)) return onRefused(clientId, topic);
    const message = expiryInterval === undefined
      ? will
      : { ...will, expiresAt: clock() + expiryInterval * 1000 };
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
