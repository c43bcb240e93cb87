/**
 * Wills that wait for their delay (MQTT 5, 3.1.3.2.2).
 *
 * @module
 */
import { Deadlines } from "../../common/deadlines.ts";
import type { Message } from "../message.ts";
import type { KeptWill, Persistence } from "../persistence/persistence.ts";

/** Wills that are published in one call. */
const PUBLISHED_IN_TICK = 50;

/** The will of a client (3.1.2.5). */
export interface Will {
  readonly message: Message;
  /** MQTT 5: Will Delay Interval, in s; otherwise 0. */
  readonly delay: number;
  /** The user of the client; undefined: anonymous. */
  readonly user?: string | undefined;
  /**
   * MQTT 5: its Message Expiry Interval, which begins when it is published
   * (3.1.3.2.4), in s; undefined: it does not expire.
   */
  readonly expiryInterval?: number | undefined;
}

/** Options of {@linkcode Wills}. */
export interface WillsOptions {
  /** Returns the time, in ms since 1970. */
  readonly clock: () => number;
  readonly persistence: Persistence;
  /** Publishes a will. */
  readonly publish: (will: Will) => void;
  /** Called when a will takes memory, and when it no longer does. */
  readonly onHeld: (message: Message) => void;
  readonly onReleased: (message: Message) => void;
}

/**
 * The wills of connected clients, and of clients that have been disconnected
 * for less than the delay of their will. A will with a delay whose session is
 * kept is published after a restart too, also if its client was connected when
 * the process ended.
 */
export class Wills {
  readonly #options: WillsOptions;
  readonly #ofConnected = new Map<string, Will>();
  readonly #waiting = new Map<string, Will>();
  readonly #due = new Deadlines<string>();
  /** Clients whose will the persistence has. */
  readonly #kept = new Set<string>();

  constructor(options: WillsOptions) {
    this.#options = options;
  }

  /** The number of wills that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** When the next will is due, ms since 1970; undefined: none waits. */
  get nextDue(): number | undefined {
    return this.#due.next;
  }

  /**
   * Called when a client connects and continues its session: a will that waits
   * is not published any more. If the session does not continue, call
   * {@linkcode Wills.sessionEnded} before.
   *
   * @param will of the new connection
   * @param isKept true if the session is kept
   */
  connected(clientId: string, will: Will | undefined, isKept: boolean): void {
    this.#cancel(clientId);
    this.#takeConnected(clientId);
    if (will === undefined) {
      this.#keep(clientId, undefined);
      return;
    }
    this.#ofConnected.set(clientId, will);
    this.#options.onHeld(will.message);
    const isStored = isKept && will.delay > 0;
    this.#keep(clientId, isStored ? keptWill(clientId, will) : undefined);
  }

  /**
   * Called when a connection has ended.
   *
   * @param isPublished false after a DISCONNECT that deletes the will (3.14.4)
   * @param expiry how long the session is kept, in s: the will is due at its end
   * at the latest
   */
  disconnected(clientId: string, isPublished: boolean, expiry: number): void {
    const will = this.#takeConnected(clientId);
    if (will === undefined) return;
    const delay = Math.min(will.delay, expiry);
    if (!isPublished || delay === 0) {
      this.#keep(clientId, undefined);
      if (isPublished) this.#options.publish(will);
      return;
    }
    this.#wait(clientId, will, this.#options.clock() + delay * 1000);
  }

  /** Called when a session ends: its will waits no longer. */
  sessionEnded(clientId: string): void {
    const will = this.#waiting.get(clientId);
    if (will === undefined) return;
    this.#cancel(clientId);
    this.#keep(clientId, undefined);
    this.#options.publish(will);
  }

  /** Publishes wills that are due, a few in a call. */
  tick(now: number): void {
    for (let i = 0; i < PUBLISHED_IN_TICK; i++) {
      const clientId = this.#due.takeDue(now);
      if (clientId === undefined) return;
      this.sessionEnded(clientId);
    }
  }

  /**
   * Restores the wills at the start. Those that are overdue are published by
   * the next {@linkcode Wills.tick}.
   *
   * @param expiryOf returns how long the session of a client is kept from now,
   * in s
   */
  restore(
    wills: Iterable<KeptWill>,
    expiryOf: (clientId: string) => number,
  ): void {
    const now = this.#options.clock();
    for (const { clientId, due, ...will } of wills) {
      this.#kept.add(clientId);
      const wait = Math.min(will.delay, expiryOf(clientId)) * 1000;
      this.#wait(clientId, will, due ?? now + wait);
    }
  }

  #wait(clientId: string, will: Will, due: number): void {
    this.#waiting.set(clientId, will);
    this.#options.onHeld(will.message);
    this.#due.set(clientId, due);
    this.#keep(clientId, keptWill(clientId, will, due));
  }

  #takeConnected(clientId: string): Will | undefined {
    const will = this.#ofConnected.get(clientId);
    if (will === undefined) return undefined;
    this.#ofConnected.delete(clientId);
    this.#options.onReleased(will.message);
    return will;
  }

  #cancel(clientId: string): void {
    const will = this.#waiting.get(clientId);
    if (will === undefined) return;
    this.#waiting.delete(clientId);
    this.#due.delete(clientId);
    this.#options.onReleased(will.message);
  }

  #keep(clientId: string, will: KeptWill | undefined): void {
    if (will === undefined && !this.#kept.delete(clientId)) return;
    if (will !== undefined) this.#kept.add(clientId);
    this.#options.persistence.setWill(clientId, will);
  }
}

function keptWill(clientId: string, will: Will, due?: number): KeptWill {
  const { message, delay, user, expiryInterval } = will;
  return { clientId, message, delay, due, user, expiryInterval };
}
