/**
 * Options and interface of the embedded broker.
 *
 * @module
 */
import type { Link } from "../mqtt/link.ts";
import type { Endpoint, TlsIdentity } from "./listeners.ts";

/** Options of the embedded broker. */
export interface BrokerOptions extends Endpoint {
  /**
   * Topics whose messages the server receives and acknowledges: names, or
   * `name/#`.
   */
  readonly subscriptions: readonly string[];
  /**
   * Topics that only the server may publish to: names, or `name/#`. The broker
   * acknowledges and drops a client's message to one of these, or to a topic
   * that begins with `$`. MQTT 3.1.1 (3.3.5) also allows closing the
   * connection, but then the client would send the message again and again.
   */
  readonly reserved?: readonly string[];
  /**
   * One of the `reserved` topics: a client's message to it is passed to the
   * server, but to no client. It must be acknowledged.
   */
  readonly peerTopic?: string;
  /** Called for each message that is dropped because of its topic. */
  readonly onRefused?: (clientId: string, topic: string) => void;
  /**
   * Called after the broker has disconnected a client; the id is undefined
   * before CONNECT. Not called for a client of MQTT 5, which is refused with
   * CONNACK 1.
   */
  readonly onDropped?: (clientId: string | undefined, reason: string) => void;
  /** Called when a session becomes full and loses messages. */
  readonly onSessionFull?: (clientId: string) => void;
  /**
   * Where to listen for MQTT over WebSocket; with TLS if it has an identity.
   */
  readonly ws?: Endpoint & Partial<TlsIdentity>;
  /** Where to listen for MQTT over TLS. */
  readonly tls?: Endpoint & TlsIdentity;
  /** The longest packet of a client, in bytes. Default 32 MiB. */
  readonly maxPacketBytes?: number;
  /**
   * How long a client that reads nothing may delay other clients, in ms, before
   * the broker disconnects it. Default 5,000.
   */
  readonly drainTimeout?: number;
  /**
   * Unsent bytes for one client above which the broker disconnects it, without
   * the longest message among them. Default 128 MiB.
   */
  readonly maxUnsentBytes?: number;
  /**
   * How long a new connection may take to send CONNECT, in ms. Default 10,000.
   */
  readonly connectTimeout?: number;
  /** Unacknowledged messages of a session. Default 1,000. */
  readonly maxSessionMessages?: number;
  /**
   * Payload bytes of the unacknowledged messages of a session. Default 16 MiB.
   */
  readonly maxSessionBytes?: number;
}

/** A {@linkcode Link} that MQTT clients can connect to. */
export interface Broker extends Link {
  /** The TCP endpoint, with the assigned port. Valid after `open()`. */
  readonly address: Endpoint;
  /** The WebSocket endpoint; undefined if there is none. */
  readonly wsAddress: Endpoint | undefined;
  /** The TLS endpoint; undefined if there is none. */
  readonly tlsAddress: Endpoint | undefined;
}

/** The defaults of {@linkcode BrokerOptions}. */
export const BROKER_DEFAULTS = {
  reserved: [] as readonly string[],
  maxPacketBytes: 32 * 1024 * 1024,
  drainTimeout: 5_000,
  maxUnsentBytes: 128 * 1024 * 1024,
  connectTimeout: 10_000,
  maxSessionMessages: 1_000,
  maxSessionBytes: 16 * 1024 * 1024,
};
