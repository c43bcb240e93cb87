/**
 * A connection to somebody's MQTT broker.
 *
 * MQTT 5 is tried first and 3.1.1 when the broker refuses it. Acknowledgements
 * wait for {@linkcode Link.acknowledge}: mqtt.js handles packets one at a time,
 * so waiting inside its handler would allow one commit a message. An error given
 * to the handler's callback makes it skip the PUBACK and go on with the next
 * packet; the PUBACKs are then written here, many in one buffer. A test pins it.
 *
 * @module
 */
import type {
  IClientOptions,
  IClientPublishOptions,
  IPublishPacket,
  MqttClient,
} from "mqtt";
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Contention } from "./client_id_conflict.ts";
import {
  explainConnectFailure,
  explainPublishFailure,
  explainSubscribeFailure,
  isVersionRefusal,
} from "./failure.ts";
import {
  type Incoming,
  type Link,
  LinkError,
  type LinkHandlers,
  type PublishOptions,
} from "./link.ts";
import {
  closed,
  type Pending,
  PendingPublishes,
  tooLong,
} from "./pending_publishes.ts";
import { connectorOf, endClient } from "./transport.ts";
import { redactUrl } from "./url.ts";

/** How to reach the broker, and as whom. */
export interface ConnectionOptions {
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`, with optional `user:password@`. */
  readonly url: string;
  /** MQTT client identifier; unique on the broker. */
  readonly clientId: string;
  /** Topic filters to subscribe to at QoS 1, again after each reconnect. */
  readonly subscriptions?: readonly string[];
  /** Topic filters to subscribe to at QoS 0: a session keeps nothing of these. */
  readonly liveSubscriptions?: readonly string[];
  /** Published by the broker, retained at QoS 1, if this connection dies. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array };
  /** How long the broker may take to answer, in ms. Default 5,000. */
  readonly connectTimeout?: number;
  /** Longest pause between attempts after a loss, in ms. Default 5,000. */
  readonly maxReconnectDelay?: number;
  /**
   * Asks the broker to keep subscriptions, and QoS 1 messages that arrive while
   * this client is away, for so many seconds (MQTT 5, 3.1.2.11.2; MQTT 3.1.1 has
   * no limit). Default 0: nothing is kept.
   */
  readonly sessionExpiry?: number;
  /** PEM certificate authorities to trust instead of the system's. */
  readonly ca?: string;
}

/** An {@linkcode Incoming} that knows which connection must acknowledge it. */
interface Received extends Incoming {
  readonly messageId: number;
  readonly stream: Duplex;
}

const SESSION_TAKEN_OVER = 0x8e; // MQTT 5, 3.14.2.1
const FIRST_RECONNECT_DELAY = 250;
const SKIP_PUBACK = new Error("acknowledged after commit");
/** QoS 1 messages under way at once where the broker names no lower limit. */
const MAX_INFLIGHT = 1000;
/** The longest packet that MQTT has (MQTT 5, 2.1.4). */
const MAX_PACKET_BYTES = 268_435_455;
/** Room for the headers of a PUBLISH, and its properties without their contents. */
const HEADER_BYTES = 64;

/** A {@linkcode Link} over a TCP, TLS or WebSocket connection. */
export class Connection implements Link {
  #options: ConnectionOptions;
  readonly #contention = new Contention();
  #client: MqttClient | undefined;
  #handlers: LinkHandlers = { message: () => {} };
  #version: 4 | 5 = 5;
  #sessionPresent = false;
  #sessionExpiry = 0;
  #closed = false;
  #maxPacketBytes = MAX_PACKET_BYTES;
  readonly #pending = new PendingPublishes();
  #lastError: Error | undefined;
  #reconnectDelay = FIRST_RECONNECT_DELAY;
  #inflight = 0;
  #maxInflight = MAX_INFLIGHT;
  #waiting: (() => void)[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get description(): string {
    return redactUrl(this.#options.url);
  }

  get mqttVersion(): 4 | 5 {
    return this.#version;
  }

  get sessionPresent(): boolean {
    return this.#sessionPresent;
  }

  get sessionExpiry(): number {
    return this.#sessionExpiry;
  }

  maxPayload(topic: string, options: PublishOptions = {}): number {
    const { contentType = "", responseTopic = "", correlationData } = options;
    const texts = 3 *
      (topic.length + contentType.length + responseTopic.length);
    return this.#maxPacketBytes - HEADER_BYTES - texts -
      (correlationData?.length ?? 0);
  }

  /**
   * Replaces the certificate authorities to trust. Used when it connects again.
   *
   * @param pem certificates in PEM format
   */
  setCa(pem: string): void {
    this.#options = { ...this.#options, ca: pem };
    if (this.#client !== undefined) this.#client.options.ca = pem;
  }

  async open(handlers: LinkHandlers): Promise<void> {
    this.#handlers = handlers;
    try {
      await this.#connect(5);
    } catch (error) {
      if (!isVersionRefusal(error)) throw this.#explain(error);
      try {
        await this.#connect(4);
      } catch (second) {
        throw this.#explain(second);
      }
    }
    this.#handlers.up?.();
  }

  async publish(
    topic: string,
    payload: Uint8Array,
    options: PublishOptions = {},
  ): Promise<void> {
    const qos = options.qos ?? 0;
    if (qos === 1) await this.#takeInflight();
    try {
      await this.#publishNow(topic, payload, qos, options);
    } finally {
      if (qos === 1) this.#giveInflight();
    }
  }

  acknowledge(messages: readonly Incoming[]): void {
    const stream = this.#client?.stream;
    if (stream === undefined || !stream.writable) return;
    const frames = Buffer.allocUnsafe(messages.length * 4);
    let end = 0;
    for (const message of messages as readonly Received[]) {
      // Each network connection has its own stream; mqtt.js' events come too late
      // to tell: a resumed session delivers before "connect" is emitted.
      if (message.qos === 0 || message.stream !== stream) continue;
      frames[end++] = 0x40; // PUBACK (MQTT 5, 3.4)
      frames[end++] = 2;
      frames[end++] = message.messageId >>> 8;
      frames[end++] = message.messageId & 0xff;
    }
    if (end > 0) stream.write(frames.subarray(0, end));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const client = this.#client;
    // A graceful end waits for acknowledgements; a lost connection has none to wait for.
    if (client !== undefined) await endClient(client, !client.connected);
    this.#abandon();
  }

  /** What is not settled never will be: mqtt.js does not say so. */
  #abandon(): void {
    for (const wake of this.#waiting.splice(0)) wake();
    this.#pending.abandon();
  }

  /** One attempt with one protocol version; resolves once subscribed. */
  async #connect(version: 4 | 5): Promise<void> {
    this.#version = version;
    const connect = await connectorOf(this.#options.url);
    if (this.#closed) throw closed();
    const client = connect(this.#clientOptions(version));
    this.#client = client;
    client.handleMessage = (packet, callback) =>
      this.#receive(packet as IPublishPacket, callback);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let opened = false;
    client.on("error", (error) => {
      this.#lastError = error;
      if (!opened) reject(error);
    });
    client.on("close", () => {
      if (!opened) {
        reject(
          this.#lastError ?? new Error("connection closed before CONNACK"),
        );
      } else this.#lost();
    });
    client.on("disconnect", (packet) => {
      if (packet.reasonCode === SESSION_TAKEN_OVER) this.#takenOver();
    });
    client.on("connect", (packet) => {
      sendAtOnce(client.stream);
      this.#sessionPresent = packet.sessionPresent;
      this.#sessionExpiry = packet.properties?.sessionExpiryInterval ??
        this.#options.sessionExpiry ?? 0;
      this.#maxPacketBytes = packet.properties?.maximumPacketSize ??
        MAX_PACKET_BYTES;
      this.#lastError = undefined;
      this.#reconnectDelay = FIRST_RECONNECT_DELAY;
      client.options.reconnectPeriod = FIRST_RECONNECT_DELAY;
      this.#maxInflight = Math.min(
        packet.properties?.receiveMaximum ?? MAX_INFLIGHT,
        MAX_INFLIGHT,
      );
      this.#subscribe(client).then(
        () => {
          this.#contention.up(performance.now());
          if (opened) this.#handlers.up?.();
          else resolve();
          opened = true;
        },
        (error) => opened ? client.stream.destroy(error) : reject(error),
      );
    });
    try {
      await promise;
    } catch (error) {
      await endClient(client, true);
      throw error;
    }
  }

  #clientOptions(version: 4 | 5): IClientOptions {
    const { clientId, will, ca, connectTimeout = 5000, sessionExpiry = 0 } =
      this.#options;
    return {
      protocolVersion: version,
      clientId,
      clean: sessionExpiry === 0,
      ...(version === 5 && sessionExpiry > 0 && {
        properties: { sessionExpiryInterval: sessionExpiry },
      }),
      keepalive: 30,
      connectTimeout,
      reconnectPeriod: 0, // until the first success: a wrong address fails at once
      resubscribe: false, // done here, so that up() comes after it
      queueQoSZero: false,
      timerVariant: "native",
      writeCache: false, // of all 65,536 packet identifiers: 15 ms and 17 MB
      ...(ca === undefined ? {} : { ca }),
      ...(will === undefined ? {} : {
        will: {
          topic: will.topic,
          payload: Buffer.from(will.payload),
          qos: 1,
          retain: true,
        },
      }),
    };
  }

  async #subscribe(client: MqttClient): Promise<void> {
    const { subscriptions = [], liveSubscriptions = [] } = this.#options;
    const filters = [...subscriptions, ...liveSubscriptions];
    if (filters.length === 0) return;
    try {
      await client.subscribeAsync(Object.fromEntries([
        ...subscriptions.map((filter) => [filter, { qos: 1 }]),
        ...liveSubscriptions.map((filter) => [filter, { qos: 0 }]),
      ]));
    } catch (error) {
      throw explainSubscribeFailure(error, filters);
    }
  }

  #receive(packet: IPublishPacket, callback: (error?: Error) => void): void {
    const properties = packet.properties;
    const message: Received = {
      topic: packet.topic,
      payload: packet.payload as Uint8Array,
      qos: packet.qos,
      retain: packet.retain,
      contentType: properties?.contentType,
      responseTopic: properties?.responseTopic,
      correlationData: properties?.correlationData,
      messageId: packet.messageId ?? 0,
      stream: this.#client!.stream,
    };
    this.#handlers.message(message);
    callback(SKIP_PUBACK);
  }

  #lost(): void {
    if (this.#closed) return;
    this.#pending.lost((id) => this.#client!.removeOutgoingMessage(id));
    if (this.#contention.down(performance.now())) return this.#takenOver();
    const client = this.#client!;
    const { maxReconnectDelay = 5000 } = this.#options;
    this.#reconnectDelay = Math.min(
      this.#reconnectDelay * 2,
      maxReconnectDelay,
    );
    // Spread, so that a fleet does not come back in one instant.
    client.options.reconnectPeriod = Math.round(
      this.#reconnectDelay * (0.5 + Math.random() / 2),
    );
    this.#handlers.down?.(
      this.#lastError === undefined
        ? "the broker closed the connection"
        : explainConnectFailure(this.#lastError, this.description).message,
    );
  }

  #takenOver(): void {
    const client = this.#client!;
    client.options.reconnectPeriod = 0;
    this.#closed = true;
    client.end(true);
    this.#abandon();
    this.#handlers.failed?.(
      new LinkError(
        "refused",
        `Another program connected to ${this.description} with the client id "${this.#options.clientId}"`,
        {
          hint:
            "Stop one of them, or give this one a --name and a --prefix of its own.",
        },
      ),
    );
  }

  #explain(error: unknown): LinkError {
    return error instanceof LinkError
      ? error
      : explainConnectFailure(error, this.description);
  }

  #publishNow(
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1,
    options: PublishOptions,
  ): Promise<void> {
    const client = this.#client;
    if (client === undefined || this.#closed) return Promise.reject(closed());
    const bytes = payload.length;
    if (bytes > this.maxPayload(topic, options)) {
      return Promise.reject(tooLong(topic, bytes));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const pending: Pending = { reject, topic, bytes, messageId: undefined };
    this.#pending.add(pending);
    client.publish(
      topic,
      Buffer.from(payload.buffer, payload.byteOffset, bytes),
      this.#publishOptions(qos, options),
      (error) => {
        this.#pending.delete(pending);
        if (error) reject(explainPublishFailure(error, topic));
        else resolve();
      },
    );
    if (qos === 1) pending.messageId = client.getLastMessageId();
    return promise;
  }

  #publishOptions(qos: 0 | 1, options: PublishOptions): IClientPublishOptions {
    const { retain = false, contentType, responseTopic, correlationData } =
      options;
    if (this.#version === 4) return { qos, retain };
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

  /** Keeps to the broker's Receive Maximum (MQTT 5, 3.3.4). */
  async #takeInflight(): Promise<void> {
    while (this.#inflight >= this.#maxInflight && !this.#closed) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    this.#inflight++;
  }

  #giveInflight(): void {
    this.#inflight--;
    this.#waiting.shift()?.();
  }
}

/**
 * Turns Nagle's algorithm off: with it the end of a reply waits 40 ms for the
 * peer's delayed acknowledgement. WebSockets have it off already.
 */
function sendAtOnce(stream: Duplex): void {
  if (stream instanceof Socket) stream.setNoDelay(true);
}
