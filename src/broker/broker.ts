/**
 * The embedded broker: MQTT 3.1.1 and 5 in this process.
 *
 * The server does not connect to it: it publishes by a function call, and the
 * broker passes messages of clients to it before they are acknowledged.
 *
 * @module
 */
import { doneWithin } from "../common/async.ts";
import { nextTurn, untilNextTurn } from "../common/next_turn.ts";
import type {
  BrokerState,
  Incoming,
  IncomingRun,
  LinkHandlers,
  PublishOptions,
} from "../mqtt/link.ts";
import { LinkError } from "../mqtt/link.ts";
import { OpenAccess } from "./access/open_access.ts";
import { encodeForwardedProperties } from "./codec/properties_encoder.ts";
import { ReasonCode } from "./codec/reason_codes.ts";
import { countLevels, isTopicName } from "./codec/topic_names.ts";
import { AckQueue } from "./connections/ack_queue.ts";
import { Connection } from "./connections/connection.ts";
import {
  type ConnectionContext,
  MessageEncoders,
} from "./connections/context.ts";
import { ReadBuffers } from "./connections/read_buffers.ts";
import { SlowReceivers } from "./connections/slow_receivers.ts";
import { PendingMessage, Tap } from "./connections/tap.ts";
import { Turns } from "./connections/turns.ts";
import { UnsentBudget } from "./connections/unsent_budget.ts";
import { WillPublisher } from "./connections/will_publisher.ts";
import { BROKER_LIMITS, type BrokerLimits } from "./limits.ts";
import type { Endpoint, TlsSettings } from "./listeners/listener.ts";
import { Listeners } from "./listeners/listeners.ts";
import type { Message } from "./message.ts";
import type { Broker, BrokerOptions } from "./options.ts";
import { NO_PERSISTENCE } from "./persistence/persistence.ts";
import { Router } from "./router.ts";
import { Counters } from "./sys/counters.ts";
import { SysTopics } from "./sys/sys_topics.ts";

export type { Broker, BrokerOptions } from "./options.ts";
export type {
  Endpoint,
  TlsIdentity,
  TlsSettings,
} from "./listeners/listener.ts";

