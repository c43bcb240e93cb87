/**
 * Waiting for a condition or a promise, with a deadline.
 *
 * @module
 */
import { deadline, delay } from "../../src/common/async.ts";

const DEADLINE_MS = 10_000;
const INTERVAL_MS = 5;

/** Options of {@linkcode until}. */
export interface UntilOptions {
  /** The deadline, in ms. Default 10,000. */
  readonly deadline?: number;
  /**
   * What the error describes, for example the state at the deadline. Default:
   * the source of the condition.
   */
  readonly what?: string | (() => string);
}

/**
 * Waits for a condition. Evaluates it every 5 ms.
 *
 * @param condition the condition
 * @param options the deadline, and the text of the error
 * @returns the first truthy result of the condition
 * @throws {Error} at the deadline
 */
export async function until<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { deadline: ms = DEADLINE_MS, what = String(condition) }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw timeoutError(what, ms);
    await delay(INTERVAL_MS);
  }
}

/**
 * Waits for a promise.
 *
 * @param work what to wait for
 * @param what the awaited state, for the error
 * @param ms the deadline, in ms
 * @throws {Error} at the deadline
 */
export function within<T>(
  work: Promise<T>,
  what: string | (() => string),
  ms = DEADLINE_MS,
): Promise<T> {
  return deadline(work, ms, () => timeoutError(what, ms));
}

function timeoutError(what: string | (() => string), ms: number): Error {
  return new Error(
    `Not within ${ms} ms: ${typeof what === "string" ? what : what()}`,
  );
}
