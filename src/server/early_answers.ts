/**
 * Answers requests while the store fails, before their group.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import type { StoreError } from "../store/store.ts";
import { type Arrival, isRun } from "./arrival.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ServerContext } from "./context.ts";
import type { Group } from "./group_reader.ts";
import type { Reports } from "./reports.ts";
import { type ReceiveEvents, WaitingMessages } from "./waiting_messages.ts";

/** Answers requests, and fails submissions, that would wait for the store. */
export class EarlyAnswers {
  readonly #context: ServerContext;
  readonly #arrivals: Arrivals;
  readonly #events: ReceiveEvents;
  readonly #waiting: WaitingMessages;
  /** Requests that were answered and acknowledged before their group. */
  readonly #acknowledged = new Set<Arrival>();

  constructor(
    context: ServerContext,
    arrivals: Arrivals,
    reports: Pick<Reports, "addReadings">,
    events: ReceiveEvents,
  ) {
    this.#context = context;
    this.#arrivals = arrivals;
    this.#events = events;
    this.#waiting = new WaitingMessages(context, arrivals, reports, {
      onReceive: () => events.onReceive(),
      onRequest: (request) => this.answer(request),
    });
  }

  /** Adds a message or a run that arrives while the store fails. */
  push(message: Arrival): void {
    const { topics, store } = this.#context;
    if (!isRun(message) && message.topic === topics.request) {
      // The broker does not limit their number at QoS 0, nor at QoS 1 if each is
      // acknowledged at once: they are not kept.
      if (message.qos === 0 || store.shared !== undefined) {
        this.#events.onRequest(message);
        this.#acknowledge(message);
        return;
      }
    }
    this.#waiting.push(message);
  }

  /** Answers requests, fails submissions: those given, and those that wait. */
  release(
    { requests, submissions }: Pick<Group, "requests" | "submissions">,
    problem: StoreError,
  ): void {
    for (const request of requests) this.answer(request);
    this.#waiting.note();
    const arrived = this.#arrivals.takeSubmissions();
    for (const submission of [...submissions, ...arrived]) {
      submission.fail("store-failing", problem.message);
    }
  }

  /**
   * Answers a request while the store fails. A shared store fails for seconds
   * when a master of Redis is replaced: if this server ended meanwhile, another
   * one would get the request, and answer it again. So it is acknowledged at
   * once, before the readings that arrived before it.
   */
  answer(request: Incoming): void {
    this.#events.onRequest(request);
    if (this.#context.store.shared === undefined || request.qos === 0) return;
    this.#acknowledge(request);
    this.#acknowledged.add(request);
  }

  /** Acknowledges a request before the readings that arrived before it. */
  #acknowledge(request: Incoming): void {
    const { link } = this.#context;
    link.acknowledgeLater?.(request);
    link.acknowledge([request]);
  }

  /** Returns the messages of a group that must still be acknowledged. */
  withoutAcknowledged(messages: readonly Arrival[]): readonly Arrival[] {
    if (this.#acknowledged.size === 0) return messages;
    return messages.filter((one) => !this.#acknowledged.delete(one));
  }
}
