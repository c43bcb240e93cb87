/**
 * Which new connections are accepted: budgets for all listeners together.
 *
 * @module
 */
import { type Closable, Connections } from "../../common/connection_budget.ts";

/** Limits of {@linkcode Admission}. */
export interface AdmissionLimits {
  /** Open connections, at least 1. */
  readonly connections: number;
  /**
   * Open connections of one address, or of one IPv6 network, at least 1.
   * Default: half of all.
   */
  readonly connectionsPerAddress?: number | undefined;
  /** New connections in a second, at least 1. */
  readonly connectionsPerSecond: number;
}

/** The name of a limit, as in the metrics. */
export type AdmissionLimit =
  | "mqtt-connections"
  | "mqtt-connections-per-address"
  | "mqtt-connections-per-second";

/** Admits connections to the broker. */
export class Admission {
  readonly #connections: Connections<Closable>;
  readonly #perSecond: number;
  readonly #onLimit: (limit: AdmissionLimit) => void;
  /** How many may be admitted now; grows by `perSecond` a second. */
  #tokens: number;
  #refilledAt = performance.now();

  /**
   * @param limits the budgets
   * @param onLimit called for each connection that is closed
   */
  constructor(
    { connections, connectionsPerAddress, connectionsPerSecond }:
      AdmissionLimits,
    onLimit: (limit: AdmissionLimit) => void,
  ) {
    this.#onLimit = onLimit;
    this.#perSecond = connectionsPerSecond;
    this.#tokens = connectionsPerSecond;
    this.#connections = new Connections(
      { connections, connectionsPerAddress },
      {
        onLimit: (limit) => onLimit(`mqtt-${limit}`),
        isSlow: () => false,
      },
    );
  }

  /**
   * Admits a new connection. If a budget is used up, it closes the oldest
   * connection that has not logged in.
   *
   * @param connection what to close
   * @param address the IP address of the client
   * @returns false if the connection must be closed
   */
  add(connection: Closable, address: string): boolean {
    const now = performance.now();
    this.#tokens = Math.min(
      this.#perSecond,
      this.#tokens + (now - this.#refilledAt) * this.#perSecond / 1000,
    );
    this.#refilledAt = now;
    if (this.#tokens < 1) {
      this.#onLimit("mqtt-connections-per-second");
      return false;
    }
    this.#tokens--;
    return this.#connections.add(connection, address);
  }

  /** Marks a client as logged in: its connection is not closed for others. */
  setBusy(connection: Closable): void {
    this.#connections.setBusy(connection);
  }

  /** Removes a connection that has ended. Ignores unknown ones. */
  remove(connection: Closable): void {
    this.#connections.remove(connection);
  }
}
