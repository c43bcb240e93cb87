/**
 * The order of the PUBACKs of a connection.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Fifo } from "../common/fifo.ts";

/** A message without a PUBACK. */
interface Unacknowledged {
  readonly messageId: number;
  /** True if a PUBACK may be sent. */
  isDone: boolean;
}

/**
 * Puts the PUBACKs of a connection in the order in which the messages arrived,
 * as MQTT requires (MQTT 5, 4.6).
 *
 * Brokers rely on it. Mosquitto refills the in-flight window by the position of
 * the message that was acknowledged: after one far behind others, it sends the
 * next message that is published before those that wait in the session. So a
 * request would overtake readings, and a reading earlier ones.
 */
export class Acknowledgements {
  #order = new Fifo<Unacknowledged>();
  #byId = new Map<number, Unacknowledged>();
  /** Messages of {@linkcode Acknowledgements.later}. */
  #late = new Set<number>();

  /** The network connection of these messages. */
  #connection: unknown;

  /**
   * Adds a message that has arrived.
   *
   * @param connection identifies the network connection: on another one, the
   * broker sends again what was not acknowledged
   */
  add(messageId: number, connection: unknown): void {
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#order = new Fifo();
      this.#byId = new Map();
      this.#late = new Set();
    }
    if (this.#byId.has(messageId) || this.#late.has(messageId)) return;
    const added = { messageId, isDone: false };
    this.#order.push(added);
    this.#byId.set(messageId, added);
  }

  /**
   * Does not wait for a message any more. It is acknowledged out of order.
   *
   * @returns the PUBACKs to send
   */
  later(messageId: number): Uint8Array {
    const message = this.#byId.get(messageId);
    if (message !== undefined && !message.isDone) {
      this.#byId.delete(messageId);
      this.#late.add(messageId);
      message.isDone = true;
    }
    return encodePubacks(this.#takeDone());
  }

  /**
   * Marks messages as done. Ignores those that are not waiting for a PUBACK.
   *
   * @returns the PUBACKs to send
   */
  acknowledge(messageIds: Iterable<number>): Uint8Array {
    const late: number[] = [];
    for (const messageId of messageIds) {
      const message = this.#byId.get(messageId);
      if (message !== undefined) message.isDone = true;
      else if (this.#late.delete(messageId)) late.push(messageId);
    }
    return encodePubacks([...late, ...this.#takeDone()]);
  }

  #takeDone(): number[] {
    const taken: number[] = [];
    for (let first; (first = this.#order.first)?.isDone;) {
      this.#order.shift();
      // A late message is not sent here; its id may be that of another one now.
      if (this.#byId.get(first.messageId) !== first) continue;
      this.#byId.delete(first.messageId);
      taken.push(first.messageId);
    }
    return taken;
  }
}

/** Encodes PUBACKs (MQTT 5, 3.4). */
function encodePubacks(messageIds: readonly number[]): Uint8Array {
  const frames = Buffer.allocUnsafe(messageIds.length * 4);
  let end = 0;
  for (const messageId of messageIds) {
    frames[end++] = 0x40;
    frames[end++] = 2;
    frames[end++] = messageId >>> 8;
    frames[end++] = messageId & 0xff;
  }
  return frames;
}
