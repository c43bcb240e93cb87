/**
 * The open connections of a listener, within their budgets.
 *
 * @module
 */
import { clientNetwork } from "./client_network.ts";

/** Budgets of {@linkcode Connections}. */
export interface ConnectionLimits {
  /** Open connections, at least 1. Default 512. */
  readonly connections?: number | undefined;
  /**
   * Open connections of one address, or of one IPv6 network, at least 1.
   * Default: half of all.
   */
  readonly connectionsPerAddress?: number | undefined;
}

/** The default of {@linkcode ConnectionLimits.connections}. */
const DEFAULT_CONNECTIONS = 512;

/** A budget: its name is the end of the name of its metric. */
export type ConnectionLimit = "connections" | "connections-per-address";

/** What the budgets ask and report. */
export interface ConnectionEvents<C> {
  /** Called for each connection that a budget closes or refuses. */
  onLimit(limit: ConnectionLimit): void;
  /** Returns true if the server waits for the client of a busy connection. */
  isSlow(connection: C): boolean;
}

/** What the budgets need of a connection. */
export interface Closable {
  destroy(): void;
}

/** The connections of one address, or of one IPv6 network. */
interface NetworkConnections<C> {
  readonly network: string;
  /** All, the oldest first. */
  readonly all: Set<C>;
  /** Those that are not busy, the one idle longest first. */
  readonly idle: Set<C>;
}

/**
 * Counts open connections. A connection is idle from its start until it is
 * marked as busy. At a budget the connection that has been idle longest is
 * closed in favour of a new one; if none is idle, the oldest one whose client
 * is slow.
 *
 * A connection of HTTP is busy while it has a request, one of MQTT from its
 * login on.
 */
export class Connections<C extends Closable> {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #events: ConnectionEvents<C>;
  /** All connections, the oldest first, each with those of its network. */
  readonly #all = new Map<C, NetworkConnections<C>>();
  /** The one idle longest first. */
  readonly #idle = new Set<C>();
  readonly #networks = new Map<string, NetworkConnections<C>>();

  constructor(limits: ConnectionLimits, events: ConnectionEvents<C>) {
    const { connections = DEFAULT_CONNECTIONS } = limits;
    this.#max = connections;
    this.#maxPerAddress = limits.connectionsPerAddress ??
      Math.max(1, Math.floor(connections / 2));
    this.#events = events;
  }

  /** The number of open connections. */
  get size(): number {
    return this.#all.size;
  }

  /** True if no connection can be added, from any address. */
  get full(): boolean {
    return this.#all.size >= this.#max && this.#idle.size === 0;
  }

  /**
   * Adds a new connection, which is idle.
   *
   * @param address the IP address of the other end
   * @returns false if a budget is used up by busy connections
   */
  add(connection: C, address: string): boolean {
    const network = clientNetwork(address);
    const others = this.#networks.get(network);
    if (
      others !== undefined && others.all.size >= this.#maxPerAddress &&
      !this.#closeOne(others.idle, others.all, "connections-per-address")
    ) return false;
    if (
      this.#all.size >= this.#max &&
      !this.#closeOne(this.#idle, this.#all.keys(), "connections")
    ) return false;
    // Closing the last connection of a network has removed it.
    const own = this.#networks.get(network) ??
      { network, all: new Set<C>(), idle: new Set<C>() };
    own.all.add(connection);
    own.idle.add(connection);
    this.#networks.set(network, own);
    this.#all.set(connection, own);
    this.#idle.add(connection);
    return true;
  }

  /** Marks a connection as busy. Ignores unknown ones. */
  setBusy(connection: C): void {
    this.#idle.delete(connection);
    this.#all.get(connection)?.idle.delete(connection);
  }

  /** Marks a connection as idle. Ignores unknown ones. */
  setIdle(connection: C): void {
    const own = this.#all.get(connection);
    if (own === undefined) return;
    this.#idle.add(connection);
    own.idle.add(connection);
  }

  /** Removes a connection that has ended. Ignores unknown ones. */
  remove(connection: C): void {
    const own = this.#all.get(connection);
    if (own === undefined) return;
    this.setBusy(connection);
    this.#all.delete(connection);
    own.all.delete(connection);
    if (own.all.size === 0) this.#networks.delete(own.network);
  }

  /** Closes all idle connections. */
  closeIdle(): void {
    for (const connection of this.#idle) connection.destroy();
  }

  /** Closes all connections. */
  closeAll(): void {
    for (const connection of this.#all.keys()) connection.destroy();
  }

  #closeOne(
    idle: ReadonlySet<C>,
    all: Iterable<C>,
    limit: ConnectionLimit,
  ): boolean {
    this.#events.onLimit(limit);
    const [oldest = this.#firstSlow(all)] = idle;
    if (oldest === undefined) return false;
    this.remove(oldest);
    oldest.destroy();
    return true;
  }

  #firstSlow(connections: Iterable<C>): C | undefined {
    for (const one of connections) if (this.#events.isSlow(one)) return one;
    return undefined;
  }
}
