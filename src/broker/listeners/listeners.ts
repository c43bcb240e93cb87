/**
 * All listeners of a broker.
 *
 * @module
 */
import {
  Admission,
  type AdmissionLimit,
  type AdmissionLimits,
} from "./admission.ts";
import {
  checkIdentity,
  type Endpoint,
  type Listener,
  problemOf,
  type TlsIdentity,
  type TlsSettings,
} from "./listener.ts";
import { listenTcp } from "./tcp_listener.ts";
import type { Accept } from "./transport.ts";

/** Where to listen. */
export interface Endpoints extends Endpoint {
  readonly tls?: Endpoint & TlsSettings;
  readonly ws?: Endpoint;
  readonly wss?: Endpoint & TlsIdentity;
  readonly wsOrigins?: readonly string[];
}

/** Limits of the listeners. */
export interface ListenerLimits {
  readonly admission: AdmissionLimits;
  readonly connection: {
    /** The longest packet, and so the longest message over WebSocket. */
    readonly maxPacketBytes: number;
    /** How long a handshake may take, in ms. */
    readonly connectTimeoutMs: number;
  };
}

/** What the listeners call. */
export interface ListenersEvents {
  /** Called for each connection. */
  readonly accept: Accept;
  /** Called when a limit refuses or ends a connection. */
  readonly onLimit: (limit: AdmissionLimit | "mqtt-websocket-message") => void;
}

/** Listens for MQTT over TCP, and where it is set over TLS and WebSocket. */
export class Listeners {
  readonly #endpoints: Endpoints;
  readonly #limits: ListenerLimits["connection"];
  readonly #events: ListenersEvents;
  readonly #admission: Admission;
  readonly #open = new Map<"tcp" | "tls" | "ws" | "wss", Listener>();

  constructor(
    endpoints: Endpoints,
    limits: ListenerLimits,
    events: ListenersEvents,
  ) {
    this.#endpoints = endpoints;
    this.#limits = limits.connection;
    this.#events = events;
    this.#admission = new Admission(limits.admission, events.onLimit);
  }

  /** The endpoint for TCP, with the assigned port. */
  get tcp(): Endpoint | undefined {
    return this.#open.get("tcp")?.address;
  }

  /** The endpoint for TLS. */
  get tls(): Endpoint | undefined {
    return this.#open.get("tls")?.address;
  }

  /** The endpoint for WebSocket. */
  get ws(): Endpoint | undefined {
    return this.#open.get("ws")?.address;
  }

  /** The endpoint for WebSocket with TLS. */
  get wss(): Endpoint | undefined {
    return this.#open.get("wss")?.address;
  }

  /** Why one accepts no connections, for people; undefined if all do. */
  get problem(): string | undefined {
    return problemOf(this.#open.values());
  }

  /**
   * Begins to listen.
   *
   * @throws {LinkError} if it cannot; then call {@linkcode close}
   */
  async open(): Promise<void> {
    const { tls, ws, wss } = this.#endpoints;
    const { accept } = this.#events;
    this.#open.set("tcp", listenTcp(this.#endpoints, this.#admission, accept));
    const common = {
      admission: this.#admission,
      handshakeTimeoutMs: this.#limits.connectTimeoutMs,
    };
    if (tls !== undefined) {
      // Loaded here because few servers need it.
      const { listenTls } = await import("./tls_listener.ts");
      const options = { ...common, endpoint: tls, tls };
      this.#open.set("tls", await listenTls(options, accept));
    }
    if (ws !== undefined) {
      this.#open.set("ws", await this.#listenWebSocket(ws, undefined));
    }
    if (wss !== undefined) {
      this.#open.set("wss", await this.#listenWebSocket(wss, wss));
    }
  }

  /**
   * Uses another certificate for new connections.
   *
   * @throws {LinkError} "tls" if it is invalid; then nothing changes
   */
  reloadTls(settings: TlsSettings): void {
    checkIdentity(settings);
    this.#open.get("tls")?.reload(settings);
    // Browsers are never asked for a certificate.
    this.#open.get("wss")?.reload({ ...settings, clientCa: undefined });
  }

  /** Stops accepting connections. */
  stop(): void {
    for (const listener of this.#open.values()) listener.stop();
  }

  /** Ends all connections. Resolves when the ports are free. */
  async close(): Promise<void> {
    await Promise.all(
      Array.from(this.#open.values(), (listener) => listener.close()),
    );
  }

  async #listenWebSocket(
    endpoint: Endpoint,
    tls: TlsIdentity | undefined,
  ): Promise<Listener> {
    const { listenWebSocket } = await import("./web_socket_listener.ts");
    const { connectTimeoutMs, maxPacketBytes } = this.#limits;
    const { accept, onLimit } = this.#events;
    return await listenWebSocket({
      ...{ endpoint, tls, admission: this.#admission },
      handshakeTimeoutMs: connectTimeoutMs,
      maxMessageBytes: maxPacketBytes,
      origins: this.#endpoints.wsOrigins ?? [],
      onLimit: () => onLimit("mqtt-websocket-message"),
    }, accept);
  }
}
