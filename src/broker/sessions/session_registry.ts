/**
 * The sessions of all clients.
 *
 * @module
 */
import type { Identity } from "../access/access.ts";
import { Deadlines } from "../../common/deadlines.ts";
import type { Will, Wills } from "../wills/wills.ts";
import type { SessionContext } from "./context.ts";
import type { Outlet } from "./outlet.ts";
import { QueueBudget } from "./queue_budget.ts";
import type { QueuedDelivery } from "./queued_delivery.ts";
import { Session } from "./session.ts";

/** What an accepted CONNECT requests. */
export interface ConnectRequest {
  readonly identity: Identity;
  /** Clean Session (MQTT 3.1.1, 3.1.2.4), Clean Start (MQTT 5, 3.1.2.4). */
  readonly cleanStart: boolean;
  /**
   * Session Expiry Interval, in s (MQTT 5, 3.1.2.11.2); 0xFFFFFFFF is Infinity.
   * MQTT 3.1.1: 0 if Clean Session is set, otherwise Infinity.
   */
  readonly expiry: number;
  readonly will: Will | undefined;
  /** The connection. Nothing is sent before {@linkcode Session.resume}. */
  readonly outlet: Outlet;
}

/** The answer to a CONNECT. */
export type ConnectResult =
  | {
    /** `session.expiry` is what is granted (MQTT 5, 3.2.2.3.2). */
    readonly session: Session;
    /** Session Present (3.2.2.1.1). */
    readonly isPresent: boolean;
    readonly refused?: undefined;
  }
  | {
    /**
     * - `other-user`: the session belongs to another user. CONNACK 2, 0x85
     * - `too-many-sessions`: all sessions are connected. CONNACK 3, 0x97
     * - `will-memory`: there is no memory for its will. CONNACK 3, 0x97
     */
    readonly refused: "other-user" | "too-many-sessions" | "will-memory";
    readonly session?: undefined;
  };

/** How a connection ended. */
export interface ConnectionEnd {
  /**
   * False after a DISCONNECT that deletes the will: 0x00 in MQTT 5, any in MQTT
   * 3.1.1 (3.14.4).
   */
  readonly publishWill: boolean;
  /**
   * MQTT 5: Session Expiry Interval of the DISCONNECT, in s. The caller refuses
   * one above 0 if the session ends with the connection (3.14.2.2.2).
   */
  readonly expiry?: number | undefined;
}

/** What the registry needs of the broker. */
export interface RegistryOptions
  extends Omit<SessionContext, "budget" | "onStateChanged"> {
  readonly wills: Wills;
  /** See {@linkcode SessionContext}. */
  readonly onStateChanged: (filters: Iterable<string>) => void;
  /** Called when a client has another user or role than before. */
  readonly onRightsChanged: () => void;
  /**
   * Called when a session has ended: removes its subscriptions.
   *
   * @param unsent deliveries of shared subscriptions, for other members
   */
  readonly onEnded: (
    session: Session,
    unsent: readonly QueuedDelivery[],
  ) => void;
  /** Called when a client is refused because of a limit. */
  readonly onRefused: (
    clientId: string,
    limit: "mqtt-sessions" | "mqtt-session-bytes",
  ) => void;
  /** Called when a session ends because its client did not return in time. */
  readonly onExpired: () => void;
  /** Called before a session is ended because of a limit. */
  readonly onEvicted: (
    session: Session,
    limit: "mqtt-sessions" | "mqtt-session-bytes",
  ) => void;
}

/** At the limit of bytes, sessions are ended until this share is free. */
const FREE_SHARE = 1 / 64;
/** Messages and subscriptions that are removed in one call. */
const WORK_IN_TICK = 5_000;
/** What ending a session costs besides its messages and subscriptions. */
const SESSION_WORK = 10;

