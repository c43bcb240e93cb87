/**
 * Times of the site: days, and how times are written, in the time zone of the
 * server. Pure.
 *
 * @module
 */

import { DAY_SECONDS } from "../../history/hour.ts";
import { type TimeZone, timeZoneOf } from "../../history/time_zone.ts";

const SECOND_MS = 1000;
const WEEK_DAYS = 7;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** A day of the site; changes of the clock make it longer or shorter. */
export interface SiteDay {
  /** The day since 1970 by the clock of the site. */
  readonly number: number;
  /** ms since 1970, from inclusive, to exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Days and texts in a time zone. */
export class SiteTime {
  /** An IANA name. */
  readonly timezone: string;
  readonly #zone: TimeZone;
  readonly #formats: Readonly<Record<FormatName, Intl.DateTimeFormat>>;

  /**
   * @param timezone an IANA name
   * @param locales of the times of day. Default: of the browser
   * @throws {RangeError} if there is no such time zone
   */
  constructor(timezone: string, locales?: string) {
    this.timezone = timezone;
    this.#zone = timeZoneOf(timezone);
    const format = (locale: string | undefined, options: FormatOptions) =>
      new Intl.DateTimeFormat(locale, { ...options, timeZone: timezone });
    // The page is English; times of day have the form of the reader.
    this.#formats = {
      day: format("en-GB", {
        ...{ weekday: "short", day: "numeric", month: "short" },
        year: "numeric",
      }),
      shortDay: format("en-GB", {
        ...{ weekday: "short", day: "numeric", month: "short" },
      }),
      clock: format(locales, { timeStyle: "medium" }),
      minute: format(locales, { timeStyle: "short" }),
    };
  }

  /** Returns the day of a time. */
  dayOf(ms: number): SiteDay {
    const second = Math.floor(ms / SECOND_MS);
    const local = second + this.#zone.offsetAt(second);
    return this.day(Math.floor(local / DAY_SECONDS));
  }

  /** Returns a day by its number. */
  day(number: number): SiteDay {
    const start = (day: number) =>
      this.#zone.firstAt(day * DAY_SECONDS) * SECOND_MS;
    return { number, from: start(number), to: start(number + 1) };
  }

  /** Returns the number of the Monday of the week of a day. */
  mondayOf(number: number): number {
    // Day 0 was a Thursday.
    return number - (number + 3 + WEEK_DAYS * 1e6) % WEEK_DAYS;
  }

  /**
   * Returns the time of another day with the same time of day.
   *
   * @param number of the other day
   */
  sameTime(ms: number, number: number): number {
    const second = Math.floor(ms / SECOND_MS);
    const local = second + this.#zone.offsetAt(second);
    const ofDay = local - Math.floor(local / DAY_SECONDS) * DAY_SECONDS;
    return this.#zone.firstAt(number * DAY_SECONDS + ofDay) * SECOND_MS;
  }

  /** Returns the days from one time to another, by the calendar. */
  daysBetween(from: number, to: number): number {
    return this.dayOf(to).number - this.dayOf(from).number;
  }

  /** Returns the full hours of a day: `step` hours apart by the clock. */
  hoursOf({ number }: SiteDay, step: number): number[] {
    const hours: number[] = [];
    for (let hour = 0; hour <= 24; hour += step) {
      const local = number * DAY_SECONDS + hour * 3600;
      hours.push(this.#zone.firstAt(local) * SECOND_MS);
    }
    return hours;
  }

  /** Formats a day for a field: `2026-11-24`. */
  dateOf({ number }: SiteDay): string {
    return new Date(number * DAY_SECONDS * SECOND_MS).toISOString()
      .slice(0, 10);
  }

  /** Returns the number of the day of `2026-11-24`; undefined if it is none. */
  parseDate(text: string): number | undefined {
    const match = DATE.exec(text);
    if (match === null) return undefined;
    const [year, month, day] = match.slice(1).map(Number);
    const ms = Date.UTC(year!, month! - 1, day);
    const number = ms / SECOND_MS / DAY_SECONDS;
    return this.dateOf({ number, from: 0, to: 0 }) === text
      ? number
      : undefined;
  }

  /** Formats a day: `Tue 24 Nov 2026`. */
  formatDay(ms: number): string {
    return this.#formats.day.format(ms).replace(",", "");
  }

  /** Formats a day without its year: `Tue 24 Nov`. */
  formatShortDay(ms: number): string {
    return this.#formats.shortDay.format(ms).replace(",", "");
  }

  /** Formats the time of day: `10:00:00`. */
  formatClock(ms: number): string {
    return this.#formats.clock.format(ms);
  }

  /** Formats the time of day without seconds: `10:00`. */
  formatMinute(ms: number): string {
    return this.#formats.minute.format(ms);
  }

  /** Formats day and time of day: `Tue 24 Nov 2026, 10:00:00`. */
  format(ms: number): string {
    return `${this.formatDay(ms)}, ${this.formatClock(ms)}`;
  }
}

type FormatName = "day" | "shortDay" | "clock" | "minute";
type FormatOptions = Intl.DateTimeFormatOptions;
