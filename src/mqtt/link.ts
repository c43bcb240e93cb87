/**
 * The interface to MQTT: messages in, messages out, and acknowledgements that
 * are sent only after the work is done.
 *
 * It has two implementations: a connection to a broker
 * ({@link https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html | MQTT 5}
 * or 3.1.1), and the embedded broker.
 *
 * @module
 */
import { AppError } from "../common/errors.ts";

/**
 * Quality of service: at most once, at least once, exactly once (MQTT 5, 4.3).
 */
export type QoS = 0 | 1 | 2;

/** A received PUBLISH. {@linkcode Link.acknowledge} acknowledges it. */
export interface Incoming {
  /** The topic name. */
  readonly topic: string;
  /**
   * The application message. Valid as long as a reference to the message
   * exists.
   */
  readonly payload: Uint8Array;
  /** The quality of service of the delivery. */
  readonly qos: QoS;
  /**
   * True if the broker sent it with RETAIN (MQTT 5, 3.3.1.3): it is older than
   * the subscription, or, where the link asks for Retain As Published, it was
   * published with RETAIN. A bridge so sends a message of any age.
   */
  readonly retain: boolean;
  /** MQTT 5 Content Type (3.3.2.3.9). */
  readonly contentType?: string | undefined;
  /** MQTT 5 Response Topic (3.3.2.3.5). */
  readonly responseTopic?: string | undefined;
  /** MQTT 5 Correlation Data (3.3.2.3.6). */
  readonly correlationData?: Uint8Array | undefined;
  /**
   * The connection that it arrived on, one of {@linkcode Link.connections};
   * undefined if the link is the only one. A reply is published there.
   */
  readonly link?: Link | undefined;
  /**
   * The connection that acknowledges it, if that is not `link`: the message
   * waited in the session of another server.
   */
  readonly session?: OtherSession | undefined;
}

/** The session of another server. */
export interface OtherSession
  extends Pick<Link, "acknowledge" | "acknowledgeLater"> {
  /**
   * True when this server has it no longer: what was not acknowledged is
   * delivered again, to the other server.
   */
  readonly isLost: boolean;
}

/**
 * Consecutive messages of one client to one topic, with the same QoS and
 * properties. {@linkcode Link.acknowledge} acknowledges all of them.
 */
export interface IncomingRun {
  /** The topic name. */
  readonly topic: string;
  /** At least 1. */
  readonly count: number;
  /** Contains all payloads; does not change. */
  readonly bytes: Uint8Array;
  /** The payload of message `i` is `bytes.subarray(starts[i], ends[i])`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** The quality of service of the deliveries. */
  readonly qos: QoS;
  /** As {@linkcode Incoming.retain}. */
  readonly retain: boolean;
  /** MQTT 5 Content Type (3.3.2.3.9). */
  readonly contentType?: string | undefined;
}

/** Options of {@linkcode Link.publish}. */
export interface PublishOptions {
  /** Quality of service. Default 0. */
  readonly qos?: 0 | 1;
  /** Whether the broker stores it for later subscribers. Default false. */
  readonly retain?: boolean;
  /** MQTT 5 Content Type; not sent with MQTT 3.1.1. */
  readonly contentType?: string | undefined;
  /** MQTT 5 Response Topic; not sent with MQTT 3.1.1. */
  readonly responseTopic?: string | undefined;
  /** MQTT 5 Correlation Data; not sent with MQTT 3.1.1. */
  readonly correlationData?: Uint8Array | undefined;
}

/** Callbacks of a link. They must not throw. */
export interface LinkHandlers {
  /** Called for each message. {@linkcode Link.acknowledge} acknowledges it. */
  message(message: Incoming): void;
  /**
   * Called for consecutive messages to a topic for readings, in order with the
   * calls of `message`. Without it, `message` is called for each of them.
   */
  run?(run: IncomingRun): void;
  /**
   * Called after each connect, when the subscriptions are active.
   *
   * @param connection one of {@linkcode Link.connections}; default: the link
   */
  up?(connection?: Link): void;
  /**
   * Called after the connection was lost, or after an attempt to connect again
   * has failed. The link tries again.
   *
   * @param reason why, for people
   * @param isConflict true if another client uses the same client id
   * @param connection as for `up`
   */
  down?(reason: string, isConflict?: boolean, connection?: Link): void;
  /**
   * Called after the broker or the network was silent, before what arrives next
   * is delivered, and before `down`. What arrives next may have waited as long.
   * A link with this handler requests a sign of life every few seconds.
   *
   * @param ms how long nothing arrived, in ms
   * @param connection as for `up`
   */
  silent?(ms: number, connection?: Link): void;
  /**
   * Called after the connection was lost, if the link does not connect again: of
   * a link with several connections, after all were lost in this way.
   *
   * @param error why another attempt would fail
   */
  failed?(error: LinkError): void;
}

