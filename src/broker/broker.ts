/**
 * The embedded broker: aedes (MQTT 3.1.1) in this process. The only file that
 * imports `aedes`.
 *
 * The server does not connect to it. Its messages are taken in aedes'
 * `authorizePublish` hook, which comes before the acknowledgement, and are
 * published by a call.
 *
 * What it does not promise: retained messages and sessions live as long as the
 * process does, and sessions are bounded (see {@linkcode BrokerOptions}) but
 * not their number, nor that of retained messages; a session never expires.
 * There is no MQTT 5 (it is refused with CONNACK 1), and there are no users.
 *
 * @module
 */
import { Aedes, type Client, type PublishPacket } from "aedes";
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { type Broker, BROKER_DEFAULTS, type BrokerOptions } from "./options.ts";
import { guardStream } from "./client_stream.ts";
import { Lane } from "./ack_queue.ts";
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
} from "./listeners.ts";
import {
  SESSION_METHODS,
  type SessionOwner,
  type SessionPacket,
  Sessions,
} from "./sessions.ts";
import { Tap } from "./publish_interceptor.ts";
import { TopicSet } from "./topic_set.ts";

export type { Broker, BrokerOptions } from "./options.ts";
export type { Endpoint, TlsIdentity } from "./listeners.ts";

/** Unsent bytes at which the sender waits: enough for a hiccup of a good client. */
const SOFT_UNSENT_BYTES = 1024 * 1024;
/** How long close() waits for what is under way to be sent, in ms. */
const FLUSH_TIMEOUT = 1_000;
/** The longest that aedes' timers can be set to: it multiplies this by 4. */
const HARDLY_EVER = Math.floor((2 ** 31 - 1) / 4);

/** CONNACK 1 (3.2.2.3): a client of MQTT 5 asks, and falls back. */
const WRONG_VERSION = 1;

/** Marks a packet that is acknowledged but goes to nobody. */
const UNROUTED = Symbol("unrouted");
type Routed = PublishPacket & { [UNROUTED]?: true };

/** The parts of aedes 1.2.0 that its types leave out. */
interface AedesInside {
  persistence: Record<string, unknown>;
  publish(
    packet: Routed,
    client: unknown,
    done?: (error?: Error | null) => void,
  ): void;
}

/** A client as aedes has it. */
type AedesClient = Client & SessionOwner & {
  deliverQoS(packet: SessionPacket, done: () => void): void;
};

