import type { Incoming, Link } from "../mqtt/link.ts";

/** How long the first marker may take, in ms. A broker may not let it through. */
const FIRST_DEADLINE = 2000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

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
 *
 * A broker whose rules forbid the marker costs the order, not the answer.
 */
export class Barrier {
  readonly #options: BarrierOptions;
  #waiting: Incoming[] = [];
  /** How many of the waiting the marker under way lets go; 0 if none is. */
  #marked = 0;
  /** Which marker is under way: one of an earlier connection may come late. */
  #number = 0;
  readonly #life = crypto.randomUUID();
  /** True once a marker has come back: then each will, or the connection is lost. */
  #proven = false;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BarrierOptions) {
    this.#options = options;
  }

  /** True if the message is held back or is a marker: it is dealt with here. */
  stops(message: Incoming): boolean {
    const { link, topic, requestTopic } = this.#options;
    if (message.topic === topic) {
      link.acknowledge([message]);
      if (decoder.decode(message.payload) === this.#marker) {
        this.#proven = true;
        this.#release(this.#marked);
      }
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
    this.#number++;
  }

  /** Of this life of the server alone: its broker may bring back those of another. */
  get #marker(): string {
    return `${this.#life}/${this.#number}`;
  }

  /** One marker at a time: the next covers all that came meanwhile. */
  #mark(): void {
    const { link, topic } = this.#options;
    const number = ++this.#number;
    this.#marked = this.#waiting.length;
    const giveUp = () => {
      if (number === this.#number) this.#release(this.#marked);
    };
    if (!this.#proven) this.#deadline = setTimeout(giveUp, FIRST_DEADLINE);
    link.publish(topic, encoder.encode(this.#marker), { qos: 1 })
      .catch(giveUp);
  }

  #release(count: number): void {
    clearTimeout(this.#deadline);
    this.#marked = 0;
    const released = this.#waiting.splice(0, count);
    for (const request of released) this.#options.release(request);
    if (this.#waiting.length > 0) this.#mark();
  }
}
