/**
 * How fast the client of one request sends its body and reads its response.
 *
 * @module
 */

import { MIN_BYTES_PER_SECOND, SLOW_AFTER_MS } from "./listener/timeouts.ts";

/** When a client is slow. */
export interface PaceOptions {
  /** A client may wait this long before its first bytes. Default 3 s. */
  readonly graceMs?: number;
  /** Below this rate a client is slow. Default 64 KiB per second. */
  readonly minBytesPerSecond?: number;
  /** Monotonic clock, in ms. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Time that a client can earn by sending or reading faster. System and network
 * buffer up to some MB, so that a constant reader seems to read in bursts.
 */
const MAX_CREDIT_MS = 6000;

/**
 * One request and its response. It measures only the time in which the server
 * waits for the client: for the next bytes of the body, or until the client has
 * read the last bytes of the response.
 *
 * A client is slow when the server has waited longer than its credit: a grace
 * period at first, then the time that its bytes take at the minimum rate. The
 * grace comes back while the server does not wait. A slow client is cut when
 * others need what it holds, see `Budget`.
 */
export class Exchange {
  /** The network of the client, see `clientNetwork`. */
  readonly network: string;
  /** Called when the client loses what it holds. */
  onCut: () => void = () => {};
  /** Ends the connection at once. */
  readonly disconnect: () => void;
  readonly #now: () => number;
  readonly #msPerByte: number;
  readonly #graceMs: number;
  #credit: number;
  /** The end of the last wait. */
  #readySince: number;
  #waitingSince: number | undefined;

  /**
   * @param network of the client, see `clientNetwork`
   * @param disconnect ends the connection at once
   */
  constructor(
    network: string,
    options: PaceOptions = {},
    disconnect: () => void = () => {},
  ) {
    const { now = () => performance.now(), graceMs = SLOW_AFTER_MS } = options;
    const { minBytesPerSecond = MIN_BYTES_PER_SECOND } = options;
    this.network = network;
    this.disconnect = disconnect;
    this.#now = now;
    this.#credit = this.#graceMs = graceMs;
    this.#msPerByte = 1000 / minBytesPerSecond;
    this.#readySince = now();
  }

  /**
   * When the client becomes slow, monotonic, in ms; Infinity while the server
   * does not wait for it.
   */
  get slowAt(): number {
    return this.#waitingSince === undefined
      ? Infinity
      : this.#waitingSince + this.#credit;
  }

  /** The server begins to wait for the client. */
  waitForClient(): void {
    if (this.#waitingSince !== undefined) return;
    const now = this.#now();
    const rested = this.#credit + now - this.#readySince;
    this.#credit = Math.max(this.#credit, Math.min(this.#graceMs, rested));
    this.#waitingSince = now;
  }

  /**
   * The wait is over.
   *
   * @param bytes the bytes that the client has sent or read; Infinity if only
   * the time matters
   */
  clientProgressed(bytes: number): void {
    if (this.#waitingSince === undefined) return;
    this.#readySince = this.#now();
    const waited = this.#readySince - this.#waitingSince;
    this.#waitingSince = undefined;
    this.#credit = Math.min(
      MAX_CREDIT_MS,
      this.#credit - waited + bytes * this.#msPerByte,
    );
  }

  /** Takes from the client what it holds. */
  cut(): void {
    this.#waitingSince = undefined;
    this.onCut();
  }
}
