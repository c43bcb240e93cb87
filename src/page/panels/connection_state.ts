/**
 * How the connection is, from what is heard over it.
 *
 * @module
 */

import type { LinkState } from "./connection_pill.ts";
import type { StatusMessage } from "../../feed/messages.ts";

/** Updates are counted over this long, ms. */
const COUNTED_MS = 2000;

/** Follows a connection. Times are ms since 1970 by the clock of this machine. */
export class Health {
  #connected = false;
  #heard: number | undefined;
  #lag: number | undefined;
  #refused: string | undefined;
  #brokerDown: number | undefined;
  #store = "ok";
  #updates: number[] = [];

  /** There is a connection. */
  hello(now: number): void {
    this.#connected = true;
    this.#refused = undefined;
    this.#heard = now;
  }

  /** Something came. */
  heard(now: number): void {
    this.#heard = now;
  }

  /** The server told how it is. */
  status({ broker, store }: StatusMessage, now: number): void {
    this.#heard = now;
    this.#store = store;
    if (broker === "up") this.#brokerDown = undefined;
    else this.#brokerDown ??= now;
  }

  /** Cells came. */
  update(now: number): void {
    this.#heard = now;
    this.#updates.push(now);
  }

  /** How far what was told last was behind when it was in the map, ms. */
  lag(ms: number): void {
    this.#lag = ms;
  }

  lost(): void {
    this.#connected = false;
    this.#lag = undefined;
    this.#updates = [];
  }

  refused(reason: string): void {
    this.lost();
    this.#refused = reason;
  }

  /** What to tell of it. */
  state(now: number): LinkState {
    if (this.#refused) return { kind: "refused", reason: this.#refused };
    if (this.#heard === undefined) return { kind: "connecting" };
    if (!this.#connected) return { kind: "lost", since: this.#heard, now };
    if (this.#store !== "ok") return { kind: "store", problem: this.#store };
    if (this.#brokerDown !== undefined) {
      return { kind: "no-broker", since: this.#brokerDown };
    }
    const from = now - COUNTED_MS;
    this.#updates = this.#updates.filter((time) => time > from);
    const hertz = Math.round(1000 * this.#updates.length / COUNTED_MS);
    return { kind: "live", hertz, lag: this.#lag };
  }
}
