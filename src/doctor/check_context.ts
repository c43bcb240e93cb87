/**
 * What the checks share: options, connections to the broker, common results.
 *
 * @module
 */
import { hostAndPort } from "../common/host.ts";
import { LinkError } from "../mqtt/link.ts";
import {
  ProbeConnection,
  type ProbeOptions,
  type ProbeTarget,
} from "../mqtt/probe_connection.ts";
import { acceptsTcp } from "../mqtt/url.ts";
import type { GroupTopics, ServerState, Topics } from "../protocol/mod.ts";
import { type BrokerInfo, readBrokerInfo } from "./broker_info.ts";
import { probeServer, type ServerProbe } from "./server_probe.ts";

/** An address to listen on. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The settings of the server that the doctor checks for. */
export interface CheckOptions {
  /** The broker from --broker; undefined if not set. */
  readonly broker?: ProbeTarget;
  /** The broker to check if none is set and this one answers. */
  readonly defaultBroker: ProbeTarget;
  /** Where the embedded broker listens (--listen); undefined if not set. */
  readonly listen?: Endpoint;
  /** Where the embedded broker listens by default. */
  readonly defaultListen: Endpoint;
  /** The HTTP endpoint from --http; undefined if not set; false if disabled. */
  readonly http?: Endpoint | false;
  /** The HTTP endpoint by default. */
  readonly defaultHttp: Endpoint;
  /** The access token for HTTP; undefined if not set. */
  readonly httpToken?: string | undefined;
  /** The topics of the server. */
  readonly topics: Topics;
  /** The topics of its group; undefined without a group. */
  readonly group?: GroupTopics | undefined;
  /** The name of the server. */
  readonly name: string;
  /** Topic filters that the server subscribes to. */
  readonly subscriptions: readonly string[];
  /** The address of the store; undefined if no folder is known. */
  readonly store: string | undefined;
  /** For a store in Redis. */
  readonly redis?: {
    /** The password, if the address has none, and PEM texts. */
    readonly files: {
      readonly password?: string;
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
    };
    /** `--redis-replicas`; undefined if not set. */
    readonly replicas: number | undefined;
    /** `--shards`; undefined if not set. */
    readonly shards: number | undefined;
  };
  /** True if a server would create all missing folders of the store's path. */
  readonly storeParents: boolean;
  /** The session expiry that the server requests, in s. */
  readonly sessionExpiry: number;
  /** How far a reading's time may be ahead of the server's clock, in ms. */
  readonly maxSkew: number;
  /** Messages to queue for a disconnected client, at least 1. */
  readonly queue: number;
  /** The maximum time of one step, in ms. */
  readonly timeout: number;
}

/** The result of connecting to the broker. */
export type BrokerResult =
  /** No broker is set, and none answers at the default address. */
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly error: unknown }
  | {
    readonly kind: "connected";
    readonly probe: ProbeConnection;
    readonly target: ProbeTarget;
  };

/**
 * What the checks share: the options, the connections to the broker, and
 * results that several checks need, each fetched once.
 */
