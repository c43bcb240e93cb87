/**
 * Divides the processor time for large responses among the networks that
 * request them, and leaves time for everything else.
 *
 * @module
 */

/** Time of large responses in a turn of the event loop. */
const TURN_BUDGET_MS = 2;

/**
 * Runs short pieces of work in turn: one of each network, then the next one of
 * each. After {@linkcode TURN_BUDGET_MS} the event loop handles other requests
 * and readings first.
 */
export class FairTurns {
  /** The pieces by network, in the order in which the networks have a turn. */
  readonly #queues = new Map<string, (() => void)[]>();
  #scheduled = false;

  /**
   * Runs a piece of work in its turn.
   *
   * @param network of the client that needs the result
   * @param work takes about a millisecond
   * @returns the result of the work
   * @throws the error of the work
   */
  run<T>(network: string, work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const queue = this.#queues.get(network) ?? [];
    this.#queues.set(network, queue);
    queue.push(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#queues.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const end = performance.now() + TURN_BUDGET_MS;
    do {
      const [first] = this.#queues;
      if (first === undefined) return;
      const [network, queue] = first;
      this.#queues.delete(network);
      queue.shift()!();
      if (queue.length > 0) this.#queues.set(network, queue);
    } while (performance.now() < end);
    this.#schedule();
  }
}
