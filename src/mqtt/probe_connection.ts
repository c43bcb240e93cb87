/**
 * A connection for diagnosis. It exposes answers of the broker that
 * {@linkcode Connection} hides: the properties of CONNACK, and the codes of
 * SUBACK and PUBACK. It does not reconnect.
 *
 * @module
 */
import type { IConnackPacket, MqttClient } from "mqtt";
import { Buffer } from "node:buffer";
import {
  explainConnectFailure,
  isVersionRefusal,
  MIN_FAILURE_CODE,
} from "./failure.ts";
import { LinkError } from "./link.ts";
import {
  type BrokerAccess,
  clientOptions,
  connectorOf,
  endClient,
} from "./transport.ts";
import { redactUrl } from "./url.ts";

/** The broker that a probe connects to. */
export interface ProbeTarget extends BrokerAccess {
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: string;
}

/** Options of {@linkcode ProbeConnection.open}. */
export interface ProbeOptions extends ProbeTarget {
  /** MQTT client identifier. */
  readonly clientId: string;
  /** The protocol version, 4 for MQTT 3.1.1. Default: 5, then 4 if refused. */
  readonly version?: 4 | 5;
  /**
   * Resumes the session of this client id, and requests that the broker keep it
   * for this time, in s. Default: a clean session.
   */
  readonly sessionExpiry?: number;
  /** How long the broker may take to answer CONNECT, in ms. */
  readonly timeout: number;
  /** Called for each message, including those queued in the session. */
  readonly onMessage?: (message: ProbeMessage) => void;
}

/** The limits that a broker reports in CONNACK (MQTT 5, 3.2.2.3). */
export type ConnackProperties = NonNullable<IConnackPacket["properties"]>;

/** A received message. */
export interface ProbeMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** When it was received, in ms since 1970. */
  readonly at: number;
}

/** Opens a connection to the broker that is being checked. */
export type OpenProbe = (
  onMessage: (message: ProbeMessage) => void,
) => Promise<ProbeConnection>;

/** An open connection. */
export class ProbeConnection {
  readonly #client: MqttClient;
  readonly #lost: Promise<never>;
  readonly #url: string;
  /** Number of requests without an answer. */
  #unanswered = 0;
  /** The protocol version in use; 4 is MQTT 3.1.1. */
  readonly version: 4 | 5;
  /** The broker's answer to CONNECT. */
  readonly connack: IConnackPacket;

  private constructor(
    client: MqttClient,
    version: 4 | 5,
    connack: IConnackPacket,
    url: string,
  ) {
    this.#client = client;
    this.version = version;
    this.connack = connack;
    this.#url = url;
    this.#lost = new Promise((_resolve, reject) => {
      client.once("close", () => reject(this.#lostError()));
    });
    this.#lost.catch(() => {});
  }

  /**
   * Connects.
   *
   * @param options the broker, the client id and the timeout
   * @throws {LinkError} if the broker cannot be reached or refuses
   */
  static async open(options: ProbeOptions): Promise<ProbeConnection> {
    const { version = 5, url } = options;
    try {
      const { client, connack } = await openClient(options, version);
      return new ProbeConnection(client, version, connack, url);
    } catch (error) {
      if (options.version === undefined && isVersionRefusal(error)) {
        return await ProbeConnection.open({ ...options, version: 4 });
      }
      throw explainConnectFailure(error, redactUrl(url), options);
    }
  }

  /**
   * Subscribes to one topic filter.
   *
   * @param filter the topic filter
   * @param qos the maximum QoS
   * @param retained false for no retained messages; MQTT 3.1.1 ignores it
   * @returns the granted QoS, or a code of at least {@linkcode MIN_FAILURE_CODE}
   * @throws {LinkError} if the broker closes the connection
   */
  subscribe(filter: string, qos: 0 | 1, retained = true): Promise<number> {
    const options = this.version === 5
      ? { qos, rh: retained ? 0 : 2 }
      : { qos };
    return this.#answer((done) =>
      this.#client.subscribe(filter, options, (error, _granted, packet) => {
        const codes = packet?.granted ??
          (error as { packet?: { granted?: number[] } } | null)?.packet
            ?.granted;
        const code = Array.isArray(codes) ? Number(codes[0]) : undefined;
        done(code ?? (error ? MIN_FAILURE_CODE : qos));
      })
    );
  }

  /**
   * Ends a subscription.
   *
   * @param filter the topic filter
   * @throws {LinkError} if the broker closes the connection
   */
  async unsubscribe(filter: string): Promise<void> {
    await this.#answer((done) =>
      this.#client.unsubscribe(filter, () => done(0))
    );
  }

  /**
   * Publishes at QoS 1.
   *
   * @param topic the topic name
   * @param payload the application message
   * @returns 0, or a code of at least {@linkcode MIN_FAILURE_CODE}; always 0
   * with MQTT 3.1.1
   * @throws {LinkError} if the broker closes the connection
   */
  publish(topic: string, payload: Uint8Array): Promise<number> {
    return this.#answer((done) =>
      this.#client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
        const { code } = (error ?? {}) as { code?: number };
        done(error ? Number(code ?? MIN_FAILURE_CODE) : 0);
      })
    );
  }

  /**
   * Waits for one answer of the broker. The broker sends in order: when this
   * resolves, all messages that it sent before have been received.
   *
   * @throws {LinkError} if the broker closes the connection
   */
  async roundTrip(): Promise<void> {
    await this.unsubscribe(`occupancy-doctor/${crypto.randomUUID()}`);
  }

  /** Disconnects, without waiting for outstanding answers. */
  close(): Promise<void> {
    const force = !this.#client.connected || this.#unanswered > 0;
    return endClient(this.#client, force);
  }

  #answer(request: (done: (code: number) => void) => void): Promise<number> {
    if (!this.#client.connected) return Promise.reject(this.#lostError());
    this.#unanswered++;
    const answer = new Promise<number>((resolve) =>
      request((code) => {
        this.#unanswered--;
        resolve(code);
      })
    );
    return Promise.race([answer, this.#lost]);
  }

  #lostError(): LinkError {
    return new LinkError(
      "closed",
      `Disconnected by the broker at ${redactUrl(this.#url)}`,
      { hint: "Read the broker's log: it may forbid the last request." },
    );
  }
}

async function openClient(
  options: ProbeOptions,
  version: 4 | 5,
): Promise<{ client: MqttClient; connack: IConnackPacket }> {
  const { url, timeout, onMessage } = options;
  const connect = await connectorOf(url);
  const client = connect(
    clientOptions({ ...options, version, connectTimeout: timeout }),
  );
  client.on(
    "message",
    (topic, payload) => onMessage?.({ topic, payload, at: Date.now() }),
  );
  const { promise, resolve, reject } = Promise.withResolvers<IConnackPacket>();
  let failure: Error | undefined;
  client.on("error", (error) => {
    failure ??= error;
    reject(error);
  });
  client.once(
    "close",
    () => reject(failure ?? new Error("connection closed before CONNACK")),
  );
  client.once("connect", resolve);
  try {
    return { client, connack: await promise };
  } catch (error) {
    await endClient(client, true);
    throw error;
  }
}
