/**
 * A broker in memory, for scenarios with thousands of lost connections: links
 * that can be cut and mended, and messages that can be lost on their way.
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

/** How a link is set up. */
export interface MemoryLinkOptions {
  readonly subscriptions: readonly string[];
  /** Whether messages at QoS 1 wait for it while it is away. Default false. */
  readonly session?: boolean;
}

/** Routes messages in order, each in a turn of its own after those before it. */
export class MemoryBroker {
  readonly #links = new Set<MemoryLink>();
  readonly #retained = new Map<string, Message>();
  readonly #queue: (() => void)[] = [];
  #running = false;
  /** Told of each message at QoS 0; true if it shall get lost. */
  loses: (topic: string) => boolean = () => false;

  /** A link to this broker, not open yet. */
  link(options: MemoryLinkOptions): MemoryLink {
    const link = new MemoryLink(this, options);
    this.#links.add(link);
    return link;
  }

  /** Sends a message to all that want it. */
  route(message: Message, retain: boolean): void {
    if (retain) this.#retained.set(message.topic, message);
    for (const link of this.#links) {
      if (!link.wants(message.topic)) continue;
      if (message.qos === 0 && this.loses(message.topic)) continue;
      link.deliver(message, false);
    }
  }

  /** Gives a link what is kept for those who come later. */
  greet(link: MemoryLink): void {
    for (const message of this.#retained.values()) {
      if (link.wants(message.topic)) link.deliver(message, true);
    }
  }

  forget(link: MemoryLink): void {
    this.#links.delete(link);
  }

  /** Runs something later, after all that was to run before. */
  later(run: () => void): void {
    this.#queue.push(run);
    if (this.#running) return;
    this.#running = true;
    const turn = () => {
      // A few at once: as packets come in one read, but not all of them.
      for (const next of this.#queue.splice(0, 8)) next();
      this.#running = this.#queue.length > 0;
      if (this.#running) setImmediate(turn);
    };
    setImmediate(turn);
  }
}

/** A {@linkcode Link} that can be cut. */
export class MemoryLink implements Link {
  readonly description = "memory broker";
  readonly mqttVersion = 5;
  readonly #broker: MemoryBroker;
  readonly #options: MemoryLinkOptions;
  #handlers: LinkHandlers = { message: () => {} };
  /** Counts connections: what belongs to an earlier one is lost. */
  #epoch = 0;
  #up = false;
  #closed = false;
  /** Not acknowledged, in order; sent again after a reconnect. */
  readonly #unacknowledged = new Map<Incoming, Message>();
  readonly #outgoing: (() => void)[] = [];

  constructor(broker: MemoryBroker, options: MemoryLinkOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  open(handlers: LinkHandlers): Promise<void> {
    this.#handlers = handlers;
    this.mend();
    return Promise.resolve();
  }

  /** True while it is connected. */
  get isUp(): boolean {
    return this.#up;
  }

  /** Loses the connection. */
  cut(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#epoch++;
    this.#handlers.down?.("cut");
  }

  /** Connects again. */
  mend(): void {
    if (this.#up || this.#closed) return;
    this.#up = true;
    const again = [...this.#unacknowledged.values()];
    this.#unacknowledged.clear();
    this.#handlers.up?.();
    this.#broker.greet(this);
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
      this.#broker.later(() => {
        if (qos === 0 && epoch !== this.#epoch) return lost();
        this.#broker.route({ topic, payload, qos }, retain);
        resolve();
      });
    };
    if (this.#up) send();
    else if (this.#closed || qos === 0) lost();
    else this.#outgoing.push(send);
    return promise;
  }

  acknowledge(messages: readonly Incoming[]): void {
    for (const message of messages) this.#unacknowledged.delete(message);
  }

  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#broker.later(() => {
      this.#up = false;
      this.#closed = true;
      this.#epoch++;
      this.#broker.forget(this);
      resolve();
    });
    return promise;
  }

  wants(topic: string): boolean {
    return this.#options.subscriptions.some((filter) =>
      filter.endsWith("/#")
        ? `${topic}/`.startsWith(filter.slice(0, -1))
        : topic === filter
    );
  }

  deliver(message: Message, retain: boolean): void {
    if (!this.#up && !(this.#options.session && message.qos === 1)) return;
    const { topic, payload, qos } = message;
    const incoming: Incoming = { topic, payload, qos, retain };
    if (qos === 1 && this.#options.session) {
      this.#unacknowledged.set(incoming, message);
    }
    const epoch = this.#epoch;
    if (!this.#up) return;
    this.#broker.later(() => {
      if (epoch === this.#epoch && this.#up) {
        this.#handlers.message(incoming);
      }
    });
  }
}
