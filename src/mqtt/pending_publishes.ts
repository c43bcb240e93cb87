import { LinkError } from "./link.ts";

/** A shorter message is long for no broker. */
const SUSPECT_BYTES = 16 * 1024;
/** Lost connections after which a long message is held to be the reason. */
const MAX_LOSSES = 3;

/** A publish that is not settled. */
export interface Pending {
  readonly reject: (error: LinkError) => void;
  readonly topic: string;
  /** The packet identifier; undefined at QoS 0, and until it has one. */
  messageId: number | undefined;
  readonly bytes: number;
}

/** The publishes of a connection that are not settled. */
export class PendingPublishes {
  /** For each, the connections that were lost while it was under way. */
  readonly #losses = new Map<Pending, number>();

  add(pending: Pending): void {
    this.#losses.set(pending, 0);
  }

  /** It is settled. */
  delete(pending: Pending): void {
    this.#losses.delete(pending);
  }

  /** None of them will be settled any more: mqtt.js does not say so. */
  abandon(): void {
    for (const { reject } of this.#losses.keys()) reject(closed());
    this.#losses.clear();
  }

  /**
   * The connection is lost. Some brokers hang up on a packet that is too long
   * for them, and mqtt.js sends it again at each reconnect: after a few times
   * it is rejected, and `drop` is called to forget it.
   */
  lost(drop: (messageId: number) => void): void {
    for (const [pending, before] of this.#losses) {
      const { messageId, bytes, topic, reject } = pending;
      if (messageId === undefined || bytes < SUSPECT_BYTES) continue;
      this.#losses.set(pending, before + 1);
      if (before + 1 < MAX_LOSSES) continue;
      this.#losses.delete(pending);
      reject(tooLong(topic, bytes)); // before mqtt.js says that it was dropped
      drop(messageId);
    }
  }
}

/** What is said of a publish on a connection that has ended. */
export function closed(): LinkError {
  return new LinkError("closed", "The connection to the broker is closed");
}

/** What is said of a message that the broker does not take. */
export function tooLong(topic: string, bytes: number): LinkError {
  return new LinkError(
    "refused",
    `A message of ${bytes} bytes to ${topic} is too long for the broker`,
    { hint: "Ask for smaller parts with maxBytes, or raise its limit." },
  );
}
