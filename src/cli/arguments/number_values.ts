/**
 * Parsers of durations, numbers, sizes and coordinates in options. Each throws a
 * `RangeError` whose message is the hint.
 *
 * @module
 */
import { parseDuration } from "../../common/duration.ts";
import { isInt32, type Region, regionFrom } from "../../protocol/region.ts";

/** A timer of more than 2^31 - 1 ms fires at once. */
const MAX_WAIT_MS = 24 * 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/**
 * Parses a duration for a timer, at most 24 days.
 *
 * @returns ms
 * @throws {RangeError} if the text is not such a duration
 */
export function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms > MAX_WAIT_MS) throw new RangeError("Use at most 24d.");
  return ms;
}

/**
 * Parses a duration for a timer, from 1 ms to 24 days.
 *
 * @returns ms
 * @throws {RangeError} if the text is not such a duration
 */
export function parseTimeout(text: string): number {
  return aboveZero(parseWait(text));
}

/**
 * Parses a duration of at least 1 ms.
 *
 * @returns ms
 * @throws {RangeError} if the text is not such a duration
 */
export function parsePositiveDuration(text: string): number {
  return aboveZero(parseDuration(text));
}

function aboveZero(ms: number): number {
  if (ms < 1) throw new RangeError("Use more than 0, such as 500ms or 5s.");
  return ms;
}

/**
 * Parses a whole number of a range.
 *
 * @throws {RangeError} if the text is not such a number
 */
export function parseRange(text: string, from: number, to: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < from || count > to) {
    throw new RangeError(`Use a whole number from ${from} to ${to}.`);
  }
  return count;
}

/**
 * Parses a whole number from 1 to 1,000,000.
 *
 * @throws {RangeError} if the text is not such a number
 */
export function parseCount(text: string): number {
  return parseRange(text, 1, 1_000_000);
}

/**
 * Parses a whole number from 1 to 2^53 - 1.
 *
 * @throws {RangeError} if the text is not such a number
 */
export function parseLargeCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > Number.MAX_SAFE_INTEGER) {
    throw new RangeError("Use a whole number of at least 1.");
  }
  return count;
}

const SIZE_UNITS = {
  "": 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Parses the size of a message, from 1 KiB to 256 MiB: `8MiB`.
 *
 * @returns bytes
 * @throws {RangeError} if the text is not such a size
 */
export function parseSize(text: string): number {
  return sizeOf(text, 2 ** 28, "Use a size from 1KiB to 256MiB, such as 8MiB.");
}

/**
 * Parses an amount of memory, from 1 KiB to 64 GiB: `8MiB`.
 *
 * @returns bytes
 * @throws {RangeError} if the text is not such an amount
 */
export function parseMemory(text: string): number {
  return sizeOf(text, 2 ** 36, "Use a size from 1KiB to 64GiB, such as 1GiB.");
}

/**
 * Parses an amount of storage, from 1 MiB to 64 TiB: `10GiB`.
 *
 * @returns bytes
 * @throws {RangeError} if the text is not such an amount
 */
export function parseStorage(text: string): number {
  const hint = "Use a size from 1MiB to 64TiB, such as 10GiB.";
  return sizeOf(text, 2 ** 46, hint, 2 ** 20);
}

function sizeOf(text: string, max: number, hint: string, min = 1024): number {
  const match = /^(\d+)\s*(|KiB|MiB|GiB|TiB)$/i.exec(text.trim());
  const unit = (match?.[2] ?? "").toLowerCase() as keyof typeof SIZE_UNITS;
  const bytes = Number(match?.[1]) * SIZE_UNITS[unit];
  if (bytes >= min && bytes <= max) return bytes;
  throw new RangeError(hint);
}

/**
 * Parses a number per second, from 0.001 to 10,000,000, or `max`.
 *
 * @throws {RangeError} if the text is neither
 */
export function parseRate(text: string): number | "max" {
  if (text === "max") return "max";
  const rate = parseDecimal(text);
  if (rate === undefined || rate < 0.001 || rate > 10_000_000) {
    throw new RangeError("Use a number from 0.001 to 10000000, or max.");
  }
  return rate;
}

/**
 * Parses a factor from 0.001 to 1,000,000.
 *
 * @throws {RangeError} if the text is not such a number
 */
export function parseSpeed(text: string): number {
  const speed = parseDecimal(text);
  if (speed === undefined || speed < 0.001 || speed > 1_000_000) {
    throw new RangeError("Use a number from 0.001 to 1000000, such as 60.");
  }
  return speed;
}

/**
 * Parses a 32-bit integer.
 *
 * @throws {RangeError} if the text is not one
 */
export function parseSeed(text: string): number {
  const [seed, ...more] = parseIntegers(text) ?? [];
  if (seed === undefined || more.length > 0) {
    throw new RangeError("Use a whole number of up to 32 bits.");
  }
  return seed;
}

/**
 * Parses a time of day, `HH:MM`.
 *
 * @returns ms since midnight
 * @throws {RangeError} if the text is not a time of day
 */
export function parseTimeOfDay(text: string): number {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) {
    throw new RangeError("Use a time of day, such as 08:00 or 14:30.");
  }
  return Number(match[1]) * HOUR_MS + Number(match[2]) * MINUTE_MS;
}

/**
 * Parses `X,Y`, as the region of this one cell.
 *
 * @throws {RangeError} if the text is not two 32-bit integers
 */
export function parseAt(text: string): Region {
  const at = parseIntegers(text);
  if (at === undefined || at.length !== 2) {
    throw new RangeError("Use two whole numbers, such as 3,4 or -1,4.");
  }
  const [x, y] = at as [number, number];
  return { x0: x, y0: y, x1: x, y1: y };
}

/**
 * Parses `X0,Y0,X1,Y1`, two opposite corners in any order.
 *
 * @throws {RangeError} if the text is not four 32-bit integers
 */
export function parseRegion(text: string): Region {
  const corners = parseIntegers(text);
  if (corners === undefined || corners.length !== 4) {
    throw new RangeError(
      "Use four whole numbers, such as 0,0,9,9 or -3,-2,4,5.",
    );
  }
  return regionFrom(corners)!;
}

/** Parses a decimal number without a sign. */
function parseDecimal(text: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Parses 32-bit integers with commas between them. */
function parseIntegers(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^[+-]?\d{1,10}$/.test(part))) return undefined;
  const numbers = parts.map((part) => Number(part) + 0); // -0 becomes 0
  return numbers.every(isInt32) ? numbers : undefined;
}
