/**
 * A connection to an MQTT broker, through mqtt.js.
 *
 * It connects with MQTT 5, or with 3.1.1 if the broker refuses that.
 *
 * mqtt.js handles one packet at a time, so a handler that waited for the commit
 * would need a commit per message. Instead the handler passes an error to its
 * callback: mqtt.js then sends no PUBACK and handles the next packet.
 * {@linkcode Link.acknowledge} later writes many PUBACKs in one buffer. Tests
 * check that mqtt.js behaves in this way.
 *
 * @module
 */
import type { IClientOptions, IPublishPacket, MqttClient } from "mqtt";
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { withJitter } from "../common/backoff.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import {
  ClientIdConflict,
  conflictError,
  conflictReason,
} from "./client_id_conflict.ts";
import {
  explainConnectFailure,
  explainPublishFailure,
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
  closedError,
  type PendingPublish,
  PendingPublishes,
  tooLargeError,
} from "./pending_publishes.ts";
import { SilenceWatch } from "./silence.ts";
import { subscribeAll } from "./subscriptions.ts";
import {
  accessOptions,
  type BrokerAccess,
  clientOptions,
  type ConnectionOptions,
  connectorOf,
  disableNagle,
  endClient,
  publishOptions,
  replaceAccess,
} from "./transport.ts";
import { loginOf, redactUrl } from "./url.ts";

export type { ConnectionOptions } from "./transport.ts";

/** An {@linkcode Incoming} with the data for its PUBACK. */
interface Received extends Incoming {
  readonly messageId: number;
  readonly stream: Duplex;
}

const SESSION_TAKEN_OVER = 0x8e; // MQTT 5, 3.14.2.1
const MIN_RECONNECT_DELAY_MS = 250;
/** The longest connections that count as brief, of a client that retries. */
const BRIEF_DURATION_MS = 10_000;
const SKIP_PUBACK = new Error("acknowledged after commit");
/** The longest packet of MQTT (MQTT 5, 2.1.4). */
const MAX_PACKET_BYTES = 268_435_455;
/** The headers of a PUBLISH, and its properties without their values. */
const HEADER_BYTES = 64;
/** Maximum UTF-8 bytes of a UTF-16 code unit. */
const MAX_BYTES_PER_CHAR = 3;

