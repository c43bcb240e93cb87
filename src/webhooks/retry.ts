/**
 * When a request is tried again.
 *
 * @module
 */
import { backoffMs, withJitter } from "../common/backoff.ts";

/** Times of retries, in ms. */
export interface RetryTimes {
  /** Before the second try, at most; at least half of it. Default 1 s. */
  readonly firstMs: number;
  /** The same after many tries; a try doubles it. Default 5 min. */
  readonly maxMs: number;
  /** The longest `Retry-After` that is respected. Default 1 h. */
  readonly maxRetryAfterMs: number;
  /** How long a receiver may fail at one event. Default 15 min. */
  readonly giveUpMs: number;
}

/** The times without options. */
export const DEFAULT_RETRY_TIMES: RetryTimes = {
  firstMs: 1000,
  maxMs: 5 * 60_000,
  maxRetryAfterMs: 60 * 60_000,
  giveUpMs: 15 * 60_000,
};

/**
 * Returns how long to wait before the next try: exponential backoff with jitter,
 * so that many servers do not try at the same moment.
 *
 * @param failures tries without success since the last one, at least 1
 * @param retryAfterMs what the receiver asked for; undefined: nothing
 * @param random from 0 to 1
 * @returns ms
 */
export function retryDelay(
  { firstMs, maxMs, maxRetryAfterMs }: RetryTimes,
  failures: number,
  retryAfterMs: number | undefined,
  random: number,
): number {
  const backoff = withJitter(backoffMs(firstMs, maxMs, failures), random);
  return Math.max(backoff, Math.min(retryAfterMs ?? 0, maxRetryAfterMs));
}

/**
 * Reads the header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
 *
 * @param value the header
 * @param now the clock, ms since 1970
 * @returns ms, at least 0; undefined without a valid header
 */
export function parseRetryAfter(
  value: string | null,
  now: number,
): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Date.parse also reads numbers, such as -1.
  const time = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
