/**
 * Limits the work in progress by its weight.
 *
 * @module
 */

/**
 * Starts work in the order of the calls, while the sum of the weights stays
 * within a maximum. Heavier work runs alone.
 */
export class Semaphore {
  readonly #max: number;
  readonly #waiting: { readonly weight: number; start: () => void }[] = [];
  #used = 0;

  /** @param max the maximum sum of weights */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Waits for its turn, then does the work.
   *
   * @param weight what the work needs, such as bytes of memory
   * @returns the result of the work, or its error
   */
  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ weight, start: resolve });
    this.#startNext();
    await promise;
    try {
      return await work();
    } finally {
      this.#used -= weight;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined) return;
      if (this.#used > 0 && this.#used + next.weight > this.#max) return;
      this.#waiting.shift();
      this.#used += next.weight;
      next.start();
    }
  }
}
