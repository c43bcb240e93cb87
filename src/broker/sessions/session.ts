/**
 * The state of a client that outlives its connections (MQTT 5, 4.1).
 *
 * @module
 */
import type { Identity } from "../access/access.ts";
import type { QoS } from "../../mqtt/link.ts";
import type { Message } from "../message.ts";
import type {
  KeptSession,
  KeptSubscription,
} from "../persistence/persistence.ts";
import type { SessionContext } from "./context.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import type { Outlet } from "./outlet.ts";
import { PacketIds } from "./packet_ids.ts";

/** A subscription, as far as its session knows it. */
export interface SessionSubscription {
  readonly options: KeptSubscription;
}

/**
 * A session. The registry creates, resumes and ends it; the connection of its
 * client passes acknowledgements to it.
 */
export class Session {
  readonly clientId: string;
  /** The client; of a session from before a restart, without a role. */
  identity: Identity;
  /**
   * How long it is kept after the connection ended, in s; 0: it ends with the
   * connection; Infinity: permanently.
   */
  expiry = 0;
  /** When the client disconnected, ms since 1970; undefined: connected. */
  disconnectedAt: number | undefined;
  /** The present connection; undefined: disconnected. */
  owner: Outlet | undefined;
  /** By filter, with `$share/<group>/`. Only the index changes it. */
  readonly subscriptions = new Map<string, SessionSubscription>();
  /** The memory of the subscriptions. Only the index changes it. */
  subscriptionBytes = 0;
  /** The messages at QoS 1 and 2 to the client. */
  readonly queue: DeliveryQueue;
  /** While subscribers of a topic are collected: the present search. */
  matchStamp = 0;
  /** While subscribers of a topic are collected: the place in the result. */
  matchIndex = 0;
  readonly #context: SessionContext;
  /** The connection, once CONNACK was sent. */
  #outlet: Outlet | undefined;
  /** Packet ids of QoS 2 messages from the client (4.3.3). */
  #received: PacketIds | undefined;
  #kept: KeptSession | undefined;

  constructor(identity: Identity, context: SessionContext) {
    this.clientId = identity.clientId;
    this.identity = identity;
    this.#context = context;
    this.queue = new DeliveryQueue(this, context);
  }

  /** The user to whom it belongs; undefined: an anonymous client. */
  get user(): string | undefined {
    return this.identity.user;
  }

  /** True while a client is connected. */
  get isConnected(): boolean {
    return this.owner !== undefined;
  }

  /** True if it is kept when its connection, or the process, ends. */
  get isKept(): boolean {
    return this.expiry > 0;
  }

  /** The connection that receives messages; undefined: messages wait. */
  get outlet(): Outlet | undefined {
    return this.#outlet;
  }

  /**
   * Sends the messages that wait, and from now on new ones. Call it after the
   * CONNACK was sent, in the same turn as {@linkcode SessionRegistry.connect}.
   */
  resume(): void {
    if (this.owner === undefined) return;
    this.#outlet = this.owner;
    this.stateChanged();
    this.queue.resume(this.owner);
  }

  /** Ends sending. Called by the registry. */
  pause(): void {
    this.#outlet = undefined;
    this.queue.pause();
    this.stateChanged();
  }

  /** Called when it starts or stops receiving messages. */
  stateChanged(): void {
    if (this.subscriptions.size === 0) return;
    this.#context.onStateChanged(this.clientId, this.subscriptions.keys());
  }

  /**
   * Delivers a message. At QoS 0 it allocates nothing.
   *
   * @param qos the lesser of the published and the granted QoS (3.8.4)
   * @param retain RETAIN, as sent
   * @param subscriptionIds MQTT 5: of all subscriptions that match
   * @param share the filter of the shared subscription; undefined: none
   * @returns false if it was dropped: at QoS 0 without a connection, otherwise
   * because the session is full
   */
  deliver(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
    share: string | undefined,
  ): boolean {
    if (qos === 0) {
      if (this.#outlet === undefined) return false;
      this.#outlet.sendPublish(message, 0, retain, subscriptionIds, 0, false);
      return true;
    }
    return this.queue.add(message, qos, retain, subscriptionIds, share);
  }

  /** Handles a PUBACK. See {@linkcode DeliveryQueue.acknowledged}. */
  acknowledged(packetId: number): boolean {
    return this.queue.acknowledged(packetId);
  }

  /** Handles a PUBREC. See {@linkcode DeliveryQueue.received}. */
  received(packetId: number, reason = 0): boolean {
    return this.queue.received(packetId, reason);
  }

  /** Handles a PUBCOMP. See {@linkcode DeliveryQueue.completed}. */
  completed(packetId: number): boolean {
    return this.queue.completed(packetId);
  }

  /**
   * Returns true if the client has sent a QoS 2 message with this packet id and
   * not released it: the message is a repetition (4.3.3).
   */
  hasReceived(packetId: number): boolean {
    return this.#received?.has(packetId) ?? false;
  }

  /** The number of QoS 2 messages that the client has not released. */
  get receivedCount(): number {
    return this.#received?.size ?? 0;
  }

  /**
   * Call it before a QoS 2 message from the client is routed: all changes up to
   * {@linkcode Session.addReceived} are committed together. Otherwise a crash
   * could keep the packet id without the message, or the other way round.
   */
  beginReceiving(): void {
    this.save();
  }

  /**
   * Stores the packet id of a QoS 2 message from the client. The PUBREC is sent
   * after the commit.
   */
  addReceived(packetId: number): void {
    (this.#received ??= new PacketIds()).add(packetId);
    this.save();
  }

  /**
   * Handles a PUBREL: removes the packet id. The PUBCOMP is sent after the
   * commit, otherwise a new message with the same id could be taken for a
   * repetition after a crash.
   *
   * @returns false if the id is unknown (MQTT 5: PUBCOMP with 0x92)
   */
  release(packetId: number): boolean {
    if (!this.#received?.delete(packetId)) return false;
    if (this.#received.size === 0) this.#received = undefined;
    this.save();
    return true;
  }

  /** Passes the session without its deliveries to the persistence. */
  save(): void {
    if (!this.isKept) return;
    this.#context.persistence.setSession(this.#kept ??= keptSession(this));
  }

  /** The packet ids of QoS 2 messages that the client has not released. */
  get receivedIds(): readonly number[] {
    return this.#received === undefined ? [] : [...this.#received];
  }

  /** Restores packet ids at the start. */
  restoreReceived(packetIds: Iterable<number>): void {
    for (const id of packetIds) (this.#received ??= new PacketIds()).add(id);
  }
}

/** Returns the session as the persistence reads it, with its present state. */
function keptSession(session: Session): KeptSession {
  return {
    clientId: session.clientId,
    get user() {
      return session.user;
    },
    get expiry() {
      return session.expiry;
    },
    get disconnectedAt() {
      return session.disconnectedAt;
    },
    get subscriptions() {
      return Array.from(
        session.subscriptions.values(),
        (subscription) => subscription.options,
      );
    },
    get receivedIds() {
      return session.receivedIds;
    },
  };
}
