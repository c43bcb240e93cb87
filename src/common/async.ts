/**
 * Results that may come later, and waits that end at a time limit or an abort
 * signal.
 *
 * @module
 */

/**
 * A result that is there at once, or comes later: `await` takes both.
 *
 * @example
 * ```ts
 * import type { Soon } from "./async.ts";
 *
 * const known = new Map([["one", 1]]);
 * function find(key: string, ask: () => Promise<number>): Soon<number> {
 *   return known.get(key) ?? ask();
 * }
 * await find("one", () => Promise.resolve(0)); // 1
 * await find("none", () => Promise.resolve(0)); // 0
 * ```
 */
export type Soon<T> = T | Promise<T>;

/**
 * Waits for a promise, with a time limit. Does not cancel the work itself.
 *
 * @param work the promise; a rejection after the deadline is ignored
 * @param ms the maximum wait, in ms
 * @param timeoutError creates the error to throw at the deadline
 * @returns the result of the work
 * @throws the error of the work, or that of `timeoutError`
 *
 * @example
 * ```ts
 * import { deadline } from "./async.ts";
 *
 * const work = Promise.resolve(7);
 * await deadline(work, 1000, () => new Error("No result within 1 s")); // 7
 * ```
 */
export async function deadline<T>(
  work: Promise<T>,
  ms: number,
  timeoutError: () => Error,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(timeoutError()), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for a promise, with a time limit, and returns whether it was done.
 *
 * @param work the promise; a rejection after the time limit is ignored
 * @param ms the maximum wait, in ms
 * @returns true if the work was done in time
 * @throws the error of the work, if it fails in time
 */
export async function doneWithin(
  work: Promise<unknown>,
  ms: number,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for a promise until a signal is aborted. Does not cancel the work
 * itself.
 *
 * @param work the promise; a rejection after the abort is ignored
 * @param signal ends the wait when aborted; undefined: waits without limit
 * @returns the result of the work
 * @throws the error of the work, or the reason of the signal
 */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal!.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Waits for a time, or until a signal is aborted. Does not throw when aborted.
 *
 * @param ms the time, in ms
 * @param signal ends the wait early
 */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", done);
    resolve();
  };
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", done);
  return promise;
}
