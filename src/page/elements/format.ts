/**
 * Formats numbers, ages and cell states as texts of the page.
 *
 * @module
 */

const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumFractionDigits: 1,
});
const PERCENT = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
/** {@linkcode formatCount} abbreviates from here on. */
const COMPACT_LIMIT = 1e9;

const DURATION_UNITS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** Formats a count: `1,234,567`, from a billion on `12.3B`. */
export function formatCount(count: number): string {
  return (Math.abs(count) < COMPACT_LIMIT ? NUMBER : COMPACT).format(count);
}

/** Formats a count for a small space: `9,999`, from the limit on `12.3K`. */
export function formatShortCount(count: number, limit = 10_000): string {
  return (Math.abs(count) < limit ? NUMBER : COMPACT).format(count);
}

/**
 * Formats a share: `5.6%`. Rounds neither to 0% nor to 100%: `<0.1%`, `>99.9%`.
 */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "–";
  const percent = 100 * part / whole;
  if (percent > 0 && percent < 0.1) return "<0.1%";
  if (percent < 100 && percent > 99.9) return ">99.9%";
  return `${PERCENT.format(percent)}%`;
}

/**
 * Formats a duration, rounded down to one unit: `14 s`, `3 min`, `2 h`, `5 d`.
 */
export function formatDuration(ms: number): string {
  const [size, unit] = DURATION_UNITS.find(([size]) => ms >= size) ??
    DURATION_UNITS.at(-1)!;
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/**
 * Formats an age: `just now`, `14 s ago`.
 *
 * @param ms below 0 if the clocks of sensor and server differ
 */
export function formatAge(ms: number): string {
  return ms < 1000 ? "just now" : `${formatDuration(ms)} ago`;
}

/** Formats bytes per second: `19.0 KiB/s`. */
export function formatByteRate(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B/s`;
  const kib = bytes / 1024;
  return kib < 1024
    ? `${kib.toFixed(1)} KiB/s`
    : `${(kib / 1024).toFixed(1)} MiB/s`;
}

/** Formats a count with its noun: `1 cell`, `2 cells`. */
export function formatQuantity(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Formats the local time of day: `13:08:33`.
 *
 * @param ms since 1970
 */
export function formatTime(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
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
 */
export function describeCell(
  value: number | undefined,
  stale: boolean,
): CellDescription {
  if (value === undefined) return { title: "No data", detail: "" };
  if (value < 0) return { title: "Unknown", detail: "" };
  const people = value > 1 ? `${formatCount(value)} people` : "";
  if (stale) {
    const was = value === 0 ? "free" : people || "occupied";
    return { title: "Stale", detail: `was ${was}` };
  }
  return value === 0
    ? { title: "Free", detail: "" }
    : { title: "Occupied", detail: people };
}
