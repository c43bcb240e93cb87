/**
 * Options and interface of the embedded broker.
 *
 * @module
 */
import type { LimitName } from "../common/limit_counts.ts";
import type { Link } from "../mqtt/link.ts";
import type { Access } from "./access/access.ts";
import type { BrokerLimits } from "./limits.ts";
import type {
  Endpoint,
  TlsIdentity,
  TlsSettings,
} from "./listeners/listener.ts";
import type { Persistence } from "./persistence/persistence.ts";

/** Options of the embedded broker. */
export interface BrokerOptions extends Endpoint {
  /**
   * Topics whose messages the server receives and acknowledges: names, or
   * `name/#`.
   */
  readonly subscriptions: readonly string[];
  /**
   * Those among them whose consecutive messages the server receives together,
   * as runs. Default: none.
   */
  readonly runs?: readonly string[];
  /**
   * Topics that only the server may publish to: names, or `name/#`. The broker
   * acknowledges and drops a client's message to one of these, or to a topic
   * that begins with `$`; in MQTT 5 with the reason 0x87. Closing the connection
   * is allowed too (MQTT 3.1.1, 3.3.5), but then the client would send the
   * message again and again. Ignored with `access`.
   */
  readonly reserved?: readonly string[];
  /**
   * One of the `reserved` topics: a client's message to it is passed to the
   * server, but to no client. It must be acknowledged.
   */
  readonly peerTopic?: string;
  /** Who may do what. Default: all that is not reserved. */
  readonly access?: Access;
  /** Keeps the state for the next start. Default: none is kept. */
  readonly persistence?: Persistence;
  /** Where to listen for MQTT over TLS. */
  readonly tls?: Endpoint & TlsSettings;
  /** Where to listen for MQTT over WebSocket. */
  readonly ws?: Endpoint;
  /** Where to listen for MQTT over WebSocket with TLS. */
  readonly wss?: Endpoint & TlsIdentity;
  /**
   * Origins of pages that may connect over WebSocket without a user, besides
   * those of the same host. Default: none.
   */
  readonly wsOrigins?: readonly string[];
  /** Differences from the defaults, see `BROKER_LIMITS`. */
  readonly limits?: {
    readonly [K in keyof BrokerLimits]?: Partial<BrokerLimits[K]>;
  };
  /** The version of occupancy, for `$SYS/broker/version`. */
  readonly version?: string;
  /**
   * Called when a limit refuses, drops or ends something.
   *
   * @param limit its name
   * @param count how much of it
   */
  readonly onLimit?: (limit: LimitName, count: number) => void;
  /** Called for each message that is dropped because of its topic. */
  readonly onRefused?: (clientId: string, topic: string) => void;
  /**
   * Called after the broker has refused or disconnected a client; the id is
   * undefined before CONNECT.
   */
  readonly onDropped?: (clientId: string | undefined, reason: string) => void;
  /** Called when a session becomes full and loses messages. */
  readonly onSessionFull?: (clientId: string) => void;
}

/** A {@linkcode Link} that MQTT clients can connect to. */
export interface Broker extends Link {
  /** The TCP endpoint, with the assigned port. Valid after `open()`. */
  readonly address: Endpoint;
  /** The TLS endpoint; undefined if there is none. */
  readonly tlsAddress: Endpoint | undefined;
  /** The WebSocket endpoint; undefined if there is none. */
  readonly wsAddress: Endpoint | undefined;
  /** The endpoint of WebSocket with TLS; undefined if there is none. */
  readonly wssAddress: Endpoint | undefined;
  /**
   * Uses another certificate for new connections over TLS.
   *
   * @throws {LinkError} "tls" if the certificate or the key is invalid; then
   * nothing changes
   */
  reloadTls(settings: TlsSettings): void;
}
