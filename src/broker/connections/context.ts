/**
 * What all connections share.
 *
 * @module
 */
import type { Access, Identity } from "../access/access.ts";
import type { Message } from "../message.ts";
import type { Router } from "../router.ts";
import type { Counters } from "../sys/counters.ts";
import type { ConnectionSettings } from "../limits.ts";
import { NO_BYTES } from "../codec/properties.ts";
import {
  encodeDeliveryProperties,
  PublishEncoder,
} from "../codec/publish_encoder.ts";
import type { RetainedSender } from "./retained_sender.ts";
import type { SlowReceivers } from "./slow_receivers.ts";
import type { ReadBuffers } from "./read_buffers.ts";
import type { PendingMessage, Tap } from "./tap.ts";
import type { Session } from "../sessions/session.ts";
import type { Turns } from "./turns.ts";
import type { UnsentBudget } from "./unsent_budget.ts";
import type { WillPublisher } from "./will_publisher.ts";

/** Limits of connections whose reaching is counted, as in `LIMIT_NAMES`. */
export type ConnectionLimitName =
  | "mqtt-foreign-origin"
  | "mqtt-connect-timeout"
  | "mqtt-incomplete-bytes"
  | "mqtt-packet-bytes"
  | "mqtt-receive-maximum"
  | "mqtt-stalled-reader"
  | "mqtt-topic-levels"
  | "mqtt-unreleased"
  | "mqtt-unsent-bytes";

/** A connection, as the broker uses it. */
export interface OpenConnection {
  /** The client; undefined before the login. */
  readonly identity: Identity | undefined;
  /**
   * Ends the connection after what is unsent was sent, or after a second.
   *
   * @param reason of the DISCONNECT in MQTT 5
   */
  close(reason: number): void;
  /** Ends the connection at once. */
  destroy(): void;
  /** Resolves when the connection has ended. Call it once. */
  ended(): Promise<void>;
  /**
   * Checks the time limits. Called once or twice in a second.
   *
   * @param now ms of `performance.now()`
   */
  checkTime(now: number): void;
}

/** What a connection needs of the broker. */
export interface ConnectionContext {
  readonly settings: ConnectionSettings;
  readonly access: Access;
  readonly router: Router;
  readonly tap: Tap;
  readonly counters: Counters;
  readonly turns: Turns;
  readonly readBuffers: ReadBuffers;
  readonly unsent: UnsentBudget;
  readonly encoders: MessageEncoders;
  /** QoS 2 messages that the server has not acknowledged, by packet id. */
  readonly pendingQos2: WeakMap<Session, Map<number, PendingMessage>>;
  /**
   * Sessions with retained messages that are not sent: a later connection of the
   * client continues.
   */
  readonly retainedSenders: WeakMap<Session, RetainedSender>;
  /** Who has a will, and how long it lives once it is published. */
  readonly wills: WillPublisher;
  /** Receivers of a message of the server that do not keep up. */
  readonly slow: SlowReceivers;
  /** True while the broker closes: sessions stay as they are. */
  readonly isClosing: boolean;
  /** Calls back after the commit of all changes so far. */
  readonly afterCommit: (callback: () => void) => void;
  /** Connections that have not ended. */
  readonly connections: Set<OpenConnection>;
  /** Returns the time, in ms since 1970. */
  readonly clock: () => number;
  /** Called when a limit refuses or ends something. */
  onLimit(limit: ConnectionLimitName): void;
  /** Called when a message is dropped because its topic is reserved. */
  onRefused(clientId: string, topic: string): void;
  /** Called after the broker has disconnected a client. */
  onDropped(clientId: string | undefined, reason: string): void;
}

/** Messages whose encoders are remembered, and their longest payload. */
const MAX_ENCODERS = 512;
const MAX_ENCODED_BYTES = 16 * 1024;

/**
 * Encodes messages: one that goes to many clients only once. They may need it at
 * different times, as their windows allow.
 */
export class MessageEncoders {
  readonly #clock: () => number;
  readonly #encoders = new Map<Message, PublishEncoder>();
  #message: Message | undefined;
  #encoder: PublishEncoder | undefined;
  #seconds: number | undefined;
  #ids: readonly number[] | undefined;
  #extra: Uint8Array = NO_BYTES;

  /** @param clock returns the time, in ms since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Returns the encoder of a message. */
  of(message: Message): PublishEncoder {
    if (this.#message === message) return this.#encoder!;
    let encoder = this.#encoders.get(message);
    if (encoder === undefined) {
      const { topic, payload, properties } = message;
      encoder = new PublishEncoder(topic, payload, properties);
      if (this.#encoders.size >= MAX_ENCODERS) this.#encoders.clear();
      // It would keep a large payload in memory.
      if (payload.length < MAX_ENCODED_BYTES) {
        this.#encoders.set(message, encoder);
      }
    }
    this.#message = message;
    return this.#encoder = encoder;
  }

  /**
   * Returns the additional properties of a delivery (MQTT 5, 3.3.2.3.3,
   * 3.3.2.3.8).
   *
   * @param expiresAt when the message expires, ms since 1970
   */
  extra(
    expiresAt: number | undefined,
    subscriptionIds: readonly number[] | undefined,
  ): Uint8Array {
    // The time that is left, rounded up.
    const seconds = expiresAt === undefined
      ? undefined
      : Math.max(0, Math.ceil((expiresAt - this.#clock()) / 1000));
    if (seconds !== this.#seconds || subscriptionIds !== this.#ids) {
      this.#seconds = seconds;
      this.#ids = subscriptionIds;
      this.#extra = encodeDeliveryProperties(seconds, subscriptionIds);
    }
    return this.#extra;
  }

  /** Forgets all messages, so that their memory becomes free. */
  clear(): void {
    this.#encoders.clear();
    this.#message = this.#encoder = undefined;
  }
}
