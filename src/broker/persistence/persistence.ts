/**
 * Keeps the state of the broker for the next start: what the other parts of the
 * broker call, independent of the store.
 *
 * @module
 */
import type { Message } from "../message.ts";

/** A subscription of a kept session. */
export interface KeptSubscription {
  /** With `$share/<group>/` if it is shared. */
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly subscriptionId: number | undefined;
}

/**
 * A session without its messages. The session passes the same object each time,
 * with its present state: it may be read when it is passed, or at the commit.
 */
export interface KeptSession {
  readonly clientId: string;
  /** The user to whom it belongs; undefined: anonymous. */
  readonly user: string | undefined;
  /** In s; Infinity: never. */
  readonly expiry: number;
  /** When the client disconnected, ms since 1970; undefined: connected. */
  readonly disconnectedAt: number | undefined;
  readonly subscriptions: readonly KeptSubscription[];
  /** Packet ids of QoS 2 messages that the client has not released (4.3.3). */
  readonly receivedIds: readonly number[];
}

/**
 * A message at QoS 1 or 2 that the client has not acknowledged. Each change is
 * passed again, as the same object: it may be read when it is passed, or at the
 * commit.
 */
export interface KeptDelivery {
  readonly message: Message;
  /** The lesser of the published and the granted QoS, see 3.8.4. */
  readonly qos: 1 | 2;
  /** RETAIN, as sent (3.3.1.3). */
  readonly retain: boolean;
  /** MQTT 5: of all subscriptions that match (3.3.4); undefined: none. */
  readonly subscriptionIds: readonly number[] | undefined;
  /** Rises within a session: the order of delivery. */
  readonly sequence: number;
  /** 0: not sent yet. */
  readonly packetId: number;
  /** True after PUBREC: only PUBREL is sent again (4.4). */
  readonly released: boolean;
  /**
   * MQTT 5: the filter of the shared subscription for which it is delivered,
   * with `$share/<group>/` (4.8.2); undefined: none.
   */
  readonly share: string | undefined;
}

/**
 * A will with a delay (MQTT 5, 3.1.3.2.2), of a client that is connected or has
 * been disconnected for less than the delay.
 */
export interface KeptWill {
  readonly clientId: string;
  readonly message: Message;
  /** In s. */
  readonly delay: number;
  /** The user of the client; undefined: anonymous. */
  readonly user: string | undefined;
  /** MQTT 5: its Message Expiry Interval, in s; undefined: never. */
  readonly expiryInterval: number | undefined;
  /**
   * When it is published, ms since 1970; undefined: the client is connected.
   */
  readonly due: number | undefined;
}

/** What was kept at the last end of the process. */
export interface KeptState {
  readonly retained: Iterable<Message>;
  readonly sessions: Iterable<
    KeptSession & { readonly deliveries: readonly KeptDelivery[] }
  >;
  readonly wills: Iterable<KeptWill>;
}

/**
 * Receives each change of the broker's state. A change is durable once a
 * callback given to {@linkcode Persistence.afterCommit} after it is called.
 */
export interface Persistence {
  /** Returns what was kept. Call it once, before the first change. */
  load(): KeptState;
  /** Sets or, with undefined, deletes the retained message of a topic. */
  setRetained(topic: string, message: Message | undefined): void;
  /** Creates or replaces a session. Its deliveries stay. */
  setSession(session: KeptSession): void;
  /** Deletes a session with its deliveries. */
  deleteSession(clientId: string): void;
  /**
   * Adds or replaces a delivery of a session, by its sequence. Called before
   * the PUBLISH is sent, and again when its packet id or `released` changes.
   */
  setDelivery(clientId: string, delivery: KeptDelivery): void;
  /** Deletes a delivery that was acknowledged, or dropped. */
  deleteDelivery(clientId: string, sequence: number): void;
  /** Sets or, with undefined, deletes the will that waits for a client. */
  setWill(clientId: string, will: KeptWill | undefined): void;
  /**
   * Calls back once all changes so far are committed: at once if there are
   * none. While the store fails, it calls back when the store works again.
   */
  afterCommit(callback: () => void): void;
}

/** Keeps nothing: for sessions and servers that end with the process. */
export const NO_PERSISTENCE: Persistence = {
  load: () => ({ retained: [], sessions: [], wills: [] }),
  setRetained: () => {},
  setSession: () => {},
  deleteSession: () => {},
  setDelivery: () => {},
  deleteDelivery: () => {},
  setWill: () => {},
  afterCommit: (callback) => callback(),
};
