import type { Incoming } from "../mqtt/link.ts";

/** Told of a request that was answered: how long that took, in ms. */
export type RequestObserver = (ms: number) => void;

/**
 * Measures how long requests take, from their arrival to the moment the broker
 * has the last part of the reply. Does nothing until somebody wants to know.
 */
export class RequestTimes {
  /** Told of each request whose reply went out whole. */
  observe: RequestObserver | undefined;
  readonly #topic: string;
  readonly #arrivals = new WeakMap<Incoming, number>();

  /** @param topic that requests come on */
  constructor(topic: string) {
    this.#topic = topic;
  }

  /** A message has arrived. */
  arrived(message: Incoming): void {
    if (this.observe === undefined || message.topic !== this.#topic) return;
    this.#arrivals.set(message, performance.now());
  }

  /** The broker has the last part of the reply to a request. */
  answered(request: Incoming): void {
    const arrival = this.#arrivals.get(request);
    if (arrival !== undefined) this.observe?.(performance.now() - arrival);
  }
}
