/**
 * Publishes the state of the broker below `$SYS`, on the topics of Mosquitto
 * (https://mosquitto.org/man/mosquitto-8.html), so that its tools work.
 *
 * @module
 */
import type { BrokerState } from "../../mqtt/link.ts";
import type { Counters } from "./counters.ts";

/** The interval of Mosquitto (`sys_interval`). */
const INTERVAL_MS = 10_000;

/** What {@linkcode SysTopics} reads and calls. */
export interface SysTopicsOptions {
  /** The version of occupancy. */
  readonly version: string;
  readonly counts: Counters;
  /** Returns the present state. */
  readonly state: () => BrokerState;
  /** Publishes a retained message that is not stored. */
  readonly publish: (topic: string, payload: Uint8Array<ArrayBuffer>) => void;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: () => number;
}

/**
 * Publishes each topic when it starts, then every 10 s those that changed.
 */
export class SysTopics {
  readonly #options: SysTopicsOptions;
  readonly #monotonic: () => number;
  readonly #started: number;
  readonly #published = new Map<string, string>();
  readonly #encoder = new TextEncoder();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SysTopicsOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#started = this.#monotonic();
  }

  /** Publishes all topics, and goes on until {@linkcode SysTopics.stop}. */
  start(): void {
    this.publish();
    this.#timer = setInterval(() => this.publish(), INTERVAL_MS);
  }

  /** Stops publishing. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Publishes the topics that changed. */
  publish(): void {
    for (const [topic, value] of this.#values()) {
      const text = String(value);
      if (this.#published.get(topic) === text) continue;
      this.#published.set(topic, text);
      this.#options.publish(
        `$SYS/broker/${topic}`,
        this.#encoder.encode(text),
      );
    }
  }

  *#values(): Generator<readonly [topic: string, value: number | string]> {
    const { version, counts } = this.#options;
    const state = this.#options.state();
    const seconds = Math.floor((this.#monotonic() - this.#started) / 1000);
    yield ["version", `occupancy version ${version}`];
    yield ["uptime", `${seconds} seconds`];
    yield ["clients/connected", state.clients];
    yield ["clients/disconnected", state.sessions - state.clients];
    yield ["clients/total", state.sessions];
    yield ["clients/maximum", counts.maxClients];
    yield ["clients/expired", counts.expiredSessions];
    yield ["subscriptions/count", state.subscriptions];
    yield ["retained messages/count", state.retainedMessages];
    yield ["store/messages/count", state.queuedMessages];
    yield ["store/messages/bytes", state.queuedBytes];
    yield ["messages/received", counts.packetsReceived];
    yield ["messages/sent", counts.packetsSent];
    yield ["publish/messages/received", counts.publishReceived];
    yield ["publish/messages/sent", counts.publishSent];
    yield ["publish/messages/dropped", counts.publishDropped];
    yield ["publish/bytes/received", counts.payloadBytesReceived];
    yield ["publish/bytes/sent", counts.payloadBytesSent];
    yield ["bytes/received", counts.bytesReceived];
    yield ["bytes/sent", counts.bytesSent];
  }
}
