/**
 * What the rest of the house sees of MQTT: messages in, messages out, and
 * acknowledgements that wait until they are true.
 *
 * Two things implement it: a {@link https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html | connection}
 * to somebody's broker, and the embedded broker itself.
 *
 * @module
 */
import { AppError } from "../common/errors.ts";

/** Quality of service: at most once, at least once, exactly once (MQTT 5, 4.3). */
export type QoS = 0 | 1 | 2;

/** One PUBLISH that arrived. Its link acknowledges it when told, not before. */
export interface Incoming {
  /** The topic name it was published to. */
  readonly topic: string;
  /** The application message, as sent. Valid for as long as the message is held. */
  readonly payload: Uint8Array;
  /** The quality of service it was delivered with. */
  readonly qos: QoS;
  /** True if the broker had kept it from before the subscription (MQTT 5, 3.3.1.3). */
  readonly retain: boolean;
  /** MQTT 5 Content Type (3.3.2.3.9). */
  readonly contentType?: string | undefined;
  /** MQTT 5 Response Topic (3.3.2.3.5). */
  readonly responseTopic?: string | undefined;
  /** MQTT 5 Correlation Data (3.3.2.3.6). */
  readonly correlationData?: Uint8Array | undefined;
}

/** How a message is published. */
export interface PublishOptions {
  /** Quality of service. Default 0. */
  readonly qos?: 0 | 1;
  /** Whether the broker keeps it for later subscribers. Default false. */
  readonly retain?: boolean;
  /** MQTT 5 Content Type; left out on MQTT 3.1.1. */
  readonly contentType?: string | undefined;
  /** MQTT 5 Response Topic; left out on MQTT 3.1.1. */
  readonly responseTopic?: string | undefined;
  /** MQTT 5 Correlation Data; left out on MQTT 3.1.1. */
  readonly correlationData?: Uint8Array | undefined;
}

/** What a link tells its owner. The handlers must not throw. */
export interface LinkHandlers {
  /** A message arrived; it stays unacknowledged until {@linkcode Link.acknowledge}. */
  message(message: Incoming): void;
  /** Connected and subscribed, the first time and after each reconnect. */
  up?(): void;
  /** The connection was lost; it is being tried again. `reason` is for people. */
  down?(reason: string): void;
  /** The connection was lost for good: trying again would not help. */
  failed?(error: LinkError): void;
}

/** A way to send and receive MQTT messages. */
export interface Link {
  /** For people, e.g. `mqtt://localhost:1883` or `embedded broker on 127.0.0.1:1883`. */
  readonly description: string;
  /** The protocol version in force: 4 is MQTT 3.1.1. Meaningful once open. */
  readonly mqttVersion: 4 | 5;
  /**
   * Whether the broker had kept the session when it was last joined (MQTT 5,
   * 3.2.2.1.1); undefined if the link has none to keep.
   */
  readonly sessionPresent?: boolean;
  /**
   * For how many seconds the broker keeps the session: what was asked for, or
   * what it grants instead (MQTT 5, 3.2.2.3.2). Meaningful once open.
   */
  readonly sessionExpiry?: number;
  /**
   * Clients that are connected to the broker just now; undefined if the link is
   * a connection to a broker, which does not tell.
   */
  readonly clients?: number;
  /**
   * The most bytes of payload that the broker takes in a message to a topic, as
   * far as it says (MQTT 5, 3.2.2.3.6). Default: what MQTT has room for.
   */
  maxPayload?(topic: string, options?: PublishOptions): number;
  /**
   * Connects and subscribes.
   *
   * @throws {LinkError} if that fails the first time; later losses are retried
   */
  open(handlers: LinkHandlers): Promise<void>;
  /**
   * Publishes; resolves once the broker has it (QoS 1: its PUBACK; QoS 0: written).
   *
   * @throws {LinkError} if the link is closed first, or the broker refuses it
   */
  publish(
    topic: string,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void>;
  /**
   * Acknowledges messages, in the order they arrived. Messages of a connection
   * that is gone are passed over: its broker sends them again.
   */
  acknowledge(messages: readonly Incoming[]): void;
  /** Sends what is under way, says goodbye, and frees everything. Safe to call twice. */
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
