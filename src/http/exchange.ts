/**
 * How fast the client of one request sends its body and reads its response.
 *
 * @module
 */

/** Settings of {@linkcode Exchange}, for tests. */
export interface PaceOptions {
  /** A client may wait this long before its first bytes. Default 3 s. */
  readonly graceMs?: number;
  /** Below this rate a client is slow. Default 64 KiB per second. */
  readonly minBytesPerSecond?: number;
  /** Monotonic clock, in ms. Default `performance.now`. */
  readonly now?: () => number;
}

const GRACE_MS = 3000;
const MIN_BYTES_PER_SECOND = 64 * 1024;
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
 * A client is slow when it has waited longer than its credit: a grace period at
 * first, then the time that its bytes take at the minimum rate. A slow client
 * is cut when others need what it holds, see `Budget`.
 */
export class Exchange {
  /** The network of the client, see `clientNetwork`. */
  readonly network: string;
  /** When the request arrived, monotonic, in ms. */
  readonly startedAt: number;
  /** Called when the client must be disconnected. */
  onCut: () => void = () => {};
  readonly #now: () => number;
  readonly #msPerByte: number;
  #credit: number;
  #waitingSince: number | undefined;

  constructor(network: string, options: PaceOptions = {}) {
    const { now = () => performance.now(), graceMs = GRACE_MS } = options;
    const { minBytesPerSecond = MIN_BYTES_PER_SECOND } = options;
    this.network = network;
    this.#now = now;
    this.#credit = graceMs;
    this.#msPerByte = 1000 / minBytesPerSecond;
    this.startedAt = now();
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
    this.#waitingSince ??= this.#now();
  }

  /**
   * The wait is over.
   *
   * @param bytes the bytes that the client has sent or read
   */
  clientProgressed(bytes: number): void {
    if (this.#waitingSince === undefined) return;
    const waited = this.#now() - this.#waitingSince;
    this.#waitingSince = undefined;
    this.#credit = Math.min(
      MAX_CREDIT_MS,
      this.#credit - waited + bytes * this.#msPerByte,
    );
  }

  /** Disconnects the client. */
  cut(): void {
    this.#waitingSince = undefined;
    this.onCut();
  }
}
