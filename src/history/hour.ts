/**
 * Units of time of the history. A *second* is a whole number of seconds since
 * 1970 (UTC), an *hour* counts 3600 of them, a *day* 24 hours, and a *quarter*
 * 900 seconds, all from 1970 on.
 *
 * @module
 */

/** Seconds of an hour. */
export const HOUR_SECONDS = 3600;

/** Hours of a day (UTC). */
export const DAY_HOURS = 24;

/** Seconds of a day (UTC). */
export const DAY_SECONDS: number = DAY_HOURS * HOUR_SECONDS;

/** Seconds of a quarter of an hour. */
export const QUARTER_SECONDS = 900;

/** Quarters of a day (UTC). */
export const DAY_QUARTERS: number = DAY_SECONDS / QUARTER_SECONDS;

/** The largest second that the history can hold: in the year 2106. */
export const MAX_SECOND: number = 2 ** 32 - 1;

/**
 * Returns the hour of a second.
 *
 * @param second seconds since 1970
 * @returns hours since 1970
 */
export function hourOf(second: number): number {
  return Math.floor(second / HOUR_SECONDS);
}

/**
 * Returns the day of an hour.
 *
 * @param hour hours since 1970
 * @returns days since 1970, UTC
 */
export function dayOf(hour: number): number {
  return Math.floor(hour / DAY_HOURS);
}

/**
 * Returns the quarter of a second.
 *
 * @param second seconds since 1970
 * @returns quarters of hours since 1970
 */
export function quarterOf(second: number): number {
  return Math.floor(second / QUARTER_SECONDS);
}

/**
 * Returns the first second of an hour.
 *
 * @param hour hours since 1970
 * @returns seconds since 1970
 */
export function startOf(hour: number): number {
  return hour * HOUR_SECONDS;
}
