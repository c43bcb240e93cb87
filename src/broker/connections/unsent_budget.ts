/**
 * Limits the bytes that wait for clients that do not read.
 *
 * @module
 */

/** Limits of {@linkcode UnsentBudget}, in bytes. */
export interface UnsentLimits {
  /**
   * Unsent for one client. The longest payload among them does not count: a
   * single message may be longer than this.
   */
  readonly perClient: number;
  /** Memory for all clients. A payload that many wait for counts once. */
  readonly inAll: number;
}

/** What the budget needs to know of an output. */
export interface LimitedOutput {
  /** Bytes that are not sent. */
  readonly unsent: number;
  /** The longest payload among them. */
  readonly longest: number;
  /** Ends the connection. */
  exceed(): void;
}

/** The budget of all connections. */
export class UnsentBudget {
  readonly #limits: UnsentLimits;
  /** Outputs with unsent bytes. */
  readonly #waiting = new Set<LimitedOutput>();
  /** How many outputs will send a payload that is not copied. */
  readonly #shared = new Map<Uint8Array, number>();
  #bytes = 0;

  constructor(limits: UnsentLimits) {
    this.#limits = limits;
  }

  /** Memory that unsent bytes take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a payload that an output will send without a copy. */
  share(payload: Uint8Array): void {
    const users = this.#shared.get(payload) ?? 0;
    this.#shared.set(payload, users + 1);
    if (users === 0) this.#bytes += payload.length;
  }

  /** Returns true if the bytes are a payload of {@linkcode share}. */
  isShared(payload: Uint8Array): boolean {
    return this.#shared.has(payload);
  }

  /**
   * Ends a {@linkcode share}.
   *
   * @returns false if the bytes are not such a payload
   */
  unshare(payload: Uint8Array): boolean {
    const users = this.#shared.get(payload);
    if (users === undefined) return false;
    if (users > 1) this.#shared.set(payload, users - 1);
    else {
      this.#shared.delete(payload);
      this.#bytes -= payload.length;
    }
    return true;
  }

  /**
   * Counts bytes of an output, and ends the connections that are over a limit.
   *
   * @param added memory of copied bytes since the last call; negative: less
   */
  change(output: LimitedOutput, added: number): void {
    this.#bytes += added;
    const { unsent, longest } = output;
    if (unsent === 0) {
      this.#waiting.delete(output);
      return;
    }
    this.#waiting.add(output);
    if (unsent - longest > this.#limits.perClient) output.exceed();
    else if (this.#bytes > this.#limits.inAll) this.#mostUnsent()?.exceed();
  }

  #mostUnsent(): LimitedOutput | undefined {
    let most: LimitedOutput | undefined;
    for (const output of this.#waiting) {
      if (output.unsent > (most?.unsent ?? 0)) most = output;
    }
    return most;
  }
}
