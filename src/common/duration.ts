/**
 * Durations as text, as people write them in options and files.
 *
 * @module
 */

/** About a hundred years. */
const MAX_DURATION_MS = 36_500 * 86_400_000;

/** The units, the largest last. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses `500ms`, `1.5s`, `10m`, `2h` or `7d`; without a unit in seconds.
 *
 * @returns ms
 * @throws {RangeError} if the text is not a duration; its message is a hint
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) throw new RangeError("Use 500ms, 5s, 10m, 2h or 7d.");
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2] ?? "s"]!);
  if (ms > MAX_DURATION_MS) throw new RangeError("Use at most 36500d.");
  return ms;
}

/**
 * Writes a duration so that {@linkcode parseDuration} returns the same, in the
 * largest unit of which it is a whole number: `90s`, `2h`.
 *
 * @param ms a whole number of milliseconds, 0 or more
 */
export function writeDuration(ms: number): string {
  if (ms === 0) return "0s";
  const [unit, size] = Object.entries(UNIT_MS)
    .findLast(([, size]) => ms % size === 0)!;
  return `${ms / size}${unit}`;
}
