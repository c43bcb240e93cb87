/**
 * Tracks the publishes of a connection until each has a result.
 *
 * @module
 */
import { LinkError } from "./link.ts";

/** Limit of QoS 1 messages in flight, if the broker sets no lower one. */
const MAX_IN_FLIGHT_MESSAGES = 1000;
/** Limit of their bytes, unless a single message has more. */
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;
/** Shorter messages are never assumed to be too large. */
const MIN_TOO_LARGE_BYTES = 16 * 1024;
/** Lost connections after which a long message is assumed to be the cause. */
const LOST_CONNECTIONS_LIMIT = 3;

/** A publish without a result yet. */
export interface PendingPublish {
  /** Rejects the promise of the publish. */
  readonly reject: (error: LinkError) => void;
  readonly topic: string;
  /** The packet identifier; undefined at QoS 0, and before it is assigned. */
  messageId: number | undefined;
  /** Length of the payload. */
  readonly bytes: number;
}

/**
 * Stores the publishes without a result, and limits the messages in flight.
 */
export class PendingPublishes {
  /** Each publish, with the number of connections lost since it was added. */
  readonly #lostConnections = new Map<PendingPublish, number>();
  #closed = false;
  #inFlight = 0;
  #inFlightBytes = 0;
  #maxInFlight = MAX_IN_FLIGHT_MESSAGES;
  /** The publishes that wait, in order. */
  readonly #waiting: { bytes: number; resolve: () => void }[] = [];

  /**
   * Sets the broker's Receive Maximum (MQTT 5, 3.3.4).
   *
   * @param receiveMaximum 1 to 65,535; undefined for no limit of the broker
   */
  limit(receiveMaximum = MAX_IN_FLIGHT_MESSAGES): void {
    this.#maxInFlight = Math.min(receiveMaximum, MAX_IN_FLIGHT_MESSAGES);
  }

  /**
   * Waits until another QoS 1 message may be in flight. Messages proceed in the
   * order of the calls.
   *
   * @param bytes the length of its payload
   */
  async acquire(bytes: number): Promise<void> {
    if (this.#closed) return;
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#take(bytes);
      return;
    }
    await new Promise<void>((resolve) =>
      this.#waiting.push({ bytes, resolve })
    );
  }

  /** Ends one {@linkcode acquire}. */
  release(bytes: number): void {
    this.#inFlight--;
    this.#inFlightBytes -= bytes;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#fits(next.bytes)) return;
      this.#waiting.shift();
      this.#take(next.bytes);
      next.resolve();
    }
  }

  #fits(bytes: number): boolean {
    return this.#inFlight === 0 ||
      (this.#inFlight < this.#maxInFlight &&
        this.#inFlightBytes + bytes <= MAX_IN_FLIGHT_BYTES);
  }

  #take(bytes: number): void {
    this.#inFlight++;
    this.#inFlightBytes += bytes;
  }

  /** Adds a publish that was sent. */
  add(publish: PendingPublish): void {
    this.#lostConnections.set(publish, 0);
  }

  /** Removes a publish that has a result. */
  delete(publish: PendingPublish): void {
    this.#lostConnections.delete(publish);
  }

  /** Rejects all publishes, which mqtt.js does not do when its client ends. */
  close(): void {
    this.#closed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    for (const { reject } of this.#lostConnections.keys()) {
      reject(closedError());
    }
    this.#lostConnections.clear();
  }

  /**
   * Call it after the connection was lost. Some brokers close the connection if
   * a packet is too large, and mqtt.js resends the packet at each reconnect.
   * So a large message is rejected after the third lost connection.
   *
   * @param drop makes mqtt.js drop the message
   */
  connectionLost(drop: (messageId: number) => void): void {
    for (const [publish, before] of this.#lostConnections) {
      const { messageId, bytes, topic, reject } = publish;
      if (messageId === undefined || bytes < MIN_TOO_LARGE_BYTES) continue;
      this.#lostConnections.set(publish, before + 1);
      if (before + 1 < LOST_CONNECTIONS_LIMIT) continue;
      this.#lostConnections.delete(publish);
      reject(tooLargeError(topic, bytes)); // before the error of mqtt.js
      drop(messageId);
    }
  }
}

/** The error of a publish after the connection was closed. */
export function closedError(): LinkError {
  return new LinkError("closed", "The connection to the broker is closed");
}

/**
 * The error of a message that is too large for the broker.
 *
 * @param topic the topic of the message
 * @param bytes the length of its payload
 */
export function tooLargeError(topic: string, bytes: number): LinkError {
  return new LinkError(
    "refused",
    `Cannot publish ${bytes} bytes to ${topic}: too large for the broker`,
    {
      hint: "Request smaller parts with maxBytes, or raise the broker's limit.",
    },
  );
}
