/**
 * What all sessions share.
 *
 * @module
 */
import type { Persistence } from "../persistence/persistence.ts";
import type { QueueBudget } from "./queue_budget.ts";
import type { QueuedDelivery } from "./queued_delivery.ts";
import type { DeliveryRules } from "./receive_rights.ts";

/** The limits of sessions. */
export interface SessionLimits {
  /** Sessions, connected or not. */
  readonly maxSessions: number;
  /** How long a session is kept after its client disconnected, in s. */
  readonly maxExpiry: number;
  /** Unacknowledged and queued messages of a session. */
  readonly maxMessages: number;
  /** Bytes of the unacknowledged and queued messages of a session. */
  readonly maxBytes: number;
  /**
   * Bytes of the unacknowledged and queued messages of all sessions, and of the
   * wills. A message in several queues counts once.
   */
  readonly maxTotalBytes: number;
  /** Unacknowledged messages that are sent to a client (4.9). */
  readonly maxInFlight: number;
  /** Subscriptions of a client. */
  readonly maxSubscriptions: number;
  /**
   * Memory of the subscriptions of a client: levels that it has in common with
   * others count.
   */
  readonly maxSubscriptionBytes: number;
  /** Memory of the subscriptions of all sessions. */
  readonly maxTotalSubscriptionBytes: number;
}

/** The defaults of {@linkcode SessionLimits}. */
export const SESSION_LIMITS: SessionLimits = {
  maxSessions: 10_000,
  maxExpiry: 7 * 24 * 3600,
  maxMessages: 1_000,
  maxBytes: 16 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
  maxInFlight: 100,
  maxSubscriptions: 1_000,
  maxSubscriptionBytes: 4 * 1024 * 1024,
  maxTotalSubscriptionBytes: 256 * 1024 * 1024,
};

/** What a session needs of the broker. */
export interface SessionContext {
  /** Returns the time, in ms since 1970. */
  readonly clock: () => number;
  readonly persistence: Persistence;
  readonly limits: SessionLimits;
  readonly budget: QueueBudget;
  /** Undefined: all clients may receive all. */
  readonly rules: DeliveryRules | undefined;
  /** Called for each message that a full session drops. */
  readonly onDropped: (clientId: string) => void;
  /**
   * Called when a session starts or stops receiving messages: its client has
   * connected or disconnected, or its queue is full while it is disconnected.
   *
   * @param clientId of the session
   * @param filters of its subscriptions
   */
  readonly onStateChanged: (
    clientId: string,
    filters: Iterable<string>,
  ) => void;
  /**
   * Called when a session becomes full, and again only after it was empty: it
   * drops new messages until it has room.
   */
  readonly onFull: (clientId: string) => void;
  /**
   * Called with messages that the client may no longer receive, for other
   * members of their shared subscriptions.
   */
  readonly onReturned: (deliveries: readonly QueuedDelivery[]) => void;
}
