/**
 * Steps of time in a time zone: quarters of hours, hours, days and weeks, as the
 * clocks and calendars there show them.
 *
 * @module
 */

import type { Step } from "./answers.ts";
import { DAY_SECONDS, HOUR_SECONDS, QUARTER_SECONDS, startOf } from "./hour.ts";
import type { TimeZone } from "./time_zone.ts";

export { isTimeZone, TimeZone, timeZoneOf } from "./time_zone.ts";

/** How long steps are in seconds, except where the clock is changed. */
export const STEP_SECONDS: Readonly<Record<Step, number>> = {
  "15m": QUARTER_SECONDS,
  "1h": HOUR_SECONDS,
  "1d": DAY_SECONDS,
  "1w": 7 * DAY_SECONDS,
};

const WEEK_DAYS = 7;
/** The weekday of day 0, 1970-01-01, a Thursday. */
const FIRST_WEEKDAY = 4;

/**
 * Cuts a time into steps. A step begins where the local time is a whole quarter
 * of an hour, a whole hour, the begin of a date, or of a Monday.
 *
 * Where the clock is changed, a quarter or an hour ends and another begins: so
 * an hour that occurs twice is two steps, and none is longer than its name
 * says. A day lasts up to the next date, 23 or 25 hours then.
 *
 * @param zone the time zone
 * @param from the first second
 * @param to the second after the last, after `from`
 * @param step the length
 * @returns the first second of each step, in order: the first is `from`, also in
 * the middle of a step. Each ends where the next begins, the last at `to`.
 */
export function cutSteps(
  zone: TimeZone,
  from: number,
  to: number,
  step: Step,
): number[] {
  return step === "15m" || step === "1h"
    ? cutByClock(zone, from, to, STEP_SECONDS[step])
    : cutByDate(zone, from, to, step === "1d" ? 1 : WEEK_DAYS);
}

function cutByClock(
  zone: TimeZone,
  from: number,
  to: number,
  seconds: number,
): number[] {
  const starts: number[] = [];
  for (const span of zone.spans(from, to)) {
    starts.push(span.from);
    const local = span.from + span.offset;
    const passed = local - Math.floor(local / seconds) * seconds;
    let start = span.from + seconds - passed;
    for (; start < span.to; start += seconds) starts.push(start);
  }
  return starts;
}

function cutByDate(
  zone: TimeZone,
  from: number,
  to: number,
  days: number,
): number[] {
  const starts = [from];
  let date = Math.floor((from + zone.offsetAt(from)) / DAY_SECONDS) + 1;
  if (days === WEEK_DAYS) {
    date += (WEEK_DAYS + 1 - weekdayOfDate(date)) % WEEK_DAYS;
  }
  for (let last = from;; date += days) {
    const start = zone.firstAt(date * DAY_SECONDS);
    if (start >= to) return starts;
    // Not if the calendar leaves out a date, or the clock goes back at midnight.
    if (start > last) starts.push(start);
    last = Math.max(last, start);
  }
}

/**
 * Returns about how many steps a time has, without cutting it.
 *
 * @param from the first second
 * @param to the second after the last
 * @param step the length
 */
export function countSteps(from: number, to: number, step: Step): number {
  return Math.ceil((to - from) / STEP_SECONDS[step]);
}

/**
 * Returns the weekday of an hour (UTC) in a time zone: that of the middle of the
 * hour.
 *
 * @param zone the time zone
 * @param hour hours since 1970
 * @returns 1 Monday to 7 Sunday
 */
export function weekdayOf(zone: TimeZone, hour: number): number {
  return weekdayOfDate(Math.floor(localMiddle(zone, hour) / DAY_SECONDS));
}

/**
 * Returns the local hour of an hour (UTC) in a time zone: that of the middle of
 * the hour, because some zones are half an hour or a quarter apart.
 *
 * @param zone the time zone
 * @param hour hours since 1970
 * @returns 0 to 23
 */
export function localHourOf(zone: TimeZone, hour: number): number {
  const local = localMiddle(zone, hour);
  const date = Math.floor(local / DAY_SECONDS);
  return Math.floor((local - date * DAY_SECONDS) / HOUR_SECONDS);
}

function localMiddle(zone: TimeZone, hour: number): number {
  const middle = startOf(hour) + HOUR_SECONDS / 2;
  return middle + zone.offsetAt(middle);
}

/** @param date days since 1970 */
function weekdayOfDate(date: number): number {
  const days = date + FIRST_WEEKDAY - 1;
  return days - Math.floor(days / WEEK_DAYS) * WEEK_DAYS + 1;
}
