/**
 * Waiting for a condition or a promise, with a deadline.
 *
 * @module
 */
import { deadline, delay } from "../../src/common/async.ts";

/** Far above what is expected: a busy machine can stand still for seconds. */
const DEADLINE_MS = 30_000;
const INTERVAL_MS = 5;

/** Options of {@linkcode until}. */
export interface UntilOptions {
  /** The deadline, in ms. Default 30,000. */
  readonly deadline?: number;
  /**
   * What the error describes, for example the state at the deadline. Default:
   * the source of the condition.
   */
  readonly what?: string | (() => string);
  /**
   * Returns a promise that resolves when the condition may have changed. Called
   * before each evaluation. Default: after 5 ms.
   */
  readonly changed?: () => Promise<unknown>;
}

/**
 * Waits for a condition. Evaluates it every 5 ms, or after each change.
 *
 * @param condition the condition
 * @param options the deadline, the text of the error, and the changes
 * @returns the first truthy result of the condition
 * @throws {Error} at the deadline
 */
export async function until<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { deadline: ms = DEADLINE_MS, what = String(condition), changed }:
    UntilOptions = {},
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const change = changed?.();
    const value = await condition();
    if (value) return value;
    const left = end - performance.now();
    if (left < 0) throw timeoutError(what, ms);
    await (change === undefined
      ? delay(INTERVAL_MS)
      : deadline(change, left, () => timeoutError(what, ms)));
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
