/**
 * A broker in memory, for scenarios with thousands of lost connections: its
 * links can be disconnected, and it can lose messages.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import {
  type Incoming,
  type Link,
  LinkError,
  type LinkHandlers,
  type PublishOptions,
} from "../../src/mqtt/link.ts";

interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
}

/** Options of {@linkcode MemoryBroker.link}. */
export interface MemoryLinkOptions {
  readonly subscriptions: readonly string[];
  /**
   * Whether messages at QoS 1 are stored while it is disconnected. Default
   * false.
   */
  readonly session?: boolean;
}

/** Routes messages in order, a few in each turn of the event loop. */
export class MemoryBroker {
  readonly #links = new Set<MemoryLink>();
  readonly #retained = new Map<string, Message>();
  readonly #queue: (() => void)[] = [];
  #running = false;
  /** Returns true to lose a message at QoS 0. */
  isLost: (topic: string) => boolean = () => false;

  /** Returns a link to this broker, not open yet. */
  link(options: MemoryLinkOptions): MemoryLink {
    const link = new MemoryLink(this, options);
    this.#links.add(link);
    return link;
  }

  /** Delivers a message to all subscribers. */
  route(message: Message, retain: boolean): void {
    if (retain) this.#retained.set(message.topic, message);
    for (const link of this.#links) {
      if (!link.isSubscribed(message.topic)) continue;
      if (message.qos === 0 && this.isLost(message.topic)) continue;
      link.deliver(message, false);
    }
  }

  /** Delivers the retained messages to a link. */
  deliverRetained(link: MemoryLink): void {
    for (const message of this.#retained.values()) {
      if (link.isSubscribed(message.topic)) link.deliver(message, true);
    }
  }

  remove(link: MemoryLink): void {
    this.#links.delete(link);
  }

  /** Calls a function later, in the order of the calls. */
  schedule(run: () => void): void {
    this.#queue.push(run);
    if (this.#running) return;
    this.#running = true;
    const turn = () => {
      // Several messages together, like the packets in one read of a socket.
      for (const next of this.#queue.splice(0, 8)) next();
      this.#running = this.#queue.length > 0;
      if (this.#running) setImmediate(turn);
    };
    setImmediate(turn);
  }
}

/** A {@linkcode Link} that the test can disconnect and reconnect. */
export class MemoryLink implements Link {
  readonly description = "memory broker";
  readonly mqttVersion = 5;
  readonly #broker: MemoryBroker;
  readonly #options: MemoryLinkOptions;
  #handlers: LinkHandlers = { message: () => {} };
  /** Number of the connection: messages of an earlier one are lost. */
  #epoch = 0;
  #isConnected = false;
  #closed = false;
  /** Unacknowledged messages in order, delivered again after a reconnect. */
  readonly #unacknowledged = new Map<Incoming, Message>();
  readonly #outgoing: (() => void)[] = [];

  constructor(broker: MemoryBroker, options: MemoryLinkOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  open(handlers: LinkHandlers): Promise<void> {
    this.#handlers = handlers;
    this.reconnect();
    return Promise.resolve();
  }

  /** True while it is connected. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Loses the connection. */
  disconnect(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#epoch++;
    this.#handlers.down?.("disconnected");
  }

  /** Connects again. */
  reconnect(): void {
    if (this.#isConnected || this.#closed) return;
    this.#isConnected = true;
    const again = [...this.#unacknowledged.values()];
    this.#unacknowledged.clear();
    this.#handlers.up?.();
    this.#broker.deliverRetained(this);
    for (const message of again) this.deliver(message, false);
    for (const send of this.#outgoing.splice(0)) send();
  }

  publish(
    topic: string,
    payload: Uint8Array,
    { qos = 0, retain = false }: PublishOptions = {},
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lost = () => reject(new LinkError("closed", "not connected"));
    const send = () => {
      const epoch = this.#epoch;
      this.#broker.schedule(() => {
        if (qos === 0 && epoch !== this.#epoch) return lost();
        this.#broker.route({ topic, payload, qos }, retain);
        resolve();
      });
    };
    if (this.#isConnected) send();
    else if (this.#closed || qos === 0) lost();
    else this.#outgoing.push(send);
    return promise;
  }

  acknowledge(messages: readonly Incoming[]): void {
    for (const message of messages) this.#unacknowledged.delete(message);
  }

  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#broker.schedule(() => {
      this.#isConnected = false;
      this.#closed = true;
      this.#epoch++;
      this.#broker.remove(this);
      resolve();
    });
    return promise;
  }

  isSubscribed(topic: string): boolean {
    return this.#options.subscriptions.some((filter) =>
      filter.endsWith("/#")
        ? `${topic}/`.startsWith(filter.slice(0, -1))
        : topic === filter
    );
  }

  deliver(message: Message, retain: boolean): void {
    if (!this.#isConnected && !(this.#options.session && message.qos === 1)) {
      return;
    }
    const { topic, payload, qos } = message;
    const incoming: Incoming = { topic, payload, qos, retain };
    if (qos === 1 && this.#options.session) {
      this.#unacknowledged.set(incoming, message);
    }
    const epoch = this.#epoch;
    if (!this.#isConnected) return;
    this.#broker.schedule(() => {
      if (epoch === this.#epoch && this.#isConnected) {
        this.#handlers.message(incoming);
      }
    });
  }
}
