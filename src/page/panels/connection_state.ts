/**
 * The state of the connection from the page to the server, its broker and its
 * store.
 *
 * @module
 */

import type { StatusMessage } from "../../feed/messages.ts";

/** Frames are counted over this time, ms. */
const RATE_WINDOW_MS = 2000;

/**
 * Whether the page shows live data, and if not, why. Times are in ms since 1970,
 * local unless stated otherwise.
 */
export type ConnectionState =
  | { readonly kind: "connecting" }
  /** No connection since the page was opened. */
  | { readonly kind: "unreachable"; readonly reason: string }
  | {
    readonly kind: "live";
    /** Frames per second. */
    readonly hertz: number;
    /** Delay from the server to the page, ms; undefined until measured. */
    readonly lag: number | undefined;
  }
  /** The server is connected, but has no broker. */
  | {
    readonly kind: "broker-down";
    /** By the server's clock. */
    readonly since: number;
    /** The server's clock. */
    readonly now: number;
  }
  /** The server is connected, but cannot store new readings. */
  | { readonly kind: "store-failing"; readonly problem: string }
  /** The server rejected the page. */
  | { readonly kind: "refused"; readonly reason: string }
  | {
    readonly kind: "lost";
    /** When the last message arrived. */
    readonly since: number;
    readonly now: number;
    /** Why, if the server or a proxy answered. */
    readonly reason?: string;
  };

/**
 * Derives the {@linkcode ConnectionState}. All times are local, ms since 1970.
 */
export class ConnectionMonitor {
  #connected = false;
  #lastMessage: number | undefined;
  #lag: number | undefined;
  #refused: string | undefined;
  /** Why there is no connection. */
  #reason: string | undefined;
  #broker: Pick<StatusMessage, "broker" | "brokerSince" | "time"> | undefined;
  #store = "ok";
  /** When frames arrived, within the rate window. */
  #frames: number[] = [];

  /** Whether there was a connection since the page was opened. */
  get hasConnected(): boolean {
    return this.#lastMessage !== undefined;
  }

  /** Records that a connection was established. */
  onHello(now: number): void {
    this.#connected = true;
    this.#refused = this.#reason = undefined;
    this.#lastMessage = now;
  }

  /** Records the state of broker and store. */
  onStatus(status: StatusMessage, now: number): void {
    this.#lastMessage = now;
    this.#store = status.store;
    this.#broker = status;
  }

  /** Records that cells arrived. */
  onFrame(now: number): void {
    this.#lastMessage = now;
    this.#frames.push(now);
  }

  /** Records the delay from the server to the page, in ms. */
  onLag(ms: number): void {
    this.#lag = ms;
  }

  /** Records that the connection was lost. */
  onLost(): void {
    this.#connected = false;
    this.#lag = undefined;
    this.#frames = [];
  }

  /** Records why there is no connection, for people. */
  onReason(reason: string): void {
    if (!this.#connected) this.#reason = reason;
  }

  /** Records that the server rejected the page. */
  onRefused(reason: string): void {
    this.onLost();
    this.#refused = reason;
  }

  /** Returns the state at a time. */
  state(now: number): ConnectionState {
    if (this.#refused) return { kind: "refused", reason: this.#refused };
    const reason = this.#reason;
    if (this.#lastMessage === undefined) {
      return reason === undefined
        ? { kind: "connecting" }
        : { kind: "unreachable", reason };
    }
    if (!this.#connected) {
      const since = this.#lastMessage;
      return { kind: "lost", since, now, ...(reason && { reason }) };
    }
    if (this.#store !== "ok") {
      return { kind: "store-failing", problem: this.#store };
    }
    if (this.#broker?.broker === "down") {
      const { brokerSince: since, time } = this.#broker;
      return { kind: "broker-down", since, now: time };
    }
    const from = now - RATE_WINDOW_MS;
    this.#frames = this.#frames.filter((time) => time > from);
    const hertz = Math.round(1000 * this.#frames.length / RATE_WINDOW_MS);
    return { kind: "live", hertz, lag: this.#lag };
  }
}
