import type { Incoming, Link } from "../mqtt/link.ts";

const NOTHING = new Uint8Array(0);

/** What a {@linkcode Barrier} is given. */
export interface BarrierOptions {
  readonly link: Link;
  /** A topic of the server's own, subscribed to by its link. */
  readonly topic: string;
  /** The topic that requests come on. */
  readonly requestTopic: string;
  /** Takes a request whose turn has come. */
  readonly release: (request: Incoming) => void;
}

/**
 * Keeps a request behind the readings that were sent before it.
 *
 * MQTT orders messages of one quality of service only (MQTT 5, 4.6): a broker
 * holds QoS 1 readings back once its in-flight window is full, and a request at
 * QoS 0 passes them. So such a request waits for a QoS 1 message that the
 * server sends itself: the broker queues it behind those readings, and when it
 * is here, they are.
 */
export class Barrier {
  readonly #options: BarrierOptions;
  #waiting: Incoming[] = [];
  /** How many of the waiting the marker under way lets go; 0 if none is. */
  #marked = 0;

  constructor(options: BarrierOptions) {
    this.#options = options;
  }

  /** True if the message is held back or is a marker: it is dealt with here. */
  stops(message: Incoming): boolean {
    const { link, topic, requestTopic } = this.#options;
    if (message.topic === topic) {
      link.acknowledge([message]);
      this.#release(this.#marked);
      return true;
    }
    if (message.qos !== 0 || message.topic !== requestTopic) return false;
    this.#waiting.push(message);
    if (this.#marked === 0) this.#mark();
    return true;
  }

  /** After a reconnect: the marker may be lost, so nothing waits for it. */
  reset(): void {
    this.#release(this.#waiting.length);
  }

  /** One marker at a time: the next covers all that came meanwhile. */
  #mark(): void {
    const { link, topic } = this.#options;
    this.#marked = this.#waiting.length;
    // If it fails, the connection was lost, and reset() lets them go.
    link.publish(topic, NOTHING, { qos: 1 }).catch(() => {});
  }

  #release(count: number): void {
    this.#marked = 0;
    const released = this.#waiting.splice(0, count);
    for (const request of released) this.#options.release(request);
    if (this.#waiting.length > 0) this.#mark();
  }
}