export class CheckContext {
  readonly options: CheckOptions;
  /** A random id, part of each client id and topic that the doctor creates. */
  readonly id: string = `doctor-${crypto.randomUUID().slice(0, 8)}`;
  #broker: Promise<BrokerResult> | undefined;
  #brokerInfo: Promise<BrokerInfo | undefined> | undefined;
  #serverProbe: Promise<ServerProbe | undefined> | undefined;
  readonly #connections: Promise<ProbeConnection>[] = [];
  /** Roles whose sessions the broker keeps. */
  readonly #sessions = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(options: CheckOptions) {
    this.options = options;
  }

  /** Connects to the broker as a server would. */
  broker(): Promise<BrokerResult> {
    return this.#broker ??= this.#connectToBroker();
  }

  /** The connection to the broker; undefined if there is none. */
  async probe(): Promise<ProbeConnection | undefined> {
    const result = await this.broker();
    return result.kind === "connected" ? result.probe : undefined;
  }

  /** What the broker publishes about itself; undefined without a broker. */
  brokerInfo(): Promise<BrokerInfo | undefined> {
    return this.#brokerInfo ??= this.#ifConnected(() =>
      readBrokerInfo((onMessage) => this.connect("sys", { onMessage }))
    );
  }

  /** What servers with the prefix answer; undefined without a broker. */
  serverProbe(): Promise<ServerProbe | undefined> {
    return this.#serverProbe ??= this.#ifConnected(() =>
      probeServer(
        (onMessage) => this.connect("server", { onMessage }),
        this.options.topics,
        this.id,
        this.options.timeout,
      )
    );
  }

  /** The latest state that a server published; undefined if none did. */
  async serverState(): Promise<ServerState | undefined> {
    return (await this.serverProbe())?.states.at(-1);
  }

  /**
   * Opens another connection to the broker. {@linkcode close} closes it.
   *
   * @param role the last part of the client id
   * @param options options that differ from those of the first connection
   * @throws {LinkError} if the broker cannot be reached or refuses, or if
   * {@linkcode close} was called
   */
  connect(
    role: string,
    options: Partial<ProbeOptions> = {},
  ): Promise<ProbeConnection> {
    // A check that is still running must not undo the cleanup.
    if (this.#closing !== undefined) return Promise.reject(closedError());
    const connection = this.#open(role, options);
    this.#connections.push(connection);
    return connection;
  }

  /**
   * Requests that {@linkcode close} end the session of a role, even if the
   * check that created it is interrupted.
   *
   * @param role as in {@linkcode connect}
   */
  endSessionOnClose(role: string): void {
    this.#sessions.add(role);
  }

  /** True if {@linkcode close} has a session to end. */
  get hasSession(): boolean {
    return this.#sessions.size > 0;
  }

  /**
   * Closes all connections, then ends the sessions that checks created. Checks
   * may still be running: they can no longer connect.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    // A CONNECT under way may still create a session: wait for its answer.
    await Promise.all(
      this.#connections.map((connection) =>
        connection.then((probe) => probe.close(), () => {})
      ),
    );
    for (const role of this.#sessions) {
      // A clean session replaces the old one and ends when it is closed. If the
      // broker cannot be reached, a check reports that.
      await this.#open(role, {}).then((probe) => probe.close(), () => {});
    }
  }

  async #ifConnected<T>(run: () => Promise<T>): Promise<T | undefined> {
    return await this.probe() === undefined ? undefined : await run();
  }

  async #open(
    role: string,
    options: Partial<ProbeOptions>,
  ): Promise<ProbeConnection> {
    const result = await this.broker();
    if (result.kind !== "connected") throw new Error("There is no broker");
    return await ProbeConnection.open({
      ...result.target,
      version: result.probe.version,
      clientId: `occupancy-${this.id}-${role}`,
      timeout: this.options.timeout,
      ...options,
    });
  }

  async #connectToBroker(): Promise<BrokerResult> {
    const { broker, listen, defaultBroker, timeout } = this.options;
    const target = broker ??
      (listen ? { url: localUrl("mqtt", listen) } : defaultBroker);
    // A broker that is not set is optional.
    if (
      broker === undefined &&
      !await acceptsTcp(target.url, AbortSignal.timeout(timeout))
    ) {
      return { kind: "none" };
    }
    if (this.#closing !== undefined) {
      return { kind: "failed", error: closedError() };
    }
    const opening = ProbeConnection.open({
      ...target,
      clientId: `occupancy-${this.id}`,
      timeout,
    });
    this.#connections.push(opening);
    try {
      return { kind: "connected", probe: await opening, target };
    } catch (error) {
      // --listen needs a free port, not a broker.
      return listen ? { kind: "none" } : { kind: "failed", error };
    }
  }
}

function closedError(): LinkError {
  return new LinkError("closed", "Cannot connect: the doctor is ending");
}

/**
 * The URL at which a client on this machine reaches an endpoint.
 *
 * @param scheme the scheme of the URL
 * @param endpoint where a server listens; may be all addresses
 */
export function localUrl(
  scheme: "mqtt" | "http",
  { host, port }: Endpoint,
): string {
  const local = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${hostAndPort(local, port)}`;
}
