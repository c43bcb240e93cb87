/**
 * A connection that looks at what the broker answers, which
 * {@linkcode Connection} keeps to itself: CONNACK, SUBACK and PUBACK codes.
 * It does not reconnect.
 *
 * @module
 */
import type { IConnackPacket, MqttClient } from "mqtt";
import { Buffer } from "node:buffer";
import { explainConnectFailure, isVersionRefusal } from "../mqtt/failure.ts";
import { LinkError } from "../mqtt/link.ts";
import { connectorOf } from "../mqtt/transport.ts";
import { redactUrl } from "../mqtt/url.ts";

/** What of a broker's address a probe needs. */
export interface ProbeTarget {
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: string;
  /** PEM certificate authorities to trust. */
  readonly ca?: string;
}

/** How a probe is opened. */
export interface ProbeOptions extends ProbeTarget {
  readonly clientId: string;
  /** Which MQTT version; undefined tries 5, then 3.1.1. */
  readonly version?: 4 | 5;
  /** Takes up the session of this client id, and has it kept for so many seconds. */
  readonly sessionExpiry?: number;
  /** How long the broker may take to answer, ms. */
  readonly timeout: number;
  /** Told of each message, those that waited in the session too. */
  readonly message?: (message: ProbeMessage) => void;
}

/** What a broker says of its limits (MQTT 5, 3.2.2.3). */
export type ConnackProperties = NonNullable<IConnackPacket["properties"]>;

/** A message that arrived, and when. */
export interface ProbeMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  /** When, ms since 1970. */
  readonly at: number;
}

/** Reason codes from here on are refusals (MQTT 5, 2.4; SUBACK of 3.1.1, 3.9.3). */
export const REFUSED = 0x80;

/** An open connection. */
export class Probe {
  readonly #client: MqttClient;
  readonly #gone: Promise<never>;
  readonly #url: string;
  /** 4 is MQTT 3.1.1. */
  readonly version: 4 | 5;
  /** What the broker said to CONNECT. */
  readonly connack: IConnackPacket;

  /** Takes a client that has just been let in; see {@linkcode Probe.open}. */
  constructor(
    client: MqttClient,
    version: 4 | 5,
    connack: IConnackPacket,
    url: string,
  ) {
    this.#client = client;
    this.version = version;
    this.connack = connack;
    this.#url = url;
    this.#gone = new Promise((_resolve, reject) => {
      client.once("close", () => reject(this.#lost()));
    });
    this.#gone.catch(() => {});
  }

  /** Connects. @throws {LinkError} if it cannot, in words for people */
  static async open(options: ProbeOptions): Promise<Probe> {
    const { version = 5, url } = options;
    try {
      return await connect(options, version);
    } catch (error) {
      if (options.version === undefined && isVersionRefusal(error)) {
        return await Probe.open({ ...options, version: 4 });
      }
      throw explainConnectFailure(error, redactUrl(url));
    }
  }

  /**
   * Subscribes to one filter, without what is retained if that can be said.
   *
   * @returns The QoS that is granted, or a code from {@linkcode REFUSED} on
   * @throws {LinkError} if the broker hangs up
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
        done(code ?? (error ? REFUSED : qos));
      })
    );
  }

  /** Ends a subscription. */
  async unsubscribe(filter: string): Promise<void> {
    await this.#answer((done) =>
      this.#client.unsubscribe(filter, () => done(0))
    );
  }

  /**
   * Publishes at QoS 1.
   *
   * @returns 0, or a code from {@linkcode REFUSED} on; MQTT 3.1.1 tells of none
   * @throws {LinkError} if the broker hangs up
   */
  publish(topic: string, payload: Uint8Array): Promise<number> {
    return this.#answer((done) =>
      this.#client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
        const { code } = (error ?? {}) as { code?: number };
        done(error ? Number(code ?? REFUSED) : 0);
      })
    );
  }

  /** Waits until all that the broker had to send before is here. */
  async settle(): Promise<void> {
    // It answers in order: what was to come before comes before.
    await this.unsubscribe(`occupancy-doctor/${crypto.randomUUID()}`);
  }

  /** Says goodbye. */
  close(): Promise<void> {
    return end(this.#client, false);
  }

  #answer(ask: (done: (code: number) => void) => void): Promise<number> {
    if (!this.#client.connected) return Promise.reject(this.#lost());
    return Promise.race([new Promise<number>(ask), this.#gone]);
  }

  #lost(): LinkError {
    return new LinkError(
      "closed",
      `The broker at ${redactUrl(this.#url)} hung up`,
      { hint: "Its log tells why; it may forbid what was asked for." },
    );
  }
}

async function connect(
  options: ProbeOptions,
  version: 4 | 5,
): Promise<Probe> {
  const { url, ca, clientId, sessionExpiry, timeout, message } = options;
  const client = (await connectorOf(url))({
    protocolVersion: version,
    clientId,
    clean: sessionExpiry === undefined,
    ...(version === 5 && sessionExpiry !== undefined && {
      properties: { sessionExpiryInterval: sessionExpiry },
    }),
    connectTimeout: timeout,
    reconnectPeriod: 0,
    queueQoSZero: false,
    timerVariant: "native",
    ...(ca === undefined ? {} : { ca }),
  });
  client.on(
    "message",
    (topic, payload, { retain }) =>
      message?.({ topic, payload, retain, at: Date.now() }),
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
    return new Probe(client, version, await promise, url);
  } catch (error) {
    await end(client, true);
    throw error;
  }
}

function end(client: MqttClient, force: boolean): Promise<void> {
  return new Promise((resolve) =>
    client.end(force || !client.connected, () => resolve())
  );
}