/** What an embedded broker has done since it started. They never decrease. */
export interface BrokerCounts {
  /** Connections that were accepted. */
  readonly connections: number;
  /** Sessions that have ended because their client did not return in time. */
  readonly expiredSessions: number;
  /** Control packets of clients. */
  readonly packetsReceived: number;
  /** Control packets to clients. */
  readonly packetsSent: number;
  /** PUBLISHes of clients. */
  readonly publishReceived: number;
  /** PUBLISHes to clients. */
  readonly publishSent: number;
  /** Messages that a subscriber did not get: its queue was full, for example. */
  readonly publishDropped: number;
  /** Bytes of the payloads of the PUBLISHes of clients. */
  readonly payloadBytesReceived: number;
  /** Bytes of the payloads of the PUBLISHes to clients. */
  readonly payloadBytesSent: number;
  /** Bytes from clients. */
  readonly bytesReceived: number;
  /** Bytes to clients. */
  readonly bytesSent: number;
}

/** What an embedded broker has at present. */
export interface BrokerState {
  /** Connected clients. */
  readonly clients: number;
  /** Sessions, of connected clients too. */
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retainedMessages: number;
  /** Their memory with overhead, in bytes, approximately. */
  readonly retainedBytes: number;
  /** Messages at QoS 1 and 2 that clients have not acknowledged. */
  readonly queuedMessages: number;
  /** Their memory with overhead, in bytes, approximately. */
  readonly queuedBytes: number;
  /** Bytes that wait because their client does not read. */
  readonly unsentBytes: number;
}

/** A way to send and receive MQTT messages. */
export interface Link {
  /** For people, e.g. `embedded broker on 127.0.0.1:1883`. */
  readonly description: string;
  /** The protocol version in use: 4 is MQTT 3.1.1. Valid after `open()`. */
  readonly mqttVersion: 4 | 5;
  /** Of a link to several brokers: the connections. Undefined for one broker. */
  readonly connections?: readonly Link[];
  /**
   * Whether the broker had a session for this client at the last connect (MQTT
   * 5, 3.2.2.1.1); undefined if the link has no sessions.
   */
  readonly sessionPresent?: boolean;
  /**
   * How long the broker keeps the session, in s: the requested time, or the one
   * that the broker grants instead (MQTT 5, 3.2.2.3.2). Valid after `open()`.
   */
  readonly sessionExpiry?: number;
  /** Of an embedded broker; undefined for an external one. */
  readonly brokerCounts?: BrokerCounts;
  /** Of an embedded broker; undefined for an external one. Cheap. */
  readonly brokerState?: BrokerState;
  /**
   * Why an embedded broker accepts no new clients, for people; undefined while
   * it does.
   */
  readonly acceptProblem?: string | undefined;
  /**
   * Returns the longest payload, in bytes, that the broker accepts in a message
   * to a topic (MQTT 5, 3.2.2.3.6). Without this method: the limit of MQTT.
   */
  maxPayload?(topic: string, options?: PublishOptions): number;
  /**
   * Returns false if no client would receive a message to a topic, now or
   * later. Without this method: unknown.
   */
  hasSubscriber?(topic: string): boolean;
  /**
   * Connects and subscribes.
   *
   * @throws {LinkError} if the first attempt fails; later ones are repeated
   */
  open(handlers: LinkHandlers): Promise<void>;
  /**
   * Publishes a message. Resolves at QoS 1 with the broker's PUBACK, at QoS 0
   * after the message is written.
   *
   * @throws {LinkError} if the link is closed first, or the broker refuses it
   */
  publish(
    topic: string,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void>;
  /**
   * Acknowledges messages. The broker receives it when all that arrived before
   * them is acknowledged too (MQTT 5, 4.6). Ignores messages of an earlier
   * connection: the broker sends them again.
   */
  acknowledge(messages: readonly (Incoming | IncomingRun)[]): void;
  /**
   * Lets later messages be acknowledged before this one, which waits for them.
   * Without this method, none waits for another.
   */
  acknowledgeLater?(message: Incoming): void;
  /**
   * Waits for outstanding acknowledgements, disconnects and releases all
   * resources. May be called twice.
   */
  close(): Promise<void>;
}

/** Why a link failed. */
export type LinkErrorCode =
  | "bad-address"
  | "unreachable"
  | "not-mqtt"
  | "refused"
  | "in-use"
  | "closed"
  | "tls";

/** A failure of the connection or the broker. */
export class LinkError extends AppError {
  /** `LinkError` */
  override readonly name = "LinkError";
  /** The kind of failure. */
  declare readonly code: LinkErrorCode;

  /**
   * Creates an error of the exit class `broker`, or `usage` for "bad-address".
   *
   * @param code the kind of failure
   * @param message what happened, for people, without a full stop
   * @param options hint: what to do about it; cause: the error that caused it
   */
  constructor(
    code: LinkErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    const exitClass = code === "bad-address" ? "usage" : "broker";
    super(code, message, { ...options, exitClass });
  }
}
