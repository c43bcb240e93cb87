/**
 * What happens to messages that arrive while the store fails.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import { type Arrival, isRun, messagesOf, payloadBytesOf } from "./arrival.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ServerContext } from "./context.ts";
import type { Reports } from "./reports.ts";

/**
 * Bytes of messages that may wait while the store fails; above this, readings
 * at QoS 0 are refused. At QoS 1 the broker's in-flight window is the limit.
 */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** Called for messages that are received or answered. */
export interface ReceiveEvents {
  /** Called before messages and submissions get their time of receipt. */
  onReceive(): void;
  /**
   * Called to answer a request. The readings before it are in the map, or the
   * store fails.
   */
  onRequest(request: Incoming): void;
}

/** Lets messages wait until the store works; answers requests at once. */
export class WaitingMessages {
  readonly #context: ServerContext;
  readonly #arrivals: Arrivals;
  readonly #reports: Pick<Reports, "addReadings">;
  readonly #events: ReceiveEvents;

  constructor(
    context: ServerContext,
    arrivals: Arrivals,
    reports: Pick<Reports, "addReadings">,
    events: ReceiveEvents,
  ) {
    this.#context = context;
    this.#arrivals = arrivals;
    this.#reports = reports;
    this.#events = events;
  }

  /** Adds a message or a run, or refuses it. */
  push(message: Arrival): void {
    const isLive = message.qos === 0;
    if (isLive && this.#arrivals.bytes > MAX_WAITING_BYTES) {
      return this.#refuse(message);
    }
    this.#arrivals.push(message);
    this.note();
  }

  /** Dates the messages that wait. Requests are answered at once. */
  note(): void {
    const { topics, clock } = this.#context;
    this.#arrivals.noteTimes(() => clock.now(), (message) => {
      this.#events.onReceive();
      if (isRun(message) || message.topic !== topics.request) return;
      this.#arrivals.markAnswered(message);
      this.#events.onRequest(message);
    });
  }

  /** Refuses messages at QoS 0: the broker does not limit their number. */
  #refuse(message: Arrival): void {
    const { link, telemetry } = this.#context;
    const count = messagesOf(message);
    telemetry.countMessages(count, payloadBytesOf(message));
    link.acknowledge([message]);
    this.#reports.addReadings({
      topic: message.topic,
      code: "overloaded",
      message: "the store fails and too many readings wait; send at QoS 1",
      count,
      sources: new Map([["", count]]),
    });
  }
}