/**
 * An embedded broker, not yet listening: {@linkcode Link.open} does that.
 *
 * @throws {TypeError} if a filter is not of the form that the options ask for
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
  readonly #tapped: TopicSet;
  readonly #reserved: TopicSet;
  readonly #tap = new Tap();
  readonly #sessions: Sessions;
  /** The order of what the server publishes to itself. */
  readonly #ownLane = new Lane();
  readonly #lanes = new WeakMap<Client, Lane>();
  readonly #admitted = new WeakSet<Client>();
  readonly #dropped = new WeakSet<Client>();
  readonly #streams = new Set<Duplex>();
  /** True once a client has subscribed to something that the server takes in. */
  #shared = false;
  #aedes: Aedes | undefined;
  #tcp: Listener | undefined;
  #tls: Listener | undefined;
  #ws: Listener | undefined;
  /** Calls of publish() that are not settled. */
  #publishing = 0;
  #allPublished: (() => void) | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerOptions) {
    this.#options = { ...BROKER_DEFAULTS, ...options };
    this.#tapped = new TopicSet(this.#options.subscriptions);
    this.#reserved = new TopicSet(this.#options.reserved);
    this.#sessions = new Sessions({
      maxMessages: this.#options.maxSessionMessages,
      maxBytes: this.#options.maxSessionBytes,
      onFull: (clientId) => this.#options.sessionFull?.(clientId),
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

  open(handlers: LinkHandlers): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(notOpen());
    this.#opening ??= this.#open(handlers);
    return this.#opening;
  }

  async #open(handlers: LinkHandlers): Promise<void> {
    const { ws, tls, maxPacketBytes } = this.#options;
    this.#tap.connect((message) => handlers.message(message));
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
      return Promise.reject(notOpen());
    }
    if (topic === "" || /[+#]/.test(topic)) {
      return Promise.reject(refusal(topic, new Error("not a topic name")));
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
    if (this.#tapped.has(topic)) {
      this.#tap.take({ topic, payload, qos }, this.#ownLane, () => {});
    }
    this.#publishing++;
    return new Promise((resolve, reject) => {
      aedes.publish(packet, (error) => {
        if (--this.#publishing === 0) this.#allPublished?.();
        if (!error) resolve();
        else reject(refusal(topic, error));
      });
    });
  }

  acknowledge(messages: readonly Incoming[]): void {
    this.#tap.acknowledge(messages);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // If it is still opening: what it has then got must be given back.
    await this.#opening?.catch(() => {});
    await this.#end();
  }

  async #end(): Promise<void> {
    const listeners = [this.#tcp, this.#tls, this.#ws]
      .filter((listener) => listener !== undefined);
    for (const listener of listeners) listener.stop();
    this.#tap.connect(undefined);
    await this.#flush();
    const aedes = this.#aedes;
    if (aedes !== undefined) {
      await new Promise<void>((resolve) => aedes.close(resolve));
    }
    for (const stream of this.#streams) stream.destroy();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  /** Sends each client what is published, and the end of the stream. */
  async #flush(): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, FLUSH_TIMEOUT);
    const published = new Promise<void>((resolve) => {
      this.#allPublished = resolve;
      if (this.#publishing === 0) resolve();
    });
    await Promise.race([published, timeout.promise]);
    const ended = Promise.all(
      Array.from(this.#streams, (stream) =>
        new Promise<void>((resolve) => {
          stream.once("close", resolve);
          stream.end(resolve);
        })),
    );
    await Promise.race([ended, timeout.promise]);
    clearTimeout(timer);
  }

  async #createAedes(): Promise<Aedes> {
    const { drainTimeout, connectTimeout } = this.#options;
    const aedes = new Aedes({
      // No limit over all: a client that does not read would use it up, and
      // hold up messages to all others. Each connection has its own limits.
      concurrency: 0,
      // What follows CONNECT in one read waits for it; the read is the limit.
      queueLimit: Infinity,
      heartbeatInterval: HARDLY_EVER,
      drainTimeout,
      connectTimeout,
      authorizePublish: (client, packet, done) =>
        this.#authorize(client, packet, done),
      authorizeSubscribe: (_client, subscription, done) => {
        this.#shared ||= this.#tapped.meets(subscription.topic);
        done(null, subscription);
      },
      authorizeForward: (client, packet) =>
        this.#sessions.forwards(
            client as AedesClient,
            packet as SessionPacket,
          )
          ? packet
          : null,
    });
    await aedes.listen();
    useSessions(aedes, this.#sessions);
    skipUnrouted(aedes);
    aedes.on("clientReady", (client) => {
      this.#admitted.add(client);
      const ready = client as AedesClient;
      for (const packet of this.#sessions.ready(ready)) {
        ready.deliverQoS(packet, () => {});
      }
    });
    const dropped = (client: Client, error: Error & { errorCode?: number }) => {
      if (error.errorCode === WRONG_VERSION) return;
      // aedes says it once for each message on the way to it.
      if (this.#closing !== undefined || this.#dropped.has(client)) return;
      this.#dropped.add(client);
      this.#options.dropped?.(client.id ?? undefined, error.message);
    };
    aedes.on("clientError", dropped);
    aedes.on("connectionError", dropped);
    return aedes;
  }

  #accept(stream: Duplex): void {
    const { maxPacketBytes, maxUnsentBytes } = this.#options;
    const lane = new Lane();
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    guardStream(stream, {
      maxPacketBytes,
      softBufferBytes: SOFT_UNSENT_BYTES,
      hardBufferBytes: maxUnsentBytes,
      // Nothing is read past CONNECT until it is answered: aedes would take it
      // before it knows whose it is. Whenever this says no, aedes asks again,
      // as it does after each packet that it is done with.
      mayRead: (packets) =>
        this.#closing === undefined && !lane.full &&
        (packets === 0 || this.#admitted.has(client)),
    });
    const client = this.#aedes!.handle(stream);
    this.#lanes.set(client, lane);
  }

  /** Called for each message of a client, its will too, before its acknowledgement. */
  #authorize(
    client: Client | null,
    packet: Routed,
    done: (error?: Error | null) => void,
  ): void {
    const lane = client === null ? undefined : this.#lanes.get(client);
    if (client === null || lane === undefined || this.#closing !== undefined) {
      // Only wills come now, of clients that are cut off as the broker closes.
      done(new Error("the broker is closing"));
      return;
    }
    const { topic } = packet;
    if (topic.startsWith("$") || this.#reserved.has(topic)) {
      packet[UNROUTED] = true;
      this.#options.refused?.(client.id, topic);
      lane.pass(done);
      return;
    }
    // A copy: the payload is a view of all that was read at once.
    if (packet.retain) packet.payload = Buffer.from(packet.payload);
    const repeated = packet.qos === 2 &&
      this.#sessions.hasReceived(client.id, packet.messageId ?? -1);
    if (repeated || !this.#tapped.has(topic)) {
      lane.pass(done);
      return;
    }
    // Routing costs more than all the rest; it would find nobody.
    if (!packet.retain && !this.#shared) packet[UNROUTED] = true;
    const payload = packet.payload as Buffer;
    this.#tap.take({ topic, payload, qos: packet.qos }, lane, done);
  }
}

/** Puts our session state in the place of aedes' own. */
function useSessions(aedes: Aedes, sessions: Sessions): void {
  const { persistence } = aedes as unknown as AedesInside;
  for (const method of SESSION_METHODS) {
    persistence[method] = sessions[method].bind(sessions);
  }
}

/** Ends the way of packets that are marked, after their acknowledgement. */
function skipUnrouted(aedes: Aedes): void {
  const inside = aedes as unknown as AedesInside;
  const route = inside.publish.bind(aedes);
  inside.publish = (packet, client, done) => {
    if (packet[UNROUTED]) done?.(null);
    else route(packet, client, done);
  };
}

function notOpen(): LinkError {
  return new LinkError("closed", "The embedded broker is not open");
}

function refusal(topic: string, cause: Error): LinkError {
  return new LinkError(
    "refused",
    `The embedded broker does not take a message to ${topic}: ${cause.message}`,
    { cause },
  );
}
