/**
 * The state of the broker: sessions, subscriptions, retained messages and wills.
 * It has no input or output and no timers.
 *
 * @module
 */
import { isShared, parseFilter } from "./codec/topic_names.ts";
import type { Message } from "./message.ts";
import { NO_PERSISTENCE, type Persistence } from "./persistence/persistence.ts";
import {
  type RetainedLimits,
  RetainedStore,
} from "./retained/retained_store.ts";
import type { SessionLimits } from "./sessions/context.ts";
import { CountedPersistence } from "./sessions/counted_persistence.ts";
import type { DeliveryRules } from "./sessions/receive_rights.ts";
import type { QueuedDelivery } from "./sessions/queued_delivery.ts";
import type { Session } from "./sessions/session.ts";
import { SessionRegistry } from "./sessions/session_registry.ts";
import {
  deliverTo,
  type Subscription,
  type SubscriptionOptions,
} from "./sessions/subscription.ts";
import { SubscriptionIndex } from "./sessions/subscription_index.ts";
import { Counters } from "./sys/counters.ts";
import { type Will, Wills } from "./wills/wills.ts";

/** Limits whose reaching the router reports, as in `LIMIT_NAMES`. */
export type RouterLimit =
  | "mqtt-retained"
  | "mqtt-session-bytes"
  | "mqtt-session-queue"
  | "mqtt-sessions"
  | "mqtt-subscriptions";

/** Options of {@linkcode Router}. */
export interface RouterOptions {
  /** Returns the time, in ms since 1970. */
  readonly clock: () => number;
  /** Default: nothing is kept. */
  readonly persistence?: Persistence;
  readonly sessionLimits: SessionLimits;
  /** Counts dropped messages and expired sessions. Default: a new one. */
  readonly counters?: Counters;
  readonly retainedLimits: RetainedLimits;
  /** Who may receive what. Default: all receive all. */
  readonly rules?: DeliveryRules;
  /**
   * Publishes a will: checks whether its publisher may, passes it to the
   * server, and calls {@linkcode Router.publish}.
   */
  readonly publishWill: (will: Will) => void;
  /**
   * Called when a limit refuses or drops messages, or ends a session.
   *
   * @param limit its name
   * @param clientId the client; undefined: the server, or several clients
   * @param count of messages or sessions
   */
  readonly onLimit?: (
    limit: RouterLimit,
    clientId: string | undefined,
    count: number,
  ) => void;
  /**
   * Called when a session becomes full and drops messages, and again only after
   * it was empty.
   */
  readonly onFull?: (clientId: string) => void;
}

/**
 * Reason codes of {@linkcode Router.publish}: success, no matching subscribers,
 * quota exceeded (MQTT 5, 3.4.2.1).
 */
export type PublishReason = 0x00 | 0x10 | 0x97;

/** The answer to one filter of a SUBSCRIBE. */
export interface SubscribeResult {
  /**
   * The granted QoS, or a failure: 0x8F invalid filter, 0x97 too many
   * subscriptions (MQTT 5, 3.9.3; 0x80 in MQTT 3.1.1).
   */
  readonly reason: 0 | 1 | 2 | 0x8f | 0x97;
  /**
   * Sends the retained messages; undefined: there are none to send. Call
   * `next()` after the SUBACK was sent, and until it is done, also if a kept
   * session is disconnected meanwhile. It yields true after about a hundredth
   * of a ms of work, and false if it has to wait until the client has
   * acknowledged or read something.
   */
  readonly retained: Iterator<boolean, void> | undefined;
}

/** Routes messages to sessions. */
export class Router {
  /** The sessions. */
  readonly sessions: SessionRegistry;
  /** The retained messages. */
  readonly retained: RetainedStore;
  /** The wills that wait. */
  readonly wills: Wills;
  /** Messages that were dropped, and sessions that have expired. */
  readonly counters: Counters;
  readonly #options: RouterOptions;
  readonly #persistence: CountedPersistence;
  readonly #index: SubscriptionIndex;

