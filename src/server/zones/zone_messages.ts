/**
 * Publishes the states and the events of zones.
 *
 * @module
 */
import { nextTurn } from "../../common/next_turn.ts";
import { encodeText } from "../../protocol/text.ts";
import { LinkError } from "../../mqtt/link.ts";
import { messageOf } from "../../common/errors.ts";
import type { ZoneEvent, ZoneState } from "../../zones/mod.ts";
import type { ServerContext } from "../context.ts";

/** Unacknowledged messages from which further ones wait. */
const MAX_IN_FLIGHT_MESSAGES = 256;
/** Messages of one turn of the event loop: about a millisecond. */
const TURN_MESSAGES = 64;
/**
 * Events that wait for the broker; above this, the oldest are dropped. One update
 * makes at most two events for each of 10,000 zones.
 */
const MAX_WAITING_EVENTS = 50_000;
/** The same of one zone: they are stored together, and published in one turn. */
const MAX_ZONE_EVENTS = 500;
/**
 * The pause before states that the broker refused, and events that it has not
 * confirmed, are published again.
 */
const RETRY_INTERVAL_MS = 10_000;
/** States that the broker refused; above this, the oldest are dropped. */
const MAX_REFUSED_STATES = 20_000;
const NOTHING = new Uint8Array();
const STATE = {
  qos: 1,
  retain: true,
  contentType: "application/json",
} as const;
const EVENT = { qos: 1, contentType: "application/json" } as const;

/** Called by {@linkcode ZoneMessages}. */
export interface ZoneMessageEvents {
  /** The broker has events of a zone, or they were dropped. */
  onEventsDone(zone: string): void;
  /** The broker has deleted the state of a zone. */
  onCleared(zone: string): void;
}

/** What is to be published of a zone. */
interface Outgoing {
  /** Null: the retained state is deleted; undefined: nothing. */
  state: ZoneState | null | undefined;
  /** Without an acknowledgement, the oldest first. */
  readonly events: ZoneEvent[];
  /** The number of them, from the first, that were published. */
  published: number;
  /** The number of those that may be acknowledged still. */
  inFlight: number;
}

/**
 * Publishes states and events, the state of a zone before its events. A state
 * that the broker refuses is published again each 10 s and after a connect, until
 * there is a newer one; an event is dropped. Events of which it is unknown
 * whether the broker has them are published again at the same times, in order,
 * until a newer one of the zone is acknowledged.
 *
 * States are not queued: while the broker is slow or disconnected, a state
 * replaces an older one that was not published yet. Events wait, in order.
 */
export class ZoneMessages {
  readonly #context: Pick<
    ServerContext,
    "leadership" | "link" | "log" | "status" | "telemetry" | "topics"
  >;
  readonly #events: ZoneMessageEvents;
  /** By zone. */
  readonly #outgoing = new Map<string, Outgoing>();
  /** Zones with something to publish, in turn. */
  readonly #queue = new Set<string>();
  /** The events that were not published, the oldest first. */
  readonly #waiting = new Set<ZoneEvent>();
  /** By zone: the state that was published last, without an acknowledgement. */
  readonly #lastStates = new Map<string, ZoneState | null>();
  /** By zone: states that the broker refused, the oldest first. */
  readonly #refused = new Map<string, ZoneState | null>();
  /** Zones with events of which it is unknown whether the broker has them. */
  readonly #unconfirmed = new Set<string>();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #inFlight = 0;
  #isScheduled = false;
  #stopped = false;
  #drained: PromiseWithResolvers<void> | undefined;
  /** The time that publishing has taken, in ms. */
  cost = 0;

  constructor(
    context: Pick<
      ServerContext,
      "leadership" | "link" | "log" | "status" | "telemetry" | "topics"
    >,
    events: ZoneMessageEvents,
  ) {
    this.#context = context;
    this.#events = events;
  }

  /** Resolves when the broker has acknowledged everything. */
  async drained(): Promise<void> {
    while (this.#queue.size > 0 || this.#inFlight > 0) {
      this.#drained ??= Promise.withResolvers<void>();
      await this.#drained.promise;
    }
  }

