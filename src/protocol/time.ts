/**
 * Parses times of observation: milliseconds since 1970 (UTC), or RFC 3339.
 *
 * Readings may have times in two ranges: 0 to 1e8 (about a day, for tests and
 * simulations that start at 0) and 1e11 to 1e14 (March 1973 to November 5138).
 * Times between these ranges look like seconds, and larger ones like
 * microseconds: they are refused, because the map would be wrong.
 *
 * @module
 */

import { encodeText, quote, quoteBytes } from "./text.ts";

/** The largest time in the protocol, ms since 1970. */
export const MAX_TIME_MS = 1e14;

const MAX_TINY_TIME_MS = 1e8;
const MIN_TIME_MS = 1e11;
const MINUTES_PER_DAY = 1440;
/** Longer than every useful fraction of a second. */
const MAX_TIMESTAMP_LENGTH = 64;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const DASH = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const COLON = 0x3a;
const LOWER_T = 0x74;
const LOWER_Z = 0x7a;
const ZERO = 0x30;

/** Returns the time in whole milliseconds if it is valid, else NaN. */
export type TimeCheck = (ms: number) => number;

/**
 * The {@linkcode TimeCheck} of readings: refuses times that look like another
 * unit.
 *
 * @param ms ms since 1970, possibly with a fraction
 * @returns whole ms; NaN if the time is refused
 */
export function checkReadingTime(ms: number): number {
  if (!(ms >= 0)) return NaN;
  const whole = Math.trunc(ms);
  if (whole > MAX_TINY_TIME_MS && whole < MIN_TIME_MS) return NaN;
  return whole <= MAX_TIME_MS ? whole + 0 : NaN; // + 0: no negative zero
}

/** The {@linkcode TimeCheck} of replies: 0 to 1e14. */
export function checkReplyTime(ms: number): number {
  return ms >= 0 && ms <= MAX_TIME_MS ? Math.trunc(ms) + 0 : NaN;
}

/**
 * Returns why {@linkcode checkReadingTime} refuses a number.
 *
 * @param ms the number
 * @param shown the text of the number in the message
 */
export function explainTime(ms: number, shown: string = String(ms)): string {
  if (ms < 0) return `time is negative: ${shown}`;
  const unit = ms < MIN_TIME_MS
    ? "seconds"
    : ms < 1e17
    ? "microseconds"
    : "nanoseconds";
  return `time ${shown} looks like ${unit}: send milliseconds since 1970`;
}

/**
 * Returns the time of a JSON value, or NaN if it is not valid.
 *
 * @param value a number of milliseconds, or an RFC 3339 string
 */
export function readJsonTime(value: unknown): number {
  if (typeof value === "number") return checkReadingTime(value);
  if (typeof value !== "string" || value.length > MAX_TIMESTAMP_LENGTH) {
    return NaN;
  }
  const bytes = encodeText(value);
  return checkReadingTime(parseTimestamp(bytes, 0, bytes.length));
}

/** Returns why {@linkcode readJsonTime} refuses a value. */
export function explainJsonTime(value: unknown): string {
  if (typeof value === "number") return explainTime(value);
  if (typeof value !== "string") {
    return "time is neither a number nor an RFC 3339 string";
  }
  if (/^\s*[+-]?\d+(\.\d*)?\s*$/.test(value)) {
    return `time ${quote(value)} is a string: send the number without quotes`;
  }
  const bytes = encodeText(value.slice(0, MAX_TIMESTAMP_LENGTH + 1));
  return explainTimestamp(bytes, 0, bytes.length);
}

/**
 * Parses an RFC 3339 date-time (5.6) strictly: `2026-01-31T12:00:00Z`,
 * optionally with a fraction of a second (truncated to milliseconds), with an
 * offset instead of `Z`, and with lower-case `t` and `z`.
 *
 * A leap second (only `23:59:60` UTC) is read as 23:59:59.999, between the
 * seconds before and after it.
 *
 * @param bytes contains the text
 * @param from index of its first byte
 * @param to index after its last byte
 * @returns ms since 1970, negative before; NaN if it is not a date-time
 */
export function parseTimestamp(
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  if (to - from < 20 || to - from > MAX_TIMESTAMP_LENGTH) return NaN;
  if (
    bytes[from + 4] !== DASH || bytes[from + 7] !== DASH ||
    (bytes[from + 10]! | 0x20) !== LOWER_T ||
    bytes[from + 13] !== COLON || bytes[from + 16] !== COLON
  ) return NaN;

  // NaN, for text that is not digits, fails all tests below.
  const year = decimal(bytes, from, 4);
  const month = decimal(bytes, from + 5, 2);
  const day = decimal(bytes, from + 8, 2);
  const hour = decimal(bytes, from + 11, 2);
  const minute = decimal(bytes, from + 14, 2);
  const second = decimal(bytes, from + 17, 2);
  if (
    !(year >= 0 && month >= 1 && month <= 12 && day >= 1 &&
      day <= daysOf(year, month) && hour <= 23 && minute <= 59 &&
      second <= 60)
  ) return NaN;

  let at = from + 19;
  let ms = 0;
  if (bytes[at] === DOT) {
    const first = ++at;
    for (let unit = 100; at < to; at++, unit = Math.trunc(unit / 10)) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      ms += digit * unit;
    }
    if (at === first) return NaN;
  }
  const offset = parseOffset(bytes, at, to);
  if (Number.isNaN(offset)) return NaN;

  // Date.UTC maps the years 0 to 99 to 1900 to 1999.
  if (year < 1969) return -1;
  const utcMinute = hour * 60 + minute - offset;
  const midnight = Date.UTC(year, month - 1, day);
  if (second < 60) return midnight + utcMinute * 60_000 + second * 1000 + ms;
  const ofDay = (utcMinute + 2 * MINUTES_PER_DAY) % MINUTES_PER_DAY;
  if (ofDay !== MINUTES_PER_DAY - 1) return NaN;
  return midnight + utcMinute * 60_000 + 59_999;
}

/** Returns why a text is not a valid time. */
export function explainTimestamp(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  const shown = quoteBytes(bytes, from, to);
  if (to - from > MAX_TIMESTAMP_LENGTH) {
    return `time has over ${MAX_TIMESTAMP_LENGTH} characters: ${shown}`;
  }
  const ms = parseTimestamp(bytes, from, to);
  if (ms < 0) return `time ${shown} is before 1970`;
  if (ms < MIN_TIME_MS) return `time ${shown} is before March 1973`;
  if (ms > MAX_TIME_MS) return `time ${shown} is after November 5138`;
  return `time ${shown} is neither milliseconds since 1970 nor RFC 3339 ` +
    "such as 2026-01-31T12:00:00Z";
}

/** Returns the minutes east of UTC of `Z` or `+hh:mm`; NaN if it is neither. */
function parseOffset(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 === to) return (bytes[at]! | 0x20) === LOWER_Z ? 0 : NaN;
  const sign = bytes[at];
  if (at + 6 !== to || bytes[at + 3] !== COLON) return NaN;
  if (sign !== PLUS && sign !== DASH) return NaN;
  const hours = decimal(bytes, at + 1, 2);
  const minutes = decimal(bytes, at + 4, 2);
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes);
}

function daysOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : DAYS[month - 1]!;
}

function decimal(bytes: Uint8Array, from: number, length: number): number {
  let number = 0;
  for (let at = from; at < from + length; at++) {
    const digit = bytes[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
}