  constructor(options: RouterOptions) {
    const { clock, rules, sessionLimits: limits } = options;
    const persistence = this.#persistence = new CountedPersistence(
      options.persistence ?? NO_PERSISTENCE,
    );
    const onLimit = options.onLimit;
    const counters = this.counters = options.counters ?? new Counters();
    this.#options = options;
    this.#index = new SubscriptionIndex(rules);
    this.retained = new RetainedStore({
      ...{ clock, persistence, limits: options.retainedLimits },
      onRefused: ({ publisher }) => onLimit?.("mqtt-retained", publisher, 1),
    });
    this.wills = new Wills({
      ...{ clock, persistence, publish: options.publishWill },
      onHeld: (message) => this.sessions.budget.add(message),
      onReleased: (message) => this.sessions.budget.remove(message),
    });
    this.sessions = new SessionRegistry({
      ...{ clock, persistence, limits, rules, wills: this.wills },
      onDropped: (clientId) => this.#countDropped(clientId, 1),
      onStateChanged: (filters) => this.#index.refresh(filters),
      onFull: (clientId) => options.onFull?.(clientId),
      onRightsChanged: () => this.#index.rightsChanged(),
      onReturned: (deliveries) => this.#redeliver(deliveries),
      onEnded: (session, unsent) => this.#sessionEnded(session, unsent),
      onRefused: (clientId, limit) => onLimit?.(limit, clientId, 1),
      onExpired: () => counters.expiredSessions++,
      onEvicted: ({ clientId, queue }, limit) => {
        counters.publishDropped += queue.length;
        onLimit?.(limit, clientId, 1);
      },
    });
  }

  /** The number of subscriptions. */
  get subscriptions(): number {
    return this.#index.size;
  }

  /**
   * The number of changes that were passed to the persistence. If a call
   * increases it, its success is reported to the client after the commit
   * (`persistence.afterCommit`); otherwise there is nothing to wait for.
   */
  get changes(): number {
    return this.#persistence.changes;
  }

  /** When {@linkcode Router.tick} has work, ms since 1970; undefined: never. */
  get nextDue(): number | undefined {
    const due = Math.min(
      this.sessions.nextDue ?? Infinity,
      this.wills.nextDue ?? Infinity,
      this.retained.nextDue ?? Infinity,
    );
    return due === Infinity ? undefined : due;
  }

  /**
   * Restores the state of the last process. Call it once, before the first
   * connection, then {@linkcode Router.tick}.
   */
  restore(): void {
    const now = this.#options.clock();
    const { retained, sessions, wills } = this.#persistence.load();
    for (const message of retained) this.retained.restore(message);
    // When the process ended, its clients were disconnected.
    const isConnected = new Set<string>();
    const kept = [...sessions].map((one) => {
      if (one.disconnectedAt === undefined) isConnected.add(one.clientId);
      return { ...one, disconnectedAt: one.disconnectedAt ?? now };
    }).sort((a, b) => a.disconnectedAt - b.disconnectedAt);
    for (const one of kept) {
      const { clientId, user, expiry, disconnectedAt } = one;
      const session = this.sessions.restore(
        clientId,
        user,
        expiry,
        disconnectedAt,
      );
      session.restoreReceived(one.receivedIds);
      for (const options of one.subscriptions) {
        this.#index.add(session, options);
      }
      for (const delivery of one.deliveries) session.queue.restore(delivery);
      if (isConnected.has(clientId)) session.save();
    }
    this.wills.restore(wills, (clientId) => {
      const session = this.sessions.get(clientId);
      if (session?.disconnectedAt === undefined) return 0;
      return session.expiry - (now - session.disconnectedAt) / 1000;
    });
    this.sessions.enforceLimits();
  }

  /**
   * Ends what has expired, and publishes the wills that are due, for a few ms.
   * Call it about once a second, or at {@linkcode Router.nextDue}.
   *
   * @returns true if more is due: call it again in another turn
   */
  tick(): boolean {
    const now = this.#options.clock();
    this.wills.tick(now);
    this.sessions.tick(now);
    this.retained.tick(now);
    return (this.nextDue ?? Infinity) <= now;
  }

  /**
   * Publishes a message: stores it if RETAIN is set, and delivers it to all
   * sessions that have subscribed.
   *
   * @param message its publisher may publish it
   * @param mayRefuse true if the publisher receives the reason (MQTT 5, QoS 1
   * and 2): then a message that cannot be retained is refused as a whole.
   * Otherwise it is delivered, but not retained
   * @returns the reason code for its publisher
   */
  publish(message: Message, mayRefuse = false): PublishReason {
    if (message.retain) {
      if (mayRefuse && !this.retained.hasRoom(message)) {
        this.#options.onLimit?.("mqtt-retained", message.publisher, 1);
        return 0x97;
      }
      this.retained.set(message);
    }
    const match = this.#index.match(message.topic);
    const { connected, groups } = match;
    for (let i = 0; i < connected.length; i++) {
      deliverTo(connected[i]!, message);
    }
    if (message.qos > 0) {
      const { away, full } = match;
      for (let i = 0; i < away.length; i++) deliverTo(away[i]!, message);
      if (full > 0) this.#countDropped(undefined, full);
    }
    for (let i = 0; i < groups.length; i++) {
      groups[i]!.deliver(message, this.#conditionOf(message));
    }
    return match.hasSubscription ? 0x00 : 0x10;
  }

  /**
   * Returns false if no client would receive a message to a topic, now or
   * later.
   */
  hasSubscriber(topic: string): boolean {
    const { connected, away, groups } = this.#index.match(topic);
    return connected.length > 0 || away.length > 0 || groups.length > 0;
  }

  /**
   * Subscribes a session to a filter, or replaces its subscription (3.8.4).
   *
   * @param options the client may subscribe to the filter; `qos` is granted. The
   * filter is valid, except that the group of a shared subscription is checked
   * here
   */
  subscribe(session: Session, options: SubscriptionOptions): SubscribeResult {
    const { filter, qos, retainHandling } = options;
    const shared = isShared(filter);
    if (shared && parseFilter(filter) === undefined) {
      return { reason: 0x8f, retained: undefined };
    }
    const before = this.#index.get(session, filter);
    if (before === undefined && !this.#hasRoom(session, filter)) {
      this.#options.onLimit?.("mqtt-subscriptions", session.clientId, 1);
      return { reason: 0x97, retained: undefined };
    }
    const subscription = this.#index.add(session, options);
    if (subscription !== before) session.save();
    // Not for shared subscriptions (MQTT 5, 4.8.2).
    const sendsRetained = !shared && this.retained.size > 0 &&
      (retainHandling === 0 || (retainHandling === 1 && before === undefined));
    return {
      reason: qos,
      retained: sendsRetained
        ? this.#sendRetained(subscription, this.retained.sequence)
        : undefined,
    };
  }

  /**
   * Ends a subscription. What waits because of a shared one goes to another
   * member.
   *
   * @param filter exactly as subscribed (3.10.3)
   * @returns false if there is none (MQTT 5, 3.11.3: 0x11)
   */
  unsubscribe(session: Session, filter: string): boolean {
    const subscription = this.#index.get(session, filter);
    if (subscription === undefined) return false;
    this.#index.remove(subscription);
    session.save();
    if (isShared(filter)) {
      this.#redeliver(session.queue.takeShared(filter));
    }
    return true;
  }

  /**
   * Sends the retained messages of a subscription, see 3.8.4.
   *
   * @param last the number of the newest one: later ones were delivered when
   * they were published
   */
  *#sendRetained(
    subscription: Subscription,
    last: number,
  ): Generator<boolean, void> {
    const { session, options, noLocal } = subscription;
    const isCurrent = () =>
      session.subscriptions.get(options.filter) === subscription;
    for (const retained of this.retained.matching(options.filter)) {
      if (retained === undefined) {
        yield true;
        if (!isCurrent()) return;
        continue;
      }
      if (retained.sequence > last) continue;
      const { message } = retained;
      if (noLocal && message.publisher === session.clientId) continue;
      const { rules } = this.#options;
      if (rules?.mayReceive(session.identity, message.topic) === false) {
        continue;
      }
      const qos = message.qos < options.qos ? message.qos : options.qos;
      while (
        session.outlet !== undefined &&
        (!session.outlet.hasRoom || (qos > 0 && !session.queue.hasRoom))
      ) {
        yield false;
        if (!isCurrent()) return;
      }
      if (!retained.isCurrent) continue;
      session.deliver(
        message,
        qos,
        true,
        subscription.subscriptionIds,
        undefined,
      );
      yield true;
      if (!isCurrent()) return;
    }
  }

  /** Returns true if a session may have another subscription. */
  #hasRoom(
    { subscriptions, subscriptionBytes }: Session,
    filter: string,
  ): boolean {
    const limits = this.#options.sessionLimits;
    const bytes = SubscriptionIndex.bytesFor(filter);
    return subscriptions.size < limits.maxSubscriptions &&
      subscriptionBytes + bytes <= limits.maxSubscriptionBytes &&
      this.#index.bytes + bytes <= limits.maxTotalSubscriptionBytes;
  }

  #countDropped(clientId: string | undefined, count: number): void {
    this.counters.publishDropped += count;
    this.#options.onLimit?.("mqtt-session-queue", clientId, count);
  }

  #sessionEnded(session: Session, unsent: readonly QueuedDelivery[]): void {
    this.#index.removeAll(session);
    this.#redeliver(unsent);
  }

  /** Delivers what a member of a shared subscription did not receive. */
  #redeliver(deliveries: readonly QueuedDelivery[]): void {
    for (const { message, share } of deliveries) {
      this.#index.group(share!)?.deliver(message, this.#conditionOf(message));
    }
  }

  /** Returns which members of a group may receive a message. */
  #conditionOf(
    { topic }: Message,
  ): ((member: Subscription) => boolean) | undefined {
    const { rules } = this.#options;
    return rules &&
      (({ session }) => rules.mayReceive(session.identity, topic));
  }
}
