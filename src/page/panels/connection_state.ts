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
 * Whether the page shows live data, and if not, why. Times are local, ms since
 * 1970.
 */
export type ConnectionState =
  | { readonly kind: "connecting" }
  | {
    readonly kind: "live";
    /** Frames per second. */
    readonly hertz: number;
    /** Delay from the server to the page, ms; undefined until measured. */
    readonly lag: number | undefined;
  }
  /** The server is connected, but has lost its broker. */
  | { readonly kind: "broker-down"; readonly since: number }
  /** The server is connected, but cannot store new readings. */
  | { readonly kind: "store-failing"; readonly problem: string }
  /** The server rejected the page. */
  | { readonly kind: "refused"; readonly reason: string }
  | {
    readonly kind: "lost";
    /** When the last message arrived. */
    readonly since: number;
    readonly now: number;
  };

/**
 * Derives the {@linkcode ConnectionState}. All times are local, ms since 1970.
 */
export class ConnectionMonitor {
  #connected = false;
  #lastMessage: number | undefined;
  #lag: number | undefined;
  #refused: string | undefined;
  #brokerDownSince: number | undefined;
  #store = "ok";
  /** When frames arrived, within the rate window. */
  #frames: number[] = [];

  /** Records that a connection was established. */
  onHello(now: number): void {
    this.#connected = true;
    this.#refused = undefined;
    this.#lastMessage = now;
  }

  /** Records the state of broker and store. */
  onStatus({ broker, store }: StatusMessage, now: number): void {
    this.#lastMessage = now;
    this.#store = store;
    if (broker === "up") this.#brokerDownSince = undefined;
    else this.#brokerDownSince ??= now;
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

  /** Records that the server rejected the page. */
  onRefused(reason: string): void {
    this.onLost();
    this.#refused = reason;
  }

  /** Returns the state at a time. */
  state(now: number): ConnectionState {
    if (this.#refused) return { kind: "refused", reason: this.#refused };
    if (this.#lastMessage === undefined) return { kind: "connecting" };
    if (!this.#connected) {
      return { kind: "lost", since: this.#lastMessage, now };
    }
    if (this.#store !== "ok") {
      return { kind: "store-failing", problem: this.#store };
    }
    if (this.#brokerDownSince !== undefined) {
      return { kind: "broker-down", since: this.#brokerDownSince };
    }
    const from = now - RATE_WINDOW_MS;
    this.#frames = this.#frames.filter((time) => time > from);
    const hertz = Math.round(1000 * this.#frames.length / RATE_WINDOW_MS);
    return { kind: "live", hertz, lag: this.#lag };
  }
}