/** Creates, resumes and ends sessions (MQTT 3.1.1, 3.1.2.4; MQTT 5, 4.1). */
export class SessionRegistry implements Iterable<Session> {
  readonly #options: RegistryOptions;
  readonly #context: SessionContext;
  readonly #sessions = new Map<string, Session>();
  /** The one that has been disconnected longest is the first. */
  readonly #disconnected = new Set<Session>();
  readonly #ends = new Deadlines<Session>();
  /** Full sessions whose next message expires. */
  readonly #unblocks = new Deadlines<Session>();
  /** The bytes and number of messages in all queues. */
  readonly budget: QueueBudget;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const { clock, persistence, limits, rules } = options;
    const { onDropped, onFull, onReturned } = options;
    this.budget = new QueueBudget(
      limits.maxTotalBytes,
      () => this.#freeMemory(),
    );
    this.#context = {
      ...{ clock, persistence, limits, rules },
      ...{ onDropped, onFull, onReturned },
      budget: this.budget,
      onStateChanged: (clientId, filters) => {
        this.#watchExpiry(clientId);
        options.onStateChanged(filters);
      },
    };
  }

  /** The number of sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The number of sessions whose clients are connected. */
  get connected(): number {
    return this.#sessions.size - this.#disconnected.size;
  }

  /** When {@linkcode SessionRegistry.tick} has work, ms since 1970. */
  get nextDue(): number | undefined {
    const due = Math.min(
      this.#ends.next ?? Infinity,
      this.#unblocks.next ?? Infinity,
    );
    return due === Infinity ? undefined : due;
  }

  /** Returns how long a session is kept, in s, if a client requests a time. */
  grantedExpiry(requested: number): number {
    return Math.min(requested, this.#options.limits.maxExpiry);
  }

  /** Returns the session of a client. */
  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values();
  }

  /**
   * Creates or resumes the session of a client. A present connection of the
   * client is disconnected (3.1.4). Then send CONNACK, and call
   * {@linkcode Session.resume} in the same turn.
   */
  connect(request: ConnectRequest): ConnectResult {
    const { identity, outlet, will } = request;
    const { clientId } = identity;
    if (will !== undefined && !this.budget.hasRoom(will.message)) {
      this.#options.onRefused(clientId, "mqtt-session-bytes");
      return { refused: "will-memory" };
    }
    let session = this.#sessions.get(clientId);
    if (session?.user !== undefined && session.user !== identity.user) {
      return { refused: "other-user" };
    }
    if (session !== undefined) {
      if (session.owner !== undefined) {
        this.#takeOver(session, request.cleanStart);
      }
      if (request.cleanStart || session.expiry === 0) {
        this.end(session);
        session = undefined;
      }
    }
    const isPresent = session !== undefined;
    if (session === undefined) {
      if (!this.#makeRoom()) {
        this.#options.onRefused(clientId, "mqtt-sessions");
        return { refused: "too-many-sessions" };
      }
      session = new Session(identity, this.#context);
      this.#sessions.set(clientId, session);
    } else this.#identify(session, identity);
    this.#disconnected.delete(session);
    this.#ends.delete(session);
    this.#unblocks.delete(session);
    session.owner = outlet;
    session.disconnectedAt = undefined;
    this.#setExpiry(session, request.expiry);
    session.save();
    this.#options.wills.connected(clientId, will, session.isKept);
    return { session, isPresent };
  }

  /**
   * Handles the end of a connection. Ignores that of a connection whose session
   * another one has taken over.
   */
  disconnect(session: Session, outlet: Outlet, end: ConnectionEnd): void {
    if (session.owner !== outlet) return;
    this.#detach(session);
    // A session that ends with its connection cannot be kept (3.14.2.2.2).
    if (end.expiry !== undefined && session.isKept) {
      this.#setExpiry(session, end.expiry);
    }
    const { clientId, expiry } = session;
    this.#options.wills.disconnected(clientId, end.publishWill, expiry);
    if (!session.isKept) {
      this.end(session);
      return;
    }
    const now = this.#options.clock();
    session.disconnectedAt = now;
    this.#disconnected.add(session);
    this.budget.retry();
    if (expiry !== Infinity) this.#ends.set(session, now + expiry * 1000);
    session.save();
  }

  /** Publishes a will before the process ends (MQTT 5, 3.1.2.5). */
  publishWill(session: Session, outlet: Outlet): void {
    if (session.owner !== outlet) return;
    const { clientId, expiry } = session;
    this.#options.wills.disconnected(clientId, true, expiry);
  }

  /**
   * Ends a session: disconnects its client, publishes a will that waits, and
   * deletes its state.
   */
  end(session: Session): void {
    const { clientId, owner } = session;
    if (this.#sessions.get(clientId) !== session) return;
    if (owner !== undefined) {
      this.#detach(session);
      owner.disconnect(0x98);
      this.#options.wills.disconnected(clientId, true, 0);
    }
    this.#sessions.delete(clientId);
    this.#disconnected.delete(session);
    this.#ends.delete(session);
    this.#unblocks.delete(session);
    const unsent = session.queue.clear();
    if (session.isKept) this.#options.persistence.deleteSession(clientId);
    this.#options.onEnded(session, unsent);
    this.#options.wills.sessionEnded(clientId);
  }

  /**
   * Ends sessions that have expired, and removes expired messages, for a few
   * ms.
   */
  tick(now: number): void {
    for (let work = 0; work < WORK_IN_TICK;) {
      const ended = this.#ends.takeDue(now);
      const unblocked = this.#unblocks.takeDue(now);
      const session = ended ?? unblocked;
      if (session === undefined) return;
      work += SESSION_WORK + session.queue.length + session.subscriptions.size;
      unblocked?.queue.unblock();
      if (ended !== undefined) {
        this.#options.onExpired();
        this.end(ended);
      }
    }
  }

  /**
   * Restores a session at the start, without its subscriptions. Call it before
   * the first connection, with the longest disconnected one first.
   *
   * @param expiry as kept, in s
   * @param disconnectedAt ms since 1970
   */
  restore(
    clientId: string,
    user: string | undefined,
    expiry: number,
    disconnectedAt: number,
  ): Session {
    const identity = { clientId, user, isAdministrator: false };
    const session = new Session(identity, this.#context);
    session.expiry = this.grantedExpiry(expiry);
    session.disconnectedAt = disconnectedAt;
    this.#sessions.set(clientId, session);
    this.#disconnected.add(session);
    if (session.expiry !== Infinity) {
      this.#ends.set(session, disconnectedAt + session.expiry * 1000);
    }
    return session;
  }

  /** Ends sessions above the limits, after all were restored. */
  enforceLimits(): void {
    while (this.size > this.#options.limits.maxSessions) {
      if (!this.#evict("mqtt-sessions")) return;
    }
  }

  /** Disconnects the present connection of a session. */
  #takeOver(session: Session, cleanStart: boolean): void {
    const { clientId, owner } = session;
    this.#detach(session);
    owner!.disconnect(0x8e);
    // If the session continues, only a will without a delay is published.
    const expiry = cleanStart ? 0 : session.expiry;
    this.#options.wills.disconnected(clientId, true, expiry);
  }

  #detach(session: Session): void {
    session.pause();
    session.owner = undefined;
  }

  #identify(session: Session, identity: Identity): void {
    const before = session.identity;
    session.identity = identity;
    if (
      before.user !== identity.user ||
      before.isAdministrator !== identity.isAdministrator
    ) this.#options.onRightsChanged();
  }

  #setExpiry(session: Session, expiry: number): void {
    const wasKept = session.isKept;
    session.expiry = this.grantedExpiry(expiry);
    if (wasKept && !session.isKept) {
      this.#options.persistence.deleteSession(session.clientId);
    }
  }

  /** Lets a full session receive again when one of its messages expires. */
  #watchExpiry(clientId: string): void {
    const session = this.#sessions.get(clientId);
    const expiry = session?.queue.nextExpiry;
    if (session?.queue.isBlocked && expiry !== undefined) {
      this.#unblocks.set(session, expiry);
    }
  }

  #makeRoom(): boolean {
    const { limits } = this.#options;
    if (this.size < limits.maxSessions) return true;
    return this.#evict("mqtt-sessions");
  }

  /** Ends the session that has been disconnected longest. */
  #evict(limit: "mqtt-sessions" | "mqtt-session-bytes"): boolean {
    for (const session of this.#disconnected) {
      if (limit === "mqtt-session-bytes" && session.queue.length === 0) {
        continue;
      }
      this.#options.onEvicted(session, limit);
      this.end(session);
      return true;
    }
    return false;
  }

  #freeMemory(): boolean {
    const { maxTotalBytes } = this.#options.limits;
    let isFreed = false;
    do {
      if (!this.#evict("mqtt-session-bytes")) break;
      isFreed = true;
    } while (this.budget.bytes > maxTotalBytes * (1 - FREE_SHARE));
    return isFreed;
  }
}
