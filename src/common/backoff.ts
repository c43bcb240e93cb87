/**
 * Pauses before retries: each is twice as long as the one before.
 *
 * @module
 */

/** The pauses before the retries of one task. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #failures = 0;

  /**
   * @param firstMs the first pause, ms
   * @param maxMs the longest pause, ms
   */
  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** Returns the pause after one more failure, in ms. */
  next(): number {
    return backoffMs(this.#firstMs, this.#maxMs, ++this.#failures);
  }

  /** Call it after a success: the next pause is the first one. */
  reset(): void {
    this.#failures = 0;
  }
}

/**
 * Returns the pause after a number of failures in a row.
 *
 * @param firstMs the pause after one, ms
 * @param maxMs the longest pause, ms
 * @param failures their number, at least 1
 * @returns ms
 */
export function backoffMs(
  firstMs: number,
  maxMs: number,
  failures: number,
): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs);
}

/**
 * Shortens a pause at random, so that not all of many clients or servers that
 * have failed together try again at the same moment.
 *
 * @param ms the pause
 * @param random from 0 to 1
 * @returns from half the pause to the pause
 */
export function withJitter(ms: number, random: number = Math.random()): number {
  return ms * (1 + random) / 2;
}