/** How often time limits are checked. */
const CHECK_INTERVAL_MS = 500;
/** Maximum time that close() waits for connections to end. */
const CLOSE_TIMEOUT_MS = 2000;
/** A smaller payload is copied if it is a part of a larger buffer. */
const SHARED_PAYLOAD_BYTES = 16 * 1024;

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
  readonly mqttVersion = 5;
  readonly brokerCounts = new Counters();
  readonly #options: BrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #tap: Tap;
  readonly #router: Router;
  readonly #context: ConnectionContext & { isClosing: boolean };
  readonly #listeners: Listeners;
  readonly #sys: SysTopics;
  /** The server's messages to itself. */
  readonly #ownQueue = new AckQueue();
  #timer: ReturnType<typeof setInterval> | undefined;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerOptions) {
    const { reserved = [], peerTopic } = options;
    const persistence = options.persistence ?? NO_PERSISTENCE;
    this.#options = options;
    const limits = this.#limits = limitsOf(options.limits);
    const clock = Date.now;
    const access = options.access ?? new OpenAccess({ reserved, peerTopic });
    this.#tap = new Tap({
      subscriptions: options.subscriptions,
      runs: options.runs ?? [],
      peerTopic,
    });
    const onRefused = (clientId: string, topic: string) =>
      options.onRefused?.(clientId, topic);
    const wills = new WillPublisher({
      ...{ access, tap: this.#tap, router: () => this.#router },
      ...{ clock, onRefused },
    });
    this.#router = new Router({
      ...{ clock, persistence, rules: access, counters: this.brokerCounts },
      sessionLimits: limits.sessions,
      retainedLimits: limits.retained,
      publishWill: (will) => wills.publish(will),
      onLimit: (limit, _clientId, count) => options.onLimit?.(limit, count),
      onFull: (clientId) => options.onSessionFull?.(clientId),
    });
    this.#context = {
      ...{ access, clock, wills, onRefused },
      settings: limits.connection,
      router: this.#router,
      tap: this.#tap,
      counters: this.brokerCounts,
      turns: new Turns(),
      readBuffers: new ReadBuffers(limits.connection.maxIncompleteBytes),
      unsent: new UnsentBudget({
        perClient: limits.connection.maxUnsentBytes,
        inAll: limits.connection.maxTotalUnsentBytes,
      }),
      encoders: new MessageEncoders(clock),
      slow: new SlowReceivers(),
      pendingQos2: new WeakMap(),
      retainedSenders: new WeakMap(),
      isClosing: false,
      connections: new Set(),
      afterCommit: (callback) => persistence.afterCommit(callback),
      onLimit: (limit) => options.onLimit?.(limit, 1),
      onDropped: (clientId, reason) => {
        if (this.#closing === undefined) options.onDropped?.(clientId, reason);
      },
    };
    this.#sys = new SysTopics({
      version: options.version ?? "unknown",
      counts: this.brokerCounts,
      state: () => this.brokerState,
      publish: (topic, payload) => {
        this.#router.publish(messageOf(topic, payload, { retain: true }));
      },
    });
    access.onChange = () => this.#onAccessChanged();
    this.#listeners = new Listeners(options, limits, {
      accept: (transport) => {
        this.brokerCounts.connections++;
        new Connection(this.#context, transport);
      },
      onLimit: (limit) => options.onLimit?.(limit, 1),
    });
  }

  get description(): string {
    return `embedded broker on ${this.address.host}:${this.address.port}`;
  }

  get address(): Endpoint {
    const { host, port } = this.#listeners.tcp ?? this.#options;
    return { host, port };
  }

  get wsAddress(): Endpoint | undefined {
    return this.#listeners.ws;
  }

  get wssAddress(): Endpoint | undefined {
    return this.#listeners.wss;
  }

  get tlsAddress(): Endpoint | undefined {
    return this.#listeners.tls;
  }

  get acceptProblem(): string | undefined {
    return this.#listeners.problem;
  }

  get brokerState(): BrokerState {
    const { sessions, retained, subscriptions } = this.#router;
    return {
      clients: sessions.connected,
      sessions: sessions.size,
      subscriptions,
      retainedMessages: retained.size,
      retainedBytes: retained.bytes,
      queuedMessages: sessions.budget.messages,
      queuedBytes: sessions.budget.bytes,
      unsentBytes: this.#context.unsent.bytes,
    };
  }

  open(handlers: LinkHandlers): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    this.#opening ??= this.#open(handlers);
    return this.#opening;
  }

  async #open(handlers: LinkHandlers): Promise<void> {
    this.#tap.connect(handlers);
    this.#router.restore();
    try {
      await this.#listeners.open();
    } catch (error) {
      this.#closing = this.#end();
      await this.#closing;
      throw error;
    }
    this.#tick();
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
    this.#isOpen = true;
    this.#sys.start();
    handlers.up?.();
  }

  publish(
    topic: string,
    payload: Uint8Array,
    options: PublishOptions = {},
  ): Promise<void> {
    if (!this.#isOpen) return Promise.reject(closedError());
    if (
      !isTopicName(topic) ||
      countLevels(topic) > this.#limits.connection.maxTopicLevels
    ) return Promise.reject(refusedError(topic));
    const message = messageOf(topic, payload, options);
    if (this.#tap.receives(topic)) this.#deliverOwn(message);
    if (message.qos === 0) {
      this.#router.publish(message);
      return DONE;
    }
    const before = this.#router.changes;
    const keepUp = this.#context.slow.collect(() =>
      this.#router.publish(message)
    );
    if (this.#router.changes === before) return keepUp ?? DONE;
    const committed = new Promise<void>((resolve) =>
      this.#context.afterCommit(resolve)
    );
    return keepUp === undefined ? committed : keepUp.then(() => committed);
  }

  hasSubscriber(topic: string): boolean {
    return this.#router.hasSubscriber(topic);
  }

  acknowledge(messages: readonly (Incoming | IncomingRun)[]): void {
    this.#tap.acknowledge(messages);
  }

  reloadTls(settings: TlsSettings): void {
    this.#listeners.reloadTls(settings);
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
    this.#isOpen = false;
    this.#listeners.stop();
    this.#tap.connect(undefined);
    this.#context.isClosing = true;
    const { connections } = this.#context;
    // (MQTT 5, 4.13: server shutting down)
    for (const connection of connections) {
      connection.close(ReasonCode.ServerShuttingDown);
    }
    const ended = Promise.all(
      Array.from(connections, (connection) => connection.ended()),
    );
    await doneWithin(ended, CLOSE_TIMEOUT_MS);
    for (const connection of connections) connection.destroy();
    clearInterval(this.#timer);
    this.#sys.stop();
    await this.#listeners.close();
    await untilNextTurn();
  }

  /** A message to a topic that the server receives itself. */
  #deliverOwn(message: Message): void {
    const queue = this.#ownQueue;
    const own = new PendingMessage(queue, NOT_ROUTED, message, 0, false);
    queue.add(own);
    this.#tap.deliver(own);
  }

  #check(): void {
    const now = performance.now();
    for (const connection of this.#context.connections) {
      connection.checkTime(now);
    }
    this.#context.encoders.clear();
    this.#tick();
  }

  /** Ends what has expired, in several turns if it is much. */
  #tick(): void {
    if (this.#router.tick() && this.#isOpen) nextTurn(() => this.#tick());
  }

  #onAccessChanged(): void {
    const { connections, access } = this.#context;
    for (const connection of connections) {
      const { identity } = connection;
      if (identity !== undefined && !access.isCurrent(identity)) {
        connection.close(ReasonCode.NotAuthorized);
      }
    }
  }
}

const DONE = Promise.resolve();
const nothing = () => {};

/** The server's own message was routed when it was published. */
const NOT_ROUTED = { finishMessage: nothing, finishRun: nothing };

function limitsOf(given: BrokerOptions["limits"] = {}): BrokerLimits {
  return {
    admission: { ...BROKER_LIMITS.admission, ...given.admission },
    connection: { ...BROKER_LIMITS.connection, ...given.connection },
    sessions: { ...BROKER_LIMITS.sessions, ...given.sessions },
    retained: { ...BROKER_LIMITS.retained, ...given.retained },
  };
}

/** Makes a message of the server. */
function messageOf(
  topic: string,
  payload: Uint8Array,
  options: PublishOptions,
): Message {
  const { qos = 0, retain = false } = options;
  const { contentType, responseTopic, correlationData } = options;
  const properties = encodeForwardedProperties({
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
  });
  // A view would keep the whole buffer.
  const isPart = 2 * payload.byteLength < payload.buffer.byteLength;
  return {
    topic,
    qos,
    retain,
    payload: isPart && payload.length < SHARED_PAYLOAD_BYTES
      ? payload.slice()
      : payload,
    properties: properties.length === 0 ? undefined : properties,
    expiresAt: undefined,
    publisher: undefined,
    holders: 0,
  };
}

function closedError(): LinkError {
  return new LinkError("closed", "The embedded broker is not open");
}

function refusedError(topic: string): LinkError {
  return new LinkError(
    "refused",
    `Cannot publish to ${topic}: not a topic name`,
  );
}
