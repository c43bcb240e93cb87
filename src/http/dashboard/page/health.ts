/**
 * How the connection is, from what is heard over it.
 *
 * @module
 */

import type { LinkState } from "./pill.ts";
import type { StatusMessage } from "../../live/messages.ts";

/** Updates are counted over this long, ms. */
const COUNTED_MS = 2000;

/** Follows a connection. Times are ms since 1970 by the clock of this machine. */
export class Health {
  #connected = false;
  #heard: number | undefined;
  #lag: number | undefined;
  /** The same for the last update, with all that it waited for in the page. */
  #behind: number | undefined;
  #refused: string | undefined;
  #brokerDown: number | undefined;
  #store = "ok";
  #updates: number[] = [];
  /** The server's clock less this machine's, ms. */
  #offset = 0;

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
  status({ broker, store, time }: StatusMessage, now: number): void {
    this.#heard = now;
    this.#offset = time - now;
    this.#store = store;
    if (broker === "up") this.#brokerDown = undefined;
    else this.#brokerDown ??= now;
  }

  /** Cells came. */
  update(now: number): void {
    this.#heard = now;
    this.#updates.push(now);
  }

  /** How long a word takes from the server to here. */
  lag(ms: number): void {
    this.#lag = ms;
    this.#behind = undefined;
  }

  /** What the server read from its map at this time by its clock is in ours. */
  applied(time: number, now: number): void {
    this.#behind = Math.max(0, this.serverTime(now) - time);
  }

  lost(): void {
    this.#connected = false;
    this.#lag = this.#behind = undefined;
    this.#updates = [];
  }

  refused(reason: string): void {
    this.lost();
    this.#refused = reason;
  }

  /** The server's clock, as far as it is known. */
  serverTime(now: number): number {
    return now + this.#offset;
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
    return { kind: "live", hertz, lag: this.#behind ?? this.#lag };
  }
}
