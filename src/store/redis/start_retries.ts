/**
 * Waits for Redis while a server starts.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { Backoff } from "../../common/backoff.ts";
import type { Deployment } from "./deployment.ts";
import { isTemporary } from "./errors.ts";
import { redisStoreError } from "./redis_problem.ts";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;
/** While Redis is away, a warning at most once in this time, in ms. */
const WARNING_INTERVAL_MS = 30_000;

/** Repeats the steps of a start until Redis does them. */
export class StartRetries {
  readonly #deployment: Deployment;
  readonly #warn: (line: string) => void;
  readonly #signal: AbortSignal;
  #warnedAt = -Infinity;

  /**
   * @param deployment the servers of Redis
   * @param warn receives why it waits
   * @param signal ends the start; its reason is thrown
   */
  constructor(
    deployment: Deployment,
    warn: (line: string) => void,
    signal: AbortSignal,
  ) {
    this.#deployment = deployment;
    this.#warn = warn;
    this.#signal = signal;
  }

  /**
   * Does a step, again and again if Redis is away or cannot do it now.
   *
   * @throws {StoreError} if waiting does not help: a wrong password, for example
   * @throws the reason of the signal
   */
  async run<T>(step: () => Promise<T>): Promise<T> {
    const backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
    for (;;) {
      this.#signal.throwIfAborted();
      try {
        return await step();
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#explain(error);
      }
      await delay(backoff.next(), this.#signal);
    }
  }

  /** @throws {StoreError} if waiting does not help */
  #explain(error: unknown): void {
    const problem = redisStoreError(this.#deployment.description, error);
    if (!isTemporary(error)) throw problem;
    this.#deployment.changed();
    if (performance.now() - this.#warnedAt < WARNING_INTERVAL_MS) return;
    this.#warnedAt = performance.now();
    this.#warn(`${problem.message}. ${problem.hint}`);
  }
}
