import type { Link } from "../mqtt/link.ts";
import type { Endpoint, TlsIdentity } from "./listeners.ts";

/** How the embedded broker is set up. */
export interface BrokerOptions extends Endpoint {
  /**
   * Topics whose messages are handed to the server, and acknowledged when it
   * says so: names, or `name/#`.
   */
  readonly subscriptions: readonly string[];
  /**
   * Topics that only the server may publish to, likewise. What a client
   * publishes there, or to any topic that starts with `$`, is acknowledged and
   * goes nowhere: MQTT 3.1.1 (3.3.5) allows that or hanging up, and who is hung
   * up on sends it again for ever.
   */
  readonly reserved?: readonly string[];
  /** Told of each message that went nowhere for that reason. */
  readonly refused?: (clientId: string, topic: string) => void;
  /**
   * Told when a client is cut off, and why; no id if it had none yet. Not told
   * of one that speaks MQTT 5, which is refused with CONNACK 1.
   */
  readonly dropped?: (clientId: string | undefined, reason: string) => void;
  /** Told when a session is full and loses messages. */
  readonly sessionFull?: (clientId: string) => void;
  /** Listens for MQTT over WebSockets too; over TLS if it has an identity. */
  readonly ws?: Endpoint & Partial<TlsIdentity>;
  /** Listens for MQTT over TLS too. */
  readonly tls?: Endpoint & TlsIdentity;
  /** Longest packet taken from a client, in bytes. Default 32 MiB. */
  readonly maxPacketBytes?: number;
  /**
   * How long a client that does not read may hold up those who publish to it,
   * in ms; then it is cut off. Default 5,000.
   */
  readonly drainTimeout?: number;
  /** What may wait to be sent to one client, in bytes, before it is cut off. Default 128 MiB. */
  readonly maxUnsentBytes?: number;
  /** How long a new connection may take to say CONNECT, in ms. Default 10,000. */
  readonly connectTimeout?: number;
  /** Unacknowledged messages kept for one session. Default 1,000. */
  readonly maxSessionMessages?: number;
  /** Their payload bytes. Default 16 MiB. */
  readonly maxSessionBytes?: number;
}

/** A {@linkcode Link} that others can connect to. */
export interface Broker extends Link {
  /** Where it listens, as bound. Meaningful once open. */
  readonly address: Endpoint;
  /** Where it listens for WebSockets, if it does. */
  readonly wsAddress: Endpoint | undefined;
  /** Where it listens for TLS, if it does. */
  readonly tlsAddress: Endpoint | undefined;
}

/** What the options are, where they are not given. */
export const BROKER_DEFAULTS = {
  reserved: [] as readonly string[],
  maxPacketBytes: 32 * 1024 * 1024,
  drainTimeout: 5_000,
  maxUnsentBytes: 128 * 1024 * 1024,
  connectTimeout: 10_000,
  maxSessionMessages: 1_000,
  maxSessionBytes: 16 * 1024 * 1024,
};