  /** Publishes a state. */
  setState(state: ZoneState): void {
    this.#refused.delete(state.zone);
    this.#of(state.zone).state = state;
    this.#enqueue(state.zone);
  }

  /** Deletes the retained state of a zone. */
  clear(zone: string): void {
    this.#refused.delete(zone);
    this.#of(zone).state = null;
    this.#enqueue(zone);
  }

  /** Publishes events of a zone, in order, after its present state. */
  addEvents(zone: string, events: readonly ZoneEvent[]): void {
    if (events.length === 0) return;
    const outgoing = this.#of(zone);
    for (const event of events) {
      outgoing.events.push(event);
      this.#waiting.add(event);
      if (outgoing.events.length > MAX_ZONE_EVENTS) {
        this.#drop(outgoing.events[outgoing.published]!);
      }
    }
    this.#enqueue(zone);
    while (this.#waiting.size > MAX_WAITING_EVENTS) {
      const [oldest] = this.#waiting;
      this.#drop(oldest!);
    }
  }

  /** Returns the events of a zone that the broker may not have. */
  eventsOf(zone: string): readonly ZoneEvent[] {
    return this.#outgoing.get(zone)?.events ?? [];
  }

  /** Continues after a connect. */
  connected(): void {
    this.#retry();
    this.#schedule();
  }

  /** Drops what is not published: another server leads. */
  clearAll(): void {
    this.#outgoing.clear();
    this.#queue.clear();
    this.#waiting.clear();
    this.#lastStates.clear();
    this.#refused.clear();
    this.#unconfirmed.clear();
    this.#resolveDrained();
  }

