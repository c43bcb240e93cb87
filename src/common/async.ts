/**
 * Waiting with a limit.
 *
 * @module
 */

/**
 * Waits for a promise, at most for a time. The work itself is not cancelled.
 *
 * @param work what to wait for; if it rejects after the deadline, the rejection
 * is ignored
 * @param ms the longest wait, in ms
 * @param timeoutError makes the error to throw at the deadline
 * @returns what the work resolved to
 * @throws what the work rejects with, or the error of `timeoutError`
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
 * Waits for a promise, at most for a time, and reports which came first.
 *
 * @param work what to wait for
 * @param ms the longest wait, in ms
 * @returns true if the work was done in time
 * @throws what the work rejects with, if it does so in time
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
 * Waits for a promise, at most until a signal is aborted. The work itself is not
 * cancelled.
 *
 * @param work what to wait for; if it rejects after the abort, the rejection is
 * ignored
 * @param signal ends the wait; undefined: never
 * @returns what the work resolved to
 * @throws what the work rejects with, or the signal's reason
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
 * @param ms how long, in ms
 * @param signal ends the wait early
 */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal?.aborted) return Promise.resolve();
  const done = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", done);
    resolve();
  };
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", done);
  return promise;
}
