import type { Spread } from "./statistics.ts";

/** Units by the end of a figure's name; the first that fits holds. */
const UNITS: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/PerSecond$/, (value) => scaled(value, 1000, ["", "k", "M"])],
  [/Microseconds(PerMessage)?$/, (value) => `${digits(value)} µs`],
  [/Milliseconds$/, (value) => `${digits(value)} ms`],
  [/BytesPerCell$/, (value) => `${digits(value)} B`],
  [/Bytes$/, (value) => scaled(value, 1024, ["B", "KiB", "MiB", "GiB"], " ")],
];

/** A figure with its spread, as people read it: `98 k [95 k–101 k]`. */
export function formatSpread(name: string, spread: Spread): string {
  const { median, min, max } = spread;
  const format = formatOf(name);
  return min === max
    ? format(median)
    : `${format(median)} [${format(min)}–${format(max)}]`;
}

/** A figure's name as a heading: `server CPU per message`. */
export function headingOf(name: string): string {
  return name
    .replace(/(Microseconds|Milliseconds)(?=PerMessage$)/, "")
    .replace(/(Microseconds|Milliseconds)$/, "")
    .replace(/(?<=.)Bytes/, "")
    .replace(/Per([A-Z])/g, " per $1")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/\bcpu\b/, "CPU");
}

/** A number with three digits, or all of those before the point. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

function formatOf(name: string): (value: number) => string {
  return UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? digits;
}

function scaled(
  value: number,
  step: number,
  units: readonly string[],
  space = " ",
): string {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${digits(value)}${units[unit] === "" ? "" : space}${units[unit]}`;
}
