/**
 * Divides the processor time for large responses among the networks that
 * request them, and leaves time for everything else.
 *
 * @module
 */
import { nextTurn } from "../common/next_turn.ts";

/** Time of large responses in a turn of the event loop. */
const TURN_BUDGET_MS = 2;

/**
 * After other work, large responses take at most half of the time for this
 * long.
 */
const SHARED_PERIOD_MS = 200;

/**
 * Runs short pieces of work in turn: one of each network, then the next one of
 * each. After {@linkcode TURN_BUDGET_MS} the event loop handles other requests
 * and readings first.
 */
export class FairTurns {
  readonly #activity: () => number;
  #lastActivity = 0;
  /** Monotonic, in ms. */
  #activeAt = -Infinity;
  /** The pieces by network, in the order in which the networks have a turn. */
  readonly #queues = new Map<string, (() => void)[]>();
  #scheduled = false;

  /**
   * @param activity returns a number that changes with other work: requests and
   * readings
   */
  constructor(activity: () => number = () => 0) {
    this.#activity = activity;
  }

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
    this.#schedule(0);
    return promise;
  }

  /** @param used how long the last turn took, in ms */
  #schedule(used: number): void {
    if (this.#scheduled || this.#queues.size === 0) return;
    this.#scheduled = true;
    const turn = () => this.#turn();
    if (used > 0 && this.#isShared()) setTimeout(turn, used);
    else nextTurn(turn, used > 0);
  }

  /** Returns true if there was other work a short time ago. */
  #isShared(): boolean {
    const now = performance.now();
    const activity = this.#activity();
    if (activity !== this.#lastActivity) this.#activeAt = now;
    this.#lastActivity = activity;
    return now - this.#activeAt < SHARED_PERIOD_MS;
  }

  #turn(): void {
    this.#scheduled = false;
    const start = performance.now();
    let now: number;
    do {
      const [first] = this.#queues;
      if (first === undefined) return;
      const [network, queue] = first;
      this.#queues.delete(network);
      queue.shift()!();
      if (queue.length > 0) this.#queues.set(network, queue);
      now = performance.now();
    } while (now - start < TURN_BUDGET_MS);
    this.#schedule(now - start);
  }
}
