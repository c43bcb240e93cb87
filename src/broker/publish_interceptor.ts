/**
 * Passes messages of clients to the server, and delays each acknowledgement
 * until the server has acknowledged the message. Independent of sockets and of
 * aedes.
 *
 * @module
 */
import type { Incoming, QoS } from "../mqtt/link.ts";

/** Makes the broker acknowledge a message, then route it. */
export type Proceed = () => void;

/** A message of a client. */
export interface InterceptedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
}

/** Maximum number of unacknowledged messages of one client. */
const MAX_UNACKNOWLEDGED_MESSAGES = 4096;
/** Their payload bytes. One more message or read may exceed the limit. */
const MAX_UNACKNOWLEDGED_BYTES = 1024 * 1024;

/** Passes messages to the server. */
export class PublishInterceptor {
  #deliver: ((message: Incoming) => void) | undefined;

  /**
   * Sets the receiver of the messages.
   *
   * @param deliver called for each message; undefined to stop
   */
  connect(deliver: ((message: Incoming) => void) | undefined): void {
    this.#deliver = deliver;
  }

  /**
   * Delivers a message to the server.
   *
   * @param message the message
   * @param queue the queue of its client
   * @param proceed called after the server has acknowledged it
   */
  intercept(
    message: InterceptedMessage,
    queue: AckQueue,
    proceed: Proceed,
  ): void {
    const pending = new PendingAck(message, queue, proceed);
    queue.add(pending);
    this.#deliver?.(pending);
  }

  /**
   * Acknowledges messages. Ignores messages of other links, and those that were
   * acknowledged before.
   *
   * @param messages messages that were delivered
   */
  acknowledge(messages: readonly Incoming[]): void {
    if (this.#deliver === undefined) return;
    for (const message of messages) {
      if (message instanceof PendingAck && !message.done) {
        message.queue.complete(message);
      }
    }
  }
}

/** An entry of an {@linkcode AckQueue}. */
interface Entry {
  readonly proceed: Proceed;
  /** Bytes that count towards the limit. */
  readonly size: number;
  /** True if it waits only for the entries before it. */
  done: boolean;
  next: Entry | undefined;
}

/** A message whose acknowledgement is delayed. */
class PendingAck implements Incoming, Entry {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** The subscription is older than each message: none is retained. */
  readonly retain = false;
  readonly queue: AckQueue;
  readonly proceed: Proceed;
  done = false;
  next: Entry | undefined = undefined;

  constructor(message: InterceptedMessage, queue: AckQueue, proceed: Proceed) {
    this.topic = message.topic;
    this.payload = message.payload;
    this.qos = message.qos;
    this.queue = queue;
    this.proceed = proceed;
  }

  get size(): number {
    return this.payload.byteLength;
  }
}

/**
 * The messages of one client, acknowledged in the order of their arrival (MQTT
 * 3.1.1, 4.6). The server may acknowledge them in any order.
 */
export class AckQueue {
  #head: Entry | undefined;
  #tail: Entry | undefined;
  #messages = 0;
  #bytes = 0;

  /** True if the broker should not read more from this client. */
  get full(): boolean {
    return this.#messages >= MAX_UNACKNOWLEDGED_MESSAGES ||
      this.#bytes >= MAX_UNACKNOWLEDGED_BYTES;
  }

  /** Adds a message that needs no acknowledgement of the server. */
  pass(proceed: Proceed): void {
    if (this.#head === undefined) proceed();
    else this.#push({ proceed, size: 0, done: true, next: undefined });
  }

  /** Adds a message that waits for {@linkcode complete}. */
  add(pending: PendingAck): void {
    this.#push(pending);
  }

  /** Makes a message proceed after all messages before it. Call it once. */
  complete(pending: PendingAck): void {
    pending.done = true;
    if (this.#head !== pending) return;
    for (;;) {
      const entry: Entry | undefined = this.#head;
      if (entry === undefined || !entry.done) return;
      // Remove it first: proceed() can add the next messages.
      this.#head = entry.next;
      if (entry.next === undefined) this.#tail = undefined;
      this.#messages--;
      this.#bytes -= entry.size;
      entry.proceed();
    }
  }

  #push(entry: Entry): void {
    if (this.#tail === undefined) this.#head = entry;
    else this.#tail.next = entry;
    this.#tail = entry;
    this.#messages++;
    this.#bytes += entry.size;
  }
}
