/**
 * The embedded broker: aedes (MQTT 3.1.1) in this process. The other files use
 * only types of `aedes`.
 *
 * The server does not connect to it: it publishes through a method, and aedes'
 * hook `authorizePublish` passes messages to it before their acknowledgement.
 *
 * Its limits: retained messages and sessions are in memory and end with the
 * process. The size of a session is limited (see {@linkcode BrokerOptions});
 * the number of sessions and of retained messages is not. Sessions do not
 * expire. There are no users. MQTT 5 is refused with CONNACK 1.
 *
 * @module
 */
import { Aedes, type Client, type PublishPacket } from "aedes";
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { delay } from "../common/async.ts";
import { type Broker, BROKER_DEFAULTS, type BrokerOptions } from "./options.ts";
import { guardStream } from "./client_stream.ts";
import {
  type Incoming,
  LinkError,
  type LinkHandlers,
  type PublishOptions,
} from "../mqtt/link.ts";
import {
  type Endpoint,
  type Listener,
  listenTcp,
  listenTls,
  listenWebSocket,
  problemOf,
} from "./listeners.ts";
import {
  type SessionOwner,
  type SessionPacket,
  Sessions,
  useSessions,
} from "./sessions.ts";
import { AckQueue, PublishInterceptor } from "./publish_interceptor.ts";
import {
  keepPublishOrder,
  type RoutedPacket,
  UNROUTED,
} from "./publish_order.ts";
import { observeSubscribers } from "./subscribers.ts";
import { TopicSet } from "./topic_set.ts";

export type { Broker, BrokerOptions } from "./options.ts";
export type { Endpoint, TlsIdentity } from "./listeners.ts";

/** Unsent bytes for a client above which its publishers wait. */
const SOFT_UNSENT_BYTES = 1024 * 1024;
/** Maximum time that close() waits for published messages to be sent. */
const FLUSH_TIMEOUT_MS = 1_000;
/** aedes starts a timer of 4 times this value, at most 2^31 - 1 ms. */
const MAX_HEARTBEAT_INTERVAL_MS = Math.floor((2 ** 31 - 1) / 4);

/** CONNACK 1 (3.2.2.3), after which a client of MQTT 5 tries MQTT 3.1.1. */
const UNSUPPORTED_VERSION = 1;

/** A client of aedes, with a method that its types omit. */
type AedesClient = Client & SessionOwner & {
  deliverQoS(packet: SessionPacket, done: () => void): void;
};

/**
 * Creates an embedded broker. {@linkcode Link.open} makes it listen.
 *
 * @param options where to listen, and limits
 * @throws {TypeError} if a filter has a wildcard other than a last `/#`
 *
 * @example
 * ```ts
 * import { createBroker } from "./broker.ts";
 *
 * const broker = createBroker({
 *   host: "127.0.0.1",
 *   port: 0,
 *   subscriptions: ["occupancy/data/#"],
 * });
 * console.log(broker.description); // embedded broker on 127.0.0.1:0
 * ```
 */
export function createBroker(options: BrokerOptions): Broker {
  return new EmbeddedBroker(options);
}