  /** Publishes nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
  }

  #of(zone: string): Outgoing {
    let outgoing = this.#outgoing.get(zone);
    if (outgoing === undefined) {
      outgoing = { state: undefined, events: [], published: 0, inFlight: 0 };
      this.#outgoing.set(zone, outgoing);
    }
    return outgoing;
  }

  #enqueue(zone: string): void {
    this.#queue.add(zone);
    this.#schedule();
  }

  get #canPublish(): boolean {
    return !this.#stopped && this.#queue.size > 0 &&
      this.#inFlight < MAX_IN_FLIGHT_MESSAGES &&
      this.#context.status.link.up && this.#context.leadership.isLeader;
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#canPublish) return;
    this.#isScheduled = true;
    nextTurn(() => {
      this.#isScheduled = false;
      this.#publishTurn();
      this.#schedule();
    });
  }

  #publishTurn(): void {
    const start = performance.now();
    const end = this.#inFlight + TURN_MESSAGES;
    for (const zone of this.#queue) {
      if (!this.#canPublish || this.#inFlight >= end) break;
      this.#queue.delete(zone);
      this.#publishZone(zone, this.#of(zone));
    }
    this.cost += performance.now() - start;
  }

  #publishZone(zone: string, outgoing: Outgoing): void {
    const { topics } = this.#context;
    const { state, events } = outgoing;
    outgoing.state = undefined;
    if (state !== undefined) {
      const payload = state === null ? NOTHING : encode(state);
      this.#lastStates.set(zone, state);
      void this.#publish(topics.zone(zone), payload, STATE).then((result) => {
        const isLast = this.#lastStates.get(zone) === state;
        if (isLast) this.#lastStates.delete(zone);
        if (isLast && result === "refused") this.#onRefused(zone, state);
        else if (result === "done" && state === null) {
          this.#events.onCleared(zone);
        }
        this.#forget(zone);
      });
    }
    while (outgoing.published < events.length) {
      const event = events[outgoing.published++]!;
      this.#waiting.delete(event);
      outgoing.inFlight++;
      void this.#publish(topics.zoneEvent(zone), encode(event), EVENT)
        .then((result) => {
          outgoing.inFlight--;
          if (result === "closed") this.#onUnconfirmed(zone);
          else this.#onDone(zone, event);
        });
    }
    this.#forget(zone);
  }

  /**
   * @returns resolves with "closed" if the link was closed, so that the broker
   * may not have the message
   */
  async #publish(
    topic: string,
    payload: Uint8Array,
    options: typeof STATE | typeof EVENT,
  ): Promise<"done" | "refused" | "closed"> {
    const { link, log, telemetry } = this.#context;
    this.#inFlight++;
    try {
      await link.publish(topic, payload, options);
      return "done";
    } catch (error) {
      if (error instanceof LinkError && error.code === "closed") {
        return "closed";
      }
      telemetry.stats.limited.add("zone-messages");
      log.warnLimited(
        "zone-message",
        `Cannot publish on ${topic}: ${messageOf(error)}`,
      );
      return "refused";
    } finally {
      this.#inFlight--;
      this.#schedule();
      this.#resolveDrained();
    }
  }

  /** Publishes a state again later, unless there is a newer one. */
  #onRefused(zone: string, state: ZoneState | null): void {
    if (this.#stopped || this.#outgoing.get(zone)?.state !== undefined) return;
    this.#refused.delete(zone);
    this.#refused.set(zone, state);
    if (this.#refused.size > MAX_REFUSED_STATES) {
      const [oldest] = this.#refused;
      this.#refused.delete(oldest![0]);
      if (oldest![1] === null) this.#events.onCleared(oldest![0]);
    }
    this.#retryLater();
  }

  #onUnconfirmed(zone: string): void {
    if (this.#stopped || !this.#outgoing.has(zone)) return;
    this.#unconfirmed.add(zone);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => this.#retry(), RETRY_INTERVAL_MS);
  }

  #retry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#retryUnconfirmed();
    const refused = [...this.#refused];
    this.#refused.clear();
    for (const [zone, state] of refused) {
      this.#of(zone).state = state;
      this.#enqueue(zone);
    }
  }

  #retryUnconfirmed(): void {
    if (!this.#context.status.link.up) return; // after the connect
    for (const zone of this.#unconfirmed) {
      const outgoing = this.#outgoing.get(zone);
      if (outgoing !== undefined && outgoing.inFlight > 0) {
        // If the broker has those, the others are done too.
        this.#retryLater();
        continue;
      }
      this.#unconfirmed.delete(zone);
      if (outgoing === undefined || outgoing.published === 0) continue;
      outgoing.published = 0;
      for (const event of outgoing.events) this.#waiting.add(event);
      this.#enqueue(zone);
    }
  }

  #resolveDrained(): void {
    if (this.#inFlight > 0 || this.#queue.size > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** After a newer event, an older one must not be published again. */
  #onDone(zone: string, event: ZoneEvent): void {
    const outgoing = this.#outgoing.get(zone);
    const count = (outgoing?.events.indexOf(event) ?? -1) + 1;
    if (outgoing !== undefined && count > 0) {
      outgoing.published = Math.max(0, outgoing.published - count);
      this.#remove(zone, outgoing, 0, count);
    }
    this.#forget(zone);
  }

  #remove(zone: string, { events }: Outgoing, from: number, count = 1): void {
    for (const event of events.splice(from, count)) this.#waiting.delete(event);
    this.#events.onEventsDone(zone);
  }

  /** Drops an event that was not published. */
  #drop(event: ZoneEvent): void {
    const { telemetry, log } = this.#context;
    telemetry.stats.limited.add("zone-events");
    log.warnLimited(
      "zone-events",
      `Events of zones were dropped: more than ${MAX_ZONE_EVENTS} of a zone, or ${MAX_WAITING_EVENTS} of all, wait for the broker. Check the connection to the broker`,
    );
    const outgoing = this.#outgoing.get(event.zone);
    const at = outgoing?.events.indexOf(event) ?? -1;
    if (outgoing === undefined || at === -1) return;
    this.#remove(event.zone, outgoing, at);
    this.#forget(event.zone);
  }

  /** Removes a zone with nothing to publish. */
  #forget(zone: string): void {
    const outgoing = this.#outgoing.get(zone);
    if (
      outgoing?.state === undefined && outgoing?.events.length === 0 &&
      !this.#queue.has(zone)
    ) this.#outgoing.delete(zone);
  }
}

function encode(message: ZoneState | ZoneEvent): Uint8Array<ArrayBuffer> {
  return encodeText(JSON.stringify(message));
}
