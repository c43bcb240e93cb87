/**
 * Publishes markers: messages at QoS 1 from the server to itself.
 *
 * @module
 */
import type { Incoming, Link } from "../mqtt/link.ts";
import type { ServerContext } from "./context.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A marker that has been published and may return. */
export interface Marker {
  /** Prevents both callbacks. */
  cancel(): void;
}

/** Called when a marker returns, or cannot be published. */
export interface MarkerEvents {
  readonly onReturn: () => void;
  readonly onFailure: () => void;
  /**
   * Called instead of `onReturn` if a marker of a group has not passed all
   * members in time. Default: `onReturn`.
   */
  readonly onTimeout?: () => void;
}

/**
 * The markers of a server on one connection.
 *
 * A broker delivers messages of one QoS in order (MQTT 5, 4.6). So when a
 * marker returns, all QoS 1 messages that the broker received before it have
 * arrived.
 */
export class Markers {
  /** The topic of the markers; the link must be subscribed to it. */
  readonly topic: string;
  readonly #link: Link;
  /** Identifies this run: the broker may deliver markers of an earlier one. */
  readonly #runId = crypto.randomUUID();
  #count = 0;
  /** `onReturn` by payload. */
  readonly #pending = new Map<string, () => void>();

  constructor(
    { topics, name }: Pick<ServerContext, "topics" | "name">,
    link: Link,
  ) {
    this.topic = topics.marker(name);
    this.#link = link;
  }

  /** Publishes a marker. At most one of the callbacks is called, once. */
  publish({ onReturn, onFailure }: MarkerEvents): Marker {
    const text = `${this.#runId}/${++this.#count}`;
    this.#pending.set(text, onReturn);
    this.#link.publish(this.topic, encoder.encode(text), { qos: 1 })
      .catch(() => {
        if (this.#pending.delete(text)) onFailure();
      });
    return { cancel: () => void this.#pending.delete(text) };
  }

  /** Handles a message on {@linkcode topic}. */
  handle(message: Incoming): void {
    this.#link.acknowledge([message]);
    const text = decoder.decode(message.payload);
    const onReturn = this.#pending.get(text);
    this.#pending.delete(text); // at QoS 1 it may arrive twice
    onReturn?.();
  }
}
