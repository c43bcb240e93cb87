/**
 * Opens and ends clients of mqtt.js, with their options.
 *
 * `connect()` of mqtt.js loads TCP, TLS, WebSockets and SOCKS for any address,
 * which slows down a short command like `request`. So for TCP and TLS, the
 * usual cases, this module gives its client a socket; for other addresses it
 * loads `connect()`.
 *
 * @module
 */
import type { IClientOptions, IClientPublishOptions, MqttClient } from "mqtt";
import client from "mqtt/lib/client";
import { Buffer } from "node:buffer";
import { createConnection, isIP, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { LinkError, type PublishOptions } from "./link.ts";
import {
  loginOf,
  type NetworkTarget,
  networkTarget,
  withoutLogin,
} from "./url.ts";

// Deno imports a CommonJS module's exports; a bundler, their default.
const Client: typeof MqttClient = "default" in client
  ? client.default as typeof MqttClient
  : client;

/** How a client identifies itself, and how it checks the broker. */
export interface BrokerAccess {
  /** PEM certificate authorities to trust instead of the system's. */
  readonly ca?: string;
  /** The client certificate in PEM format, with {@linkcode key}. */
  readonly cert?: string;
  /** The private key of the client certificate in PEM format. */
  readonly key?: string;
  /** True to accept any certificate of the broker. */
  readonly insecure?: boolean;
  /** The user, if the address of the broker has none. */
  readonly username?: string;
  /** The password, if the address of the broker has none. */
  readonly password?: string;
}

/** Options of `Connection`. */
export interface ConnectionOptions extends BrokerAccess {
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`, with optional `user:password@`. */
  readonly url: string;
  /** MQTT client identifier, unique on the broker. */
  readonly clientId: string;
  /** Topic filters for QoS 1. The connection subscribes after each connect. */
  readonly subscriptions?: readonly string[];
  /**
   * Those of the filters whose messages arrive with RETAIN if they were
   * published with it (MQTT 5, 3.8.3.1); MQTT 3.1.1 has no such option.
   */
  readonly retainAsPublished?: readonly string[];
  /**
   * Filters that an earlier run may have left in the session: unsubscribed
   * before the others are subscribed.
   */
  readonly formerSubscriptions?: readonly string[];
  /**
   * Filters of shared subscriptions (`$share/GROUP/FILTER`; MQTT 5, 4.8.2) for
   * QoS 1. Subscribed to after {@linkcode birth} was published.
   */
  readonly sharedSubscriptions?: readonly string[];
  /**
   * Published at QoS 1, retained, after each connect, behind the other
   * subscriptions: the counterpart of the will.
   */
  readonly birth?: { readonly topic: string; readonly payload: Uint8Array };
  /** Topic filters for QoS 0: the broker stores no messages for a session. */
  readonly liveSubscriptions?: readonly string[];
  /** The broker publishes it at QoS 1, retained, if the connection is lost. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array };
  /** How long the broker may take to answer, in ms. Default 5,000. */
  readonly connectTimeout?: number;
  /**
   * After 1.5 times this time without an answer the connection is lost (MQTT 5,
   * 3.1.2.10), in s. Default 30.
   */
  readonly keepAlive?: number;
  /** The longest pause between attempts to reconnect, in ms. Default 5,000. */
  readonly maxReconnectDelay?: number;
  /**
   * How long the broker is requested to keep the session while the client is
   * disconnected, in s: subscriptions, and messages at QoS 1 (MQTT 5,
   * 3.1.2.11.2; without limit in MQTT 3.1.1). Default 0: no session.
   */
  readonly sessionExpiry?: number;
  /** As in {@linkcode ClientSettings}. */
  readonly maxReceivedBytes?: number;
  /** As in {@linkcode ClientSettings}. */
  readonly receiveMaximum?: number;
  /**
   * Called before the first connect, again if that fails. If it rejects, the
   * attempt fails with its error.
   */
  readonly beforeOpen?: () => Promise<void>;
  /**
   * What to do if another client connects with the same client id: "fail", the
   * default, or "retry", with pauses that become longer.
   */
  readonly onConflict?: "fail" | "retry";
  /** The longest of these pauses, in ms. Default 30,000. */
  readonly maxConflictDelay?: number;
}

/** Starts to connect. The client's events report the result. */
export type Connect = (options: IClientOptions) => MqttClient;

/** The variable in which mqtt.js expects the address of a SOCKS proxy. */
const PROXY_VARIABLE = "MQTTJS_SOCKS_PROXY";

/**
 * Loads the code that an address needs. Does not connect.
 *
 * @param url `mqtt:`, `mqtts:`, `ws:` or `wss:`, as `brokerUrl()` returns it
 * @returns the function that connects to the address
 * @throws {TypeError} if the host is not a host name
 * @throws {URIError} if user or password has a `%` without two hex digits
 * @throws {LinkError} if the variable of the proxy is not valid Unicode
 */
export async function connectorOf(url: string): Promise<Connect> {
  const login = loginOf(url);
  if (!/^mqtts?:/i.test(url) || proxy()) {
    const { default: mqtt } = await import("mqtt");
    // mqtt.js would end the user at the last colon of the password.
    const address = withoutLogin(url);
    return (options) => mqtt.connect(address, { ...options, ...login });
  }
  const target = networkTarget(url);
  const openStream = /^mqtts:/i.test(url)
    ? await tlsOpener(target)
    : () => createConnection(target);
  return (options) => new Client(openStream, { ...options, ...login });
}

/** Returns the function that opens a TLS connection for a client. */
async function tlsOpener(
  { host, port }: NetworkTarget,
): Promise<(client: MqttClient) => Duplex> {
  const { connect } = await import("node:tls");
  return ({ options: { ca, cert, key, rejectUnauthorized = true } }) =>
    connect({
      host,
      port,
      // The name must not be an IP address (RFC 6066, 3).
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key: key as string }),
    });
}

/**
 * Replaces certificates, key and password of a client. Used when it connects
 * again.
 *
 * @param client the client
 * @param options as {@linkcode accessOptions} returns them
 */
export function replaceAccess(
  client: MqttClient,
  options: IClientOptions,
): void {
  const { wsOptions } = client.options; // has copies of the certificates
  const { ca, cert, key } = options;
  Object.assign(client.options, options);
  if (wsOptions !== undefined) Object.assign(wsOptions, { ca, cert, key });
}

/**
 * Returns the options of a client that {@linkcode BrokerAccess} defines.
 *
 * @param access certificates, key and login
 */
export function accessOptions(
  { ca, cert, key, insecure, username, password }: BrokerAccess,
): IClientOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(insecure && { rejectUnauthorized: false }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

/** @throws {LinkError} if the variable is not valid Unicode */
function proxy(): string | undefined {
  try {
    return Deno.env.get(PROXY_VARIABLE);
  } catch (cause) {
    throw new LinkError(
      "bad-address",
      `Cannot read ${PROXY_VARIABLE}: not valid Unicode`,
      { hint: "Set the variable again, in UTF-8, or remove it.", cause },
    );
  }
}

/** Settings of {@linkcode clientOptions}. */
export interface ClientSettings extends BrokerAccess {
  /** The protocol version; 4 is MQTT 3.1.1. */
  readonly version: 4 | 5;
  /** MQTT client identifier. */
  readonly clientId: string;
  /**
   * How long the broker is requested to keep the session, in s; undefined for
   * no session.
   */
  readonly sessionExpiry?: number | undefined;
  /**
   * Maximum size of a packet that the broker may send, in bytes; only MQTT 5.
   * The broker drops larger ones (MQTT 5, 3.1.2.11.4). Default: no limit.
   */
  readonly maxReceivedBytes?: number | undefined;
  /**
   * How many messages at QoS 1 and 2 the broker may send that are not
   * acknowledged, 1 to 65,535; only MQTT 5 (3.1.2.11.3). Default: 65,535.
   */
  readonly receiveMaximum?: number | undefined;
  /** How long the broker may take to answer CONNECT, in ms. */
  readonly connectTimeout: number;
  /** In s. Default 30. */
  readonly keepAlive?: number;
}

/**
 * Returns the options of a client that does not reconnect.
 *
 * @param settings the settings of this client
 */
export function clientOptions(
  settings: ClientSettings,
): IClientOptions {
  const { version, clientId, sessionExpiry, maxReceivedBytes } = settings;
  const { receiveMaximum } = settings;
  const { connectTimeout, keepAlive = 30 } = settings;
  return {
    protocolVersion: version,
    clientId,
    clean: sessionExpiry === undefined,
    ...(version === 5 && {
      properties: {
        ...(sessionExpiry !== undefined && {
          sessionExpiryInterval: sessionExpiry,
        }),
        ...(maxReceivedBytes !== undefined && {
          maximumPacketSize: maxReceivedBytes,
        }),
        ...(receiveMaximum !== undefined && { receiveMaximum }),
      },
    }),
    keepalive: keepAlive,
    connectTimeout,
    reconnectPeriod: 0, // a first failure is reported, not repeated
    resubscribe: false, // a Connection subscribes before it calls up()
    queueQoSZero: false,
    timerVariant: "native",
    writeCache: false, // a cache of all 65,536 packet ids: 15 ms and 17 MB
    ...accessOptions(settings),
  };
}

/**
 * Returns the options of a publish.
 *
 * @param version the protocol version: only 5 has properties
 * @param qos quality of service
 * @param options retain, and properties
 */
export function publishOptions(
  version: 4 | 5,
  qos: 0 | 1,
  { retain = false, contentType, responseTopic, correlationData }:
    PublishOptions,
): IClientPublishOptions {
  if (version === 4) return { qos, retain };
  return {
    qos,
    retain,
    properties: {
      ...(contentType === undefined ? {} : { contentType }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined
        ? {}
        : { correlationData: Buffer.from(correlationData) }),
    },
  };
}

/**
 * Ends a client and waits until its connection is closed.
 *
 * @param client the client
 * @param force true to close at once; false to wait for outstanding
 * acknowledgements and to send DISCONNECT
 */
export function endClient(client: MqttClient, force: boolean): Promise<void> {
  return new Promise((resolve) => client.end(force, () => resolve()));
}

/**
 * Disables Nagle's algorithm, which delays the end of a reply by the 40 ms of
 * TCP's delayed acknowledgement. For WebSockets it is already disabled.
 */
export function disableNagle(stream: Duplex): void {
  if (stream instanceof Socket) stream.setNoDelay(true);
}
