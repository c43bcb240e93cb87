/**
 * Counts how often a limit was reached.
 *
 * @module
 */

/**
 * Counts by limit: what was refused, cut or delayed since the process started.
 * The metric `occupancy_limited_total` shows them.
 */
export class LimitCounts implements Iterable<readonly [string, number]> {
  readonly #counts = new Map<string, number>();

  /**
   * Counts one refusal.
   *
   * @param limit its name in kebab case: a constant, never input of a client
   */
  add(limit: string): void {
    this.#counts.set(limit, this.of(limit) + 1);
  }

  /** Returns the count of a limit; 0 if it was never reached. */
  of(limit: string): number {
    return this.#counts.get(limit) ?? 0;
  }

  /** The limits that were reached, with their counts. */
  [Symbol.iterator](): Iterator<readonly [string, number]> {
    return this.#counts.entries();
  }
}
