/**
 * The utilisation in words. Texts are English; numbers and times of day
 * have the reader's format, in the time zone of the server.
 *
 * @module
 */

import {
  formatCount,
  formatQuantity,
  formatShare,
} from "../elements/format.ts";
import { MIN_KNOWN, type Use } from "./usage.ts";
import type { Measure } from "./settings.ts";

/** Monday to Sunday. */
export const DAY_NAMES = [
  ...["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const,
] as const;
/** Monday to Sunday, for screen readers. */
export const LONG_DAY_NAMES: readonly string[] = [
  ...["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
  "Sunday",
];

const HOUR_SECONDS = 3600;
/** From here on a time is in hours only. */
const WHOLE_HOURS = 100;

/** Formats a share in whole percent: `3%`, `<1%`, `>99%`; `–` for NaN. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "–";
  if (share > 0 && share < 0.01) return "<1%";
  if (share < 1 && share > 0.99) return ">99%";
  return `${formatCount(Math.round(100 * share))}%`;
}

/** Formats a time: `6 h 30 min`, `218 h`, `4 min`. */
export function formatHours(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds >= WHOLE_HOURS * HOUR_SECONDS) {
    return `${formatCount(Math.round(seconds / HOUR_SECONDS))} h`;
  }
  if (hours === 0) return `${minutes} min`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Formats a number of changes a day: `12`, `0.4`. */
export function formatRate(rate: number): string {
  if (Number.isNaN(rate)) return "–";
  return formatCount(rate < 10 ? rate : Math.round(rate));
}

/** The page is English; times of day have the form of the reader. */
const DATES = "en-GB";

/** Formats dates and times in a time zone. */
export class UsageDates {
  readonly #day: Intl.DateTimeFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #range: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;

  /** @param timeZone an IANA name */
  constructor(timeZone: string) {
    const day = { timeZone, day: "numeric", month: "short" } as const;
    this.#day = new Intl.DateTimeFormat(DATES, day);
    this.#weekday = new Intl.DateTimeFormat(DATES, {
      ...day,
      weekday: "short",
    });
    this.#clock = new Intl.DateTimeFormat(undefined, {
      timeZone,
      timeStyle: "short",
    });
    this.#range = new Intl.DateTimeFormat(DATES, {
      ...day,
      year: "numeric",
    });
  }

  /** `10 Nov` */
  day(ms: number): string {
    return this.#day.format(ms);
  }

  /** `Tue, 10 Nov` */
  weekday(ms: number): string {
    return this.#weekday.format(ms);
  }

  /** `Tue 10 Nov, 14:20` */
  time(ms: number): string {
    return `${this.#weekday.format(ms)}, ${this.#clock.format(ms)}`;
  }

  /** `27 Oct – 25 Nov 2026` @param to exclusive */
  range(from: number, to: number): string {
    return this.#range.formatRange(from, Math.max(from, to - 1));
  }
}

/** When a place was last used: `10 Nov`, or `never`. */
export function lastUsed({ last }: Use, dates: UsageDates): string {
  return Number.isNaN(last) ? "never" : dates.day(last);
}

/** The share in a sentence: `3% of known time`, or why there is none. */
export function describeShare({ share, knownShare }: Use): string {
  return Number.isNaN(share)
    ? knownShare === 0
      ? "Unknown: no readings"
      : `Unknown: known ${percent(knownShare)} of the time`
    : `${percent(share)} of known time`;
}

/** The times behind the share: `6 h 30 min of 218 h · known 99%`. */
export function describeTimes(use: Use): string {
  const { cells, occupied, known, knownShare } = use;
  if (cells === 0) return "no readings";
  const perCell = cells > 1 ? " a cell" : "";
  const [used, all] = [occupied / cells, known / cells];
  return `${formatHours(used)} of ${formatHours(all)}${perCell} · known ${
    percent(knownShare)
  }`;
}

/** For a screen reader: `x 12, y 4: 3% of known time, known 99%, …`. */
export function describeUse(
  name: string,
  use: Use,
  dates: UsageDates,
): string {
  const last = Number.isNaN(use.last) ? "never" : dates.time(use.last);
  return `${name}: ${describeShare(use)}, known ${percent(use.knownShare)}, ${
    formatQuantity(use.changes, "change")
  }, last used ${last}`;
}

/** What the scale shows, and what its hatching means. */
export const LEGENDS: Readonly<
  Record<Measure, { readonly title: string; readonly unknown: string }>
> = {
  occupied: {
    title: "Share of known time occupied",
    unknown: `known less than ${formatShare(MIN_KNOWN, 1)} of the time`,
  },
  known: { title: "Share of time known", unknown: "" },
  changes: {
    title: "Changes in a day of known time",
    unknown: `known less than ${formatShare(MIN_KNOWN, 1)} of the time`,
  },
};

/** `Mon–Fri`, `Mon, Wed`, `every day`. @param days 1 Monday to 7 Sunday */
export function describeDays(days: readonly number[]): string {
  if (days.length === DAY_NAMES.length) return "every day";
  const name = (day: number) => DAY_NAMES[day - 1]!;
  const isRun = days.length > 2 &&
    days.at(-1)! - days[0]! === days.length - 1;
  return isRun
    ? `${name(days[0]!)}–${name(days.at(-1)!)}`
    : days.map(name).join(", ");
}

/** `8:00–18:00`, `all day`. */
export function describeHours([from, to]: readonly [number, number]): string {
  return from === 0 && to === DAY_HOURS ? "all day" : `${from}:00–${to}:00`;
}

const DAY_HOURS = 24;
