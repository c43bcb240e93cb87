import type { Incoming, Link } from "../mqtt/link.ts";
import type { Entry, Store } from "../store/store.ts";
import type { ReceiptClock } from "./clock.ts";

/**
 * How long the marker may take, in ms; what comes later is taken as new. Long,
 * for much may wait; but a broker whose rules forbid the marker may not say so.
 */
const DEADLINE = 300_000;
/** How often it is noted that the server is there, in ms. */
const NOTED = 60_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a {@linkcode Backlog} is given. */
export interface BacklogOptions {
  readonly link: Link;
  /** A topic of the server's own, subscribed to by its link. */
  readonly topic: string;
  readonly clock: ReceiptClock;
  readonly store: Store;
  /** Deals with all that has arrived; false if it waits for the store. */
  readonly flush: () => boolean;
  /** Keeps an entry; false if the store fails just now. */
  readonly keep: (entry: Entry) => boolean;
}

/**
 * Tells what waited in the broker while the server was away from what is new,
 * so that nothing old is dated as if it were observed now.
 *
 * MQTT does not say how long a message has waited. But it keeps order (MQTT 5,
 * 4.6): a QoS 1 message that the server sends itself comes behind all that
 * waited. And since when messages may have waited, the store knows: once a
 * minute it is noted there that the server has taken in all that there was.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  /** True from when the server goes until all that waited has come. */
  #pending = true;
  /** True once all that waited has come, until it has been dealt with. */
  #ending = false;
  #notedAt = -Infinity;
  /** What the marker under way says; undefined if none is. */
  #marker: string | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Begins, with what the store knows from before. */
  start(): void {
    const { lastAlive } = this.#options.store;
    if (lastAlive !== undefined) this.#options.clock.away(lastAlive);
  }

  /** The connection is lost. */
  lost(): void {
    const { clock, flush } = this.#options;
    flush();
    this.#wait(undefined);
    this.#ending = false;
    this.#pending = true;
    clock.away(clock.now());
  }

  /** The connection is there: what waits comes first, if the broker has kept any. */
  back(): void {
    const { link, topic } = this.#options;
    if (link.sessionPresent !== true) return this.#end();
    // Unlike any other: one of an earlier connection may come late.
    const marker = `backlog ${crypto.randomUUID()}`;
    this.#wait(marker);
    link.publish(topic, encoder.encode(marker), { qos: 1 }).catch(() => {
      if (this.#marker === marker) this.#end();
    });
  }

  /** Once a second or so: notes now and then that the server is there. */
  tick(): void {
    this.#settle();
    const passed = this.#options.clock.now() - this.#notedAt;
    if (Math.abs(passed) >= NOTED) this.#note();
  }

  /** True if the message is a marker: it is dealt with here. */
  stops(message: Incoming): boolean {
    const { link, topic } = this.#options;
    if (message.topic !== topic) return false;
    const marker = decoder.decode(message.payload);
    if (!marker.startsWith("backlog ")) return false;
    link.acknowledge([message]);
    if (marker === this.#marker) this.#end();
    return true;
  }

  /** Ends it: from now on messages wait. */
  stop(): void {
    this.#note();
    this.#wait(undefined);
  }

  #end(): void {
    this.#wait(undefined);
    this.#ending = true;
    this.#settle();
  }

  /** What came before the marker must be dated as it must be, before new is new. */
  #settle(): void {
    const { flush, clock } = this.#options;
    if (!this.#ending || !flush()) return;
    this.#ending = false;
    clock.caughtUp();
    this.#pending = false;
    this.#note();
  }

  #wait(marker: string | undefined): void {
    clearTimeout(this.#deadline);
    this.#marker = marker;
    if (marker !== undefined) {
      this.#deadline = setTimeout(() => this.#end(), DEADLINE);
    }
  }

  #note(): void {
    const { link, store, clock, keep } = this.#options;
    const keepsSession = link.sessionPresent !== undefined;
    if (this.#pending || !keepsSession || !store.durable) return;
    const now = clock.now();
    if (keep({ kind: "alive", now })) this.#notedAt = now;
  }
}
