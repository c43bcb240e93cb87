/**
 * Numbers, ages and statuses in words for people.
 *
 * @module
 */

const NUMBER = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumFractionDigits: 1,
});
const PERCENT = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
/** From here on a count is given in short: 12.3M. */
const LONG = 1e9;

const AGES: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** A count with its thousands told apart, or in short from a billion on. */
export function count(number: number): string {
  return Math.abs(number) < LONG ? NUMBER.format(number) : SHORT.format(number);
}

/** A count where there is little room: `1.5M`. */
export function shortCount(number: number): string {
  return Math.abs(number) < 10_000
    ? NUMBER.format(number)
    : SHORT.format(number);
}

/** A share: `5.6%`, and `<0.1%` rather than a zero that is none. */
export function share(part: number, whole: number): string {
  if (whole === 0) return "–";
  const percent = 100 * part / whole;
  if (percent > 0 && percent < 0.1) return "<0.1%";
  if (percent < 100 && percent > 99.9) return ">99.9%";
  return `${PERCENT.format(percent)}%`;
}

/** How long something takes or has been, roughly: `14 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  const [size, name] = AGES.find(([size]) => ms >= size) ?? AGES.at(-1)!;
  return `${Math.max(0, Math.floor(ms / size))} ${name}`;
}

/** How long ago something was. @param ms below 0: the clocks disagree */
export function ago(ms: number): string {
  return ms < 1000 ? "just now" : `${span(ms)} ago`;
}

/** Bytes a second: `19.0 KiB/s`. */
export function byteRate(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B/s`;
  const kib = bytes / 1024;
  return kib < 1024
    ? `${kib.toFixed(1)} KiB/s`
    : `${(kib / 1024).toFixed(1)} MiB/s`;
}

/** A number of things: `1 cell`, `2 cells`; people are `1 person`. */
export function some(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** The time of day where the person is: `13:08:33`. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** What is known of a cell: its kind, and a sentence that says all of it. */
export interface CellWords {
  /** `Occupied`, `Free`, `Stale`, `Unknown` or `No data`. */
  readonly title: string;
  /** More on it, or empty: `2 people`, `was occupied`. */
  readonly detail: string;
}

/**
 * Words for a cell.
 *
 * @param value Its value; undefined if it was never reported
 * @param stale Whether it was observed too long ago
 */
export function cellWords(
  value: number | undefined,
  stale: boolean,
): CellWords {
  if (value === undefined) return { title: "No data", detail: "" };
  if (value < 0) return { title: "Unknown", detail: "" };
  const people = value > 1 ? `${count(value)} people` : "";
  if (stale) {
    const was = value === 0 ? "free" : people || "occupied";
    return { title: "Stale", detail: `was ${was}` };
  }
  return value === 0
    ? { title: "Free", detail: "" }
    : { title: "Occupied", detail: people };
}
