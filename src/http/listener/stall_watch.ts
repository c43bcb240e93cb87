/**
 * Disconnects clients that do not read their responses.
 *
 * @module
 */

/** What is watched: a response. */
interface Destroyable {
  destroy(): void;
}

/**
 * Disconnects clients that read nothing for some time. One timer serves all
 * responses.
 */
export class StallWatch {
  readonly #timeoutMs: number;
  readonly #onStall: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  /** When each response began to wait for its client, the longest first. */
  readonly #waiting = new Map<Destroyable, number>();

  /**
   * @param timeoutMs the time, in ms
   * @param onStall called for each client that is disconnected
   */
  constructor(timeoutMs: number, onStall: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onStall = onStall;
    this.#timer = setInterval(() => this.#check(), timeoutMs / 4);
  }

  /** Call it when a response begins to wait for its client. */
  start(response: Destroyable): void {
    this.#waiting.set(response, performance.now());
  }

  /** Call it when the client has read something, or has gone. */
  end(response: Destroyable): void {
    this.#waiting.delete(response);
  }

  /**
   * Returns since when a response waits for its client, monotonic, in ms;
   * Infinity if it does not wait.
   */
  waitingSince(response: Destroyable): number {
    return this.#waiting.get(response) ?? Infinity;
  }

  /** Stops the timer. Safe to call twice. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const latest = performance.now() - this.#timeoutMs;
    for (const [response, since] of this.#waiting) {
      if (since > latest) return;
      this.#waiting.delete(response);
      this.#onStall();
      response.destroy();
    }
  }
}