/** A {@linkcode Link} over a TCP, TLS or WebSocket connection. */
export class Connection implements Link {
  #options: ConnectionOptions;
  readonly #conflict: ClientIdConflict;
  #client: MqttClient | undefined;
  #handlers: LinkHandlers = { message: () => {} };
  #version: 4 | 5 = 5;
  #sessionPresent = false;
  #sessionExpiry = 0;
  #closed = false;
  #maxPacketBytes = MAX_PACKET_BYTES;
  readonly #pending = new PendingPublishes();
  readonly #acks = new Acknowledgements();
  readonly #silence = new SilenceWatch({
    ping: () => this.#client?.sendPing(),
    silent: (ms) => this.#handlers.silent?.(ms),
  });
  #lastError: Error | undefined;
  #reconnectDelay = MIN_RECONNECT_DELAY_MS;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#conflict = new ClientIdConflict({
      maxRetryDelay: options.maxConflictDelay,
      ...(options.onConflict === "retry" && {
        briefDuration: BRIEF_DURATION_MS,
      }),
    });
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
    const texts = MAX_BYTES_PER_CHAR *
      (topic.length + contentType.length + responseTopic.length);
    return this.#maxPacketBytes - HEADER_BYTES - texts -
      (correlationData?.length ?? 0);
  }

  /**
   * Replaces certificates, key and password. Used when it connects again.
   *
   * @param access what changed
   */
  replaceAccess(access: BrokerAccess): void {
    this.#options = { ...this.#options, ...access };
    if (this.#client === undefined) return;
    replaceAccess(this.#client, {
      ...accessOptions(this.#options),
      ...loginOf(this.#options.url),
    });
  }

  async open(handlers: LinkHandlers): Promise<void> {
    this.#handlers = handlers;
    try {
      await this.#options.beforeOpen?.();
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
    if (qos === 0) return await this.#publishNow(topic, payload, qos, options);
    await this.#pending.acquire(payload.length);
    try {
      await this.#publishNow(topic, payload, qos, options);
    } finally {
      this.#pending.release(payload.length);
    }
  }

  /**
   * Ends subscriptions of the session. The connection subscribes again to those
   * of its options when it connects again.
   *
   * @throws {Error} if it is not connected, or is closed first
   */
  async unsubscribe(filters: readonly string[]): Promise<void> {
    const client = this.#client;
    if (client === undefined || this.#closed) throw closedError();
    await client.unsubscribeAsync([...filters]);
  }

  acknowledge(messages: readonly Incoming[]): void {
    const ids = (messages as readonly Received[])
      .filter((message) => this.#isPresent(message))
      .map(({ messageId }) => messageId);
    this.#write(this.#acks.acknowledge(ids));
  }

  acknowledgeLater(message: Incoming): void {
    if (!this.#isPresent(message as Received)) return;
    this.#write(this.#acks.later((message as Received).messageId));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#silence.stop();
    const client = this.#client;
    // Without a connection there are no acknowledgements to wait for.
    if (client !== undefined) await endClient(client, !client.connected);
    this.#pending.close();
  }

  /** Tries to connect once. Resolves after the subscriptions. */
  async #connect(version: 4 | 5): Promise<void> {
    this.#version = version;
    const connect = await connectorOf(this.#options.url);
    if (this.#closed) throw closedError();
    const client = connect(this.#clientOptions(version));
    this.#client = client;
    client.handleMessage = (packet, callback) =>
      this.#onPublish(packet as IPublishPacket, callback);
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
      } else this.#onLost();
    });
    client.on("disconnect", (packet) => {
      if (packet.reasonCode === SESSION_TAKEN_OVER) {
        this.#conflict.takenOver();
        if (this.#options.onConflict !== "retry") return this.#endByConflict();
      }
      // mqtt.js would wait for the broker to close it (MQTT 5, 3.14.4).
      client.stream.destroy();
    });
    if (this.#handlers.silent !== undefined) {
      client.on("packetreceive", () => this.#silence.heard());
      client.on("connect", () => this.#silence.start());
    }
    client.on("connect", (packet) => {
      disableNagle(client.stream);
      this.#sessionPresent = packet.sessionPresent;
      this.#sessionExpiry = packet.properties?.sessionExpiryInterval ??
        this.#options.sessionExpiry ?? 0;
      this.#maxPacketBytes = packet.properties?.maximumPacketSize ??
        MAX_PACKET_BYTES;
      this.#lastError = undefined;
      this.#reconnectDelay = MIN_RECONNECT_DELAY_MS;
      client.options.reconnectPeriod = MIN_RECONNECT_DELAY_MS;
      this.#pending.limit(packet.properties?.receiveMaximum);
      subscribeAll(client, this.#options).then(
        () => {
          this.#conflict.connected(performance.now());
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
    const { will, connectTimeout = 5000, sessionExpiry } = this.#options;
    const options = clientOptions({
      ...this.#options,
      version,
      connectTimeout,
      sessionExpiry: sessionExpiry || undefined,
    });
    if (will === undefined) return options;
    const payload = Buffer.from(will.payload);
    return {
      ...options,
      will: { topic: will.topic, payload, qos: 1, retain: true },
    };
  }

  #onPublish(packet: IPublishPacket, callback: (error?: Error) => void): void {
    const properties = packet.properties;
    const message: Received = {
      topic: packet.topic,
      payload: packet.payload as Uint8Array,
      qos: packet.qos,
      retain: packet.retain,
      contentType: properties?.contentType,
      responseTopic: properties?.responseTopic,
      correlationData: properties?.correlationData,
      link: this,
      messageId: packet.messageId ?? 0,
      stream: this.#client!.stream,
    };
    if (message.qos > 0) this.#acks.add(message.messageId, message.stream);
    this.#handlers.message(message);
    callback(SKIP_PUBACK);
  }

  /**
   * The stream identifies the network connection. The event "connect" would be
   * too late: mqtt.js emits it after the messages of a resumed session.
   */
  #isPresent({ qos, stream }: Received): boolean {
    return qos > 0 && stream === this.#client?.stream;
  }

  #write(bytes: Uint8Array): void {
    const stream = this.#client?.stream;
    if (bytes.length > 0 && stream?.writable) stream.write(bytes);
  }

  #onLost(): void {
    if (this.#closed) return;
    this.#silence.stop();
    this.#pending.connectionLost((id) =>
      this.#client!.removeOutgoingMessage(id)
    );
    const isConflict = this.#conflict.disconnected(performance.now());
    const { maxReconnectDelay = 5000, onConflict } = this.#options;
    if (isConflict && onConflict !== "retry") return this.#endByConflict();
    const client = this.#client!;
    this.#reconnectDelay = isConflict
      ? this.#conflict.nextDelay
      : Math.min(this.#reconnectDelay * 2, maxReconnectDelay);
    const period = Math.round(withJitter(this.#reconnectDelay));
    client.options.reconnectPeriod = period;
    this.#handlers.down?.(
      isConflict
        ? conflictReason(this.#options.clientId)
        : this.#lastError === undefined
        ? "the broker closed the connection"
        : this.#explain(this.#lastError).message,
      isConflict,
    );
  }

  #endByConflict(): void {
    const client = this.#client!;
    client.options.reconnectPeriod = 0;
    this.#closed = true;
    this.#silence.stop();
    client.end(true);
    this.#pending.close();
    this.#handlers.failed?.(
      conflictError(this.description, this.#options.clientId),
    );
  }

  #explain(error: unknown): LinkError {
    return error instanceof LinkError
      ? error
      : explainConnectFailure(error, this.description, this.#options);
  }

  #publishNow(
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1,
    options: PublishOptions,
  ): Promise<void> {
    const client = this.#client;
    if (client === undefined || this.#closed) {
      return Promise.reject(closedError());
    }
    const bytes = payload.length;
    if (bytes > this.maxPayload(topic, options)) {
      return Promise.reject(tooLargeError(topic, bytes));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const pending: PendingPublish = {
      reject,
      topic,
      bytes,
      messageId: undefined,
    };
    this.#pending.add(pending);
    client.publish(
      topic,
      Buffer.from(payload.buffer, payload.byteOffset, bytes),
      publishOptions(this.#version, qos, options),
      (error) => {
        this.#pending.delete(pending);
        if (error) reject(explainPublishFailure(error, topic));
        else resolve();
      },
    );
    if (qos === 1) pending.messageId = client.getLastMessageId();
    return promise;
  }
}