class EmbeddedBroker implements Broker {
  readonly mqttVersion = 4;
  readonly #options: BrokerOptions & typeof BROKER_DEFAULTS;
  readonly #subscriptions: TopicSet;
  readonly #reserved: TopicSet;
  readonly #interceptor = new PublishInterceptor();
  readonly #sessions: Sessions;
  /** The server's messages to itself. */
  readonly #ownQueue = new AckQueue();
  readonly #queues = new WeakMap<Client, AckQueue>();
  /** Clients that have received CONNACK. */
  readonly #admitted = new WeakSet<Client>();
  /** Clients whose disconnection was reported. */
  readonly #dropped = new WeakSet<Client>();
  readonly #streams = new Set<Duplex>();
  #isReceived: ((topic: string) => boolean) | undefined;
  /** True after a client has subscribed to a topic of the server. */
  #hasSubscribers = false;
  #aedes: Aedes | undefined;
  #tcp: Listener | undefined;
  #tls: Listener | undefined;
  #ws: Listener | undefined;
  /** Calls of publish() without a result yet. */
  #publishing = 0;
  #onAllPublished: (() => void) | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerOptions) {
    this.#options = { ...BROKER_DEFAULTS, ...options };
    this.#subscriptions = new TopicSet(this.#options.subscriptions);
    this.#reserved = new TopicSet(this.#options.reserved);
    this.#sessions = new Sessions({
      maxMessages: this.#options.maxSessionMessages,
      maxBytes: this.#options.maxSessionBytes,
      onFull: (clientId) => this.#options.onSessionFull?.(clientId),
    });
  }

  get description(): string {
    return `embedded broker on ${this.address.host}:${this.address.port}`;
  }

  get address(): Endpoint {
    const { host, port } = this.#tcp?.address ?? this.#options;
    return { host, port };
  }

  get clients(): number {
    return this.#aedes?.connectedClients ?? 0;
  }

  get wsAddress(): Endpoint | undefined {
    return this.#ws?.address;
  }

  get tlsAddress(): Endpoint | undefined {
    return this.#tls?.address;
  }

  get acceptProblem(): string | undefined {
    return problemOf([this.#tcp, this.#tls, this.#ws]);
  }

  open(handlers: LinkHandlers): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    this.#opening ??= this.#open(handlers);
    return this.#opening;
  }

  async #open(handlers: LinkHandlers): Promise<void> {
    const { ws, tls, maxPacketBytes } = this.#options;
    this.#interceptor.connect((message) => handlers.message(message));
    this.#aedes = await this.#createAedes();
    const accept = (stream: Duplex) => this.#accept(stream);
    try {
      this.#tcp = await listenTcp(this.#options, accept);
      if (tls !== undefined) this.#tls = await listenTls(tls, accept);
      if (ws !== undefined) {
        this.#ws = await listenWebSocket(ws, accept, maxPacketBytes);
      }
    } catch (error) {
      this.#closing = this.#end();
      await this.#closing;
      throw error;
    }
    handlers.up?.();
  }

  publish(
    topic: string,
    payload: Uint8Array,
    { qos = 0, retain = false }: PublishOptions = {},
  ): Promise<void> {
    const aedes = this.#aedes;
    if (aedes === undefined || this.#closing !== undefined) {
      return Promise.reject(closedError());
    }
    if (topic === "" || /[+#]/.test(topic)) {
      return Promise.reject(refusedError(topic, new Error("not a topic name")));
    }
    const { buffer, byteOffset, byteLength } = payload;
    const packet: PublishPacket = {
      cmd: "publish",
      topic,
      payload: Buffer.from(buffer, byteOffset, byteLength), // a view
      qos,
      retain,
      dup: false,
    };
    if (this.#subscriptions.has(topic)) {
      this.#interceptor.intercept(
        { topic, payload, qos },
        this.#ownQueue,
        () => {},
      );
    }
    this.#publishing++;
    return new Promise((resolve, reject) => {
      aedes.publish(packet, (error) => {
        if (--this.#publishing === 0) this.#onAllPublished?.();
        if (!error) resolve();
        else reject(refusedError(topic, error));
      });
    });
  }

  hasSubscriber(topic: string): boolean {
    return this.#isReceived?.(topic) ?? false;
  }

  acknowledge(messages: readonly Incoming[]): void {
    this.#interceptor.acknowledge(messages);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // open() may still be creating listeners that must be closed.
    await this.#opening?.catch(() => {});
    await this.#end();
  }

  async #end(): Promise<void> {
    const listeners = [this.#tcp, this.#tls, this.#ws]
      .filter((listener) => listener !== undefined);
    for (const listener of listeners) listener.stop();
    this.#interceptor.connect(undefined);
    await this.#flush();
    await new Promise<void>((resolve) =>
      this.#aedes === undefined ? resolve() : this.#aedes.close(resolve)
    );
    for (const stream of this.#streams) stream.destroy();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  /** Waits until all published messages are sent, and ends the streams. */
  async #flush(): Promise<void> {
    const done = new AbortController();
    const timeout = delay(FLUSH_TIMEOUT_MS, done.signal);
    const published = new Promise<void>((resolve) => {
      this.#onAllPublished = resolve;
      if (this.#publishing === 0) resolve();
    });
    await Promise.race([published, timeout]);
    const ended = Promise.all(
      Array.from(this.#streams, async (stream) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        stream.once("close", resolve).end(resolve);
        await promise;
      }),
    );
    await Promise.race([ended, timeout]);
    done.abort();
  }

  async #createAedes(): Promise<Aedes> {
    const { connectTimeout } = this.#options;
    const aedes = new Aedes({
      // No common limit: a client that does not read would block all others.
      // Each connection has its own limits.
      concurrency: 0,
      // Packets that follow CONNECT in the same read wait for it; the size of
      // the read limits them.
      queueLimit: Infinity,
      heartbeatInterval: MAX_HEARTBEAT_INTERVAL_MS,
      drainTimeout: 0, // guardStream() detects clients that do not read
      connectTimeout,
      authorizePublish: (client, packet, done) =>
        this.#onPublish(client, packet, done),
      authorizeSubscribe: (_client, subscription, done) => {
        const { topic } = subscription;
        this.#hasSubscribers ||= this.#subscriptions.overlaps(topic);
        done(null, subscription);
      },
      authorizeForward: (client, packet) => {
        const to = client as AedesClient;
        return this.#sessions.mayForward(to, packet as SessionPacket)
          ? packet
          : null;
      },
    });
    await aedes.listen();
    useSessions(aedes, this.#sessions);
    this.#isReceived = observeSubscribers(aedes);
    keepPublishOrder(aedes);
    aedes.on("clientReady", (client) => {
      this.#admitted.add(client);
      const ready = client as AedesClient;
      for (const packet of this.#sessions.markReady(ready)) {
        ready.deliverQoS(packet, () => {});
      }
    });
    const onError = (client: Client, error: Error & { errorCode?: number }) => {
      if (error.errorCode === UNSUPPORTED_VERSION) return;
      // aedes repeats the error for each message to the client.
      if (this.#closing !== undefined || this.#dropped.has(client)) return;
      this.#dropped.add(client);
      this.#options.onDropped?.(client.id ?? undefined, error.message);
    };
    aedes.on("clientError", onError);
    aedes.on("connectionError", onError);
    return aedes;
  }

  #accept(stream: Duplex): void {
    const { maxPacketBytes, maxUnsentBytes, drainTimeout } = this.#options;
    const queue = new AckQueue();
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    guardStream(stream, {
      maxPacketBytes,
      softBufferBytes: SOFT_UNSENT_BYTES,
      hardBufferBytes: maxUnsentBytes,
      drainTimeout,
      // Packets after CONNECT wait until it is answered: before that, aedes
      // handles them without a client id. aedes reads again after each packet
      // that it has handled, so a refused read is repeated.
      mayRead: (packets) =>
        this.#closing === undefined && !queue.full &&
        (packets === 0 || this.#admitted.has(client)),
    });
    const client = this.#aedes!.handle(stream);
    this.#queues.set(client, queue);
  }

  /** Called before a message, or the will, of a client is acknowledged. */
  #onPublish(
    client: Client | null,
    packet: RoutedPacket,
    done: (error?: Error | null) => void,
  ): void {
    const queue = client === null ? undefined : this.#queues.get(client);
    if (client === null || queue === undefined || this.#closing !== undefined) {
      // This is the will of a client that close() has disconnected.
      done(new Error("the broker is closing"));
      return;
    }
    const { topic } = packet;
    const isForServer = topic === this.#options.peerTopic;
    if (!isForServer && (topic.startsWith("$") || this.#reserved.has(topic))) {
      packet[UNROUTED] = true;
      this.#options.onRefused?.(client.id, topic);
      queue.pass(done);
      return;
    }
    // Copied: a view would retain the whole buffer of the socket.
    if (packet.retain) packet.payload = Buffer.from(packet.payload);
    const repeated = packet.qos === 2 &&
      this.#sessions.hasReceived(client.id, packet.messageId ?? -1);
    if (repeated || !(isForServer || this.#subscriptions.has(topic))) {
      queue.pass(done);
      return;
    }
    // No client subscribes: routing, the most expensive step, is not needed.
    if (isForServer || (!packet.retain && !this.#hasSubscribers)) {
      packet[UNROUTED] = true;
    }
    const payload = packet.payload as Buffer;
    this.#interceptor.intercept(
      { topic, payload, qos: packet.qos },
      queue,
      done,
    );
  }
}

function closedError(): LinkError {
  return new LinkError("closed", "The embedded broker is not open");
}

function refusedError(topic: string, cause: Error): LinkError {
  return new LinkError(
    "refused",
    `Cannot publish to ${topic}: refused by the embedded broker (${cause.message})`,
    { cause },
  );
}
