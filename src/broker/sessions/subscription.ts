/**
 * Subscriptions, and who receives the messages of a topic because of them.
 *
 * @module
 */
import type { QoS } from "../../mqtt/link.ts";
import type { Message } from "../message.ts";
import type { KeptSubscription } from "../persistence/persistence.ts";
import type { Session } from "./session.ts";

/** What a SUBSCRIBE requests for one filter (3.8.3). */
export type SubscriptionOptions = KeptSubscription;

/**
 * How a session receives the messages of a topic: because of one subscription,
 * or of all that match.
 */
export interface Recipient {
  readonly session: Session;
  /** The highest granted QoS (3.3.4). */
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  readonly subscriptionIds: readonly number[] | undefined;
  /**
   * True if the session's own messages are delivered otherwise (MQTT 5,
   * 3.8.3.1).
   */
  readonly noLocal: boolean;
  /** How its own messages are delivered then; undefined: they are not. */
  readonly own: Recipient | undefined;
}

/** A subscription of a session. */
export class Subscription implements Recipient {
  readonly session: Session;
  /** As requested, with the granted QoS. */
  readonly options: SubscriptionOptions;
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  readonly subscriptionIds: readonly number[] | undefined;
  readonly noLocal: boolean;
  readonly own = undefined;

  constructor(session: Session, options: SubscriptionOptions) {
    this.session = session;
    this.options = options;
    this.qos = options.qos;
    this.retainAsPublished = options.retainAsPublished;
    const { subscriptionId } = options;
    this.subscriptionIds = subscriptionId === undefined
      ? undefined
      : [subscriptionId];
    this.noLocal = options.noLocal;
  }

  /** Returns true if another SUBSCRIBE would change nothing. */
  equals(options: SubscriptionOptions): boolean {
    const own = this.options;
    return own.filter === options.filter && own.qos === options.qos &&
      own.noLocal === options.noLocal &&
      own.retainAsPublished === options.retainAsPublished &&
      own.retainHandling === options.retainHandling &&
      own.subscriptionId === options.subscriptionId;
  }
}

/**
 * Several subscriptions of a session that match one topic: the message is
 * delivered once, at the highest QoS (MQTT 3.1.1, 3.3.5; MQTT 5, 3.3.4).
 */
export class Overlap implements Recipient {
  readonly session: Session;
  qos: QoS;
  retainAsPublished: boolean;
  subscriptionIds: number[] | undefined;
  noLocal: boolean;
  own: Recipient | undefined;

  constructor(first: Recipient) {
    this.session = first.session;
    this.qos = first.qos;
    this.retainAsPublished = first.retainAsPublished;
    this.subscriptionIds = first.subscriptionIds?.slice();
    this.noLocal = first.noLocal;
    this.own = first.noLocal ? undefined : first;
  }

  /** Adds another subscription of the same session. */
  add(other: Subscription): void {
    if (other.noLocal) {
      this.noLocal = true;
    } else if (this.own === undefined) {
      this.own = other;
    } else {
      const own = this.own instanceof Overlap
        ? this.own
        : new Overlap(this.own);
      own.#merge(other);
      this.own = own;
    }
    this.#merge(other);
  }

  #merge(other: Subscription): void {
    if (other.qos > this.qos) this.qos = other.qos;
    this.retainAsPublished ||= other.retainAsPublished;
    if (other.subscriptionIds !== undefined) {
      this.subscriptionIds = [
        ...this.subscriptionIds ?? [],
        ...other.subscriptionIds,
      ];
    }
  }
}

/**
 * Delivers a published message to a session.
 *
 * @returns false if the session does not receive it: it is its own message, or
 * it was dropped
 */
export function deliverTo(recipient: Recipient, message: Message): boolean {
  let to = recipient;
  if (to.noLocal && message.publisher === to.session.clientId) {
    if (to.own === undefined) return false;
    to = to.own;
  }
  return to.session.deliver(
    message,
    message.qos < to.qos ? message.qos : to.qos,
    to.retainAsPublished && message.retain,
    to.subscriptionIds,
    undefined,
  );
}
