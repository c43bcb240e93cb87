/**
 * Formats numbers, ages and cell states as texts of the page. The texts are
 * English; numbers and times of day have the reader's format.
 *
 * @module
 */

import { nounOf, type Unit } from "../../protocol/display.ts";

/** Formats numbers as the readers of some locales expect. */
export class NumberFormats {
  readonly #exact: Intl.NumberFormat;
  readonly #short: Intl.NumberFormat;
  readonly #percent: Intl.NumberFormat;

  /** @param locales in order of preference; undefined: of the browser */
  constructor(locales?: string | readonly string[]) {
    const list = locales as string | string[] | undefined;
    this.#exact = new Intl.NumberFormat(list, { maximumFractionDigits: 1 });
    this.#short = new Intl.NumberFormat(list, {
      notation: "compact",
      maximumFractionDigits: 1,
      roundingMode: "trunc", // 99,999 is not 100K
    });
    this.#percent = new Intl.NumberFormat(list, {
      style: "percent",
      maximumFractionDigits: 1,
    });
  }

  /** Formats all digits: `1,234,567`. */
  count(count: number): string {
    return this.#exact.format(count);
  }

  /** Formats a count, from a limit on rounded down: `12.3K`. */
  short(count: number, limit: number): string {
    const format = Math.abs(count) < limit ? this.#exact : this.#short;
    return format.format(count);
  }

  /** Formats a share of a whole that is not 0. */
  share(part: number, whole: number): string {
    const share = part / whole;
    if (share > 0 && share < 0.001) return `<${this.#percent.format(0.001)}`;
    if (share < 1 && share > 0.999) return `>${this.#percent.format(0.999)}`;
    return this.#percent.format(share);
  }
}

/** The number formats of the reader. */
const READER = new NumberFormats();
const TIME_OF_DAY = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const PRECISE_TIME = new Intl.DateTimeFormat(undefined, {
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const HOUR_AND_MINUTE = new Intl.DateTimeFormat(undefined, {
  timeStyle: "short",
});
const DATE_AND_TIME = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
});
/** English, as the page, with the digits of the reader. */
const RELATIVE_TIME = new Intl.RelativeTimeFormat(
  new Intl.Locale("en", {
    numberingSystem: new Intl.NumberFormat().resolvedOptions().numberingSystem,
  }).toString(),
  { style: "short" },
);

const DURATION_UNITS: readonly (readonly [
  ms: number,
  unit: Intl.RelativeTimeFormatUnit,
  symbol: string,
])[] = [
  [86_400_000, "day", "d"],
  [3_600_000, "hour", "h"],
  [60_000, "minute", "min"],
  [1000, "second", "s"],
];

/** Formats a count with all its digits: `1,234,567`. */
export function formatCount(count: number): string {
  return READER.count(count);
}

/** Counts from here on are shortened where there is no room for more digits. */
export const SHORT_LIMIT = 1e9;

/**
 * Formats a count for a small space: `9,999`, from the limit on rounded down:
 * `12.3K`. Show the exact count beside it.
 */
export function formatShortCount(count: number, limit = 10_000): string {
  return READER.short(count, limit);
}

/**
 * Formats a share: `5.6%`. Rounds neither to 0% nor to 100%: `<0.1%`, `>99.9%`.
 */
export function formatShare(part: number, whole: number): string {
  return whole === 0 ? "–" : READER.share(part, whole);
}

/**
 * Formats a duration, rounded down to one unit: `14 s`, `3 min`, `2 h`, `5 d`.
 */
export function formatDuration(ms: number): string {
  const [size, , symbol] = durationUnit(ms);
  return `${formatCount(Math.max(0, Math.floor(ms / size)))} ${symbol}`;
}

/**
 * Formats an age, rounded down to one unit: `just now`, `14 sec. ago`.
 *
 * @param ms below 0 if the clocks of sensor and server differ
 */
export function formatAge(ms: number): string {
  if (ms < 1000) return "just now";
  const [size, unit] = durationUnit(ms);
  return RELATIVE_TIME.format(-Math.floor(ms / size), unit);
}

function durationUnit(ms: number) {
  return DURATION_UNITS.find(([size]) => ms >= size) ?? DURATION_UNITS.at(-1)!;
}

/** Formats bytes per second: `19.0 KiB/s`. */
export function formatByteRate(bytes: number): string {
  if (bytes < 1024) return `${formatCount(Math.round(bytes))} B/s`;
  const kib = bytes / 1024;
  return kib < 1024
    ? `${formatCount(kib)} KiB/s`
    : `${formatCount(kib / 1024)} MiB/s`;
}

/** Formats a count with its noun: `1 cell`, `2 cells`. */
export function formatQuantity(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Formats a count with the unit of a layer: `1 car`, `1,200 people`. */
export function formatUnits(count: number, unit: Unit | undefined): string {
  return `${formatCount(count)} ${nounOf(count, unit)}`;
}

/**
 * Formats the local time of day: `13:08:33` or `1:08:33 PM`.
 *
 * @param ms since 1970
 */
export function formatTime(ms: number): string {
  return TIME_OF_DAY.format(ms);
}

/** Formats a time of the present hour: `08:33.412`. */
export function formatPreciseTime(ms: number): string {
  return PRECISE_TIME.format(ms);
}

/** Formats the time of day without seconds: `13:08`. */
export function formatMinute(ms: number): string {
  return HOUR_AND_MINUTE.format(ms);
}

/** Formats date and time of day. */
export function formatDate(ms: number): string {
  return DATE_AND_TIME.format(ms);
}

/**
 * Formats a time in the past: the time of day, with the date if that is
 * another day than today.
 *
 * @param ms since 1970
 * @param now ms since 1970
 */
export function formatSince(ms: number, now: number): string {
  const sameDay = new Date(ms).toDateString() === new Date(now).toDateString();
  return sameDay ? formatTime(ms) : formatDate(ms);
}

/** Removes what a search ignores: case and accents. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** A cell's state in words. */
export interface CellDescription {
  /** `Occupied`, `Free`, `Stale`, `Unknown` or `No data`. */
  readonly title: string;
  /** `2 people` or `was occupied`; may be empty. */
  readonly detail: string;
}

/**
 * Describes the state of a cell.
 *
 * @param value undefined if the cell was never reported
 * @param stale whether the observation is too old to be trusted
 * @param unit what the value counts. Default: people
 */
export function describeCell(
  value: number | undefined,
  stale: boolean,
  unit?: Unit,
): CellDescription {
  if (value === undefined) return { title: "No data", detail: "" };
  if (value < 0) return { title: "Unknown", detail: "" };
  const people = value > 1 ? formatUnits(value, unit) : "";
  if (stale) {
    const was = value === 0 ? "free" : people || "occupied";
    return { title: "Stale", detail: `was ${was}` };
  }
  return value === 0
    ? { title: "Free", detail: "" }
    : { title: "Occupied", detail: people };
}
