/**
 * Times in questions about the past, the same in HTTP, MQTT and on the command
 * line: milliseconds since 1970, RFC 3339, a date with or without a time in some
 * time zone, and times relative to the present.
 *
 * @module
 */

import { parseDuration } from "../common/duration.ts";
import { ProtocolError } from "./errors.ts";
import { describeJson, encodeText } from "./text.ts";
import {
  checkReadingTime,
  explainTime,
  explainTimestamp,
  parseTimestamp,
} from "./time.ts";

/** Longer than any time. */
const MAX_LENGTH = 64;

/** A time that a question names; {@linkcode resolveTime} returns which it is. */
export type TimeExpression =
  /** ms since 1970. */
  | { readonly ms: number }
  /** Seconds since 1970 as if the clock of a time zone showed UTC. */
  | { readonly local: number }
  /** ms before the present. */
  | { readonly ago: number };

/** What {@linkcode resolveTime} needs. */
export interface TimeContext {
  /** The present, ms since 1970. */
  readonly now: number;
  /**
   * Returns the first second since 1970 at which a local time is at least a
   * given one, in seconds as if the clock showed UTC.
   */
  readonly firstAt: (local: number) => number;
}

/** A date, and a time of day with minutes, perhaps with seconds. */
const LOCAL = /^\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d(?::\d\d)?)?$/;
const RELATIVE = /^-\d+(?:\.\d+)?(?:ms|s|m|h|d)$/;
/** An offset whose `+` an address has as a space. */
const LOST_PLUS = /T[\d:.]+ \d\d:\d\d$/i;

/** The forms of a time, for help and hints. */
export const TIME_FORMS =
  "2026-01-31T12:00:00Z, 2026-01-31, 2026-01-31T12:00, -2h, now, or milliseconds since 1970";

/**
 * Reads a time.
 *
 * @param value a number of ms since 1970, or a text: such a number, RFC 3339,
 * `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM`, `YYYY-MM-DDTHH:MM:SS`, `now`, or `-` and a
 * duration such as `-90s`, `-30m`, `-2h`, `-7d`
 * @param name the key or the parameter, for the error
 * @throws {ProtocolError} "bad-time"
 */
export function parseTimeExpression(
  value: unknown,
  name: string,
): TimeExpression {
  if (typeof value === "number") return { ms: checked(value, name) };
  if (typeof value !== "string" || value.length > MAX_LENGTH) {
    throw badTime(`${name} is not a time: ${describeJson(value)}`);
  }
  if (value === "now") return { ago: 0 };
  if (/^\d+$/.test(value)) return { ms: checked(Number(value), name) };
  if (RELATIVE.test(value)) return { ago: readDuration(value.slice(1), name) };
  if (LOCAL.test(value)) return { local: readLocal(value, name) };
  const bytes = encodeText(value);
  const ms = checkReadingTime(parseTimestamp(bytes, 0, bytes.length));
  if (!Number.isNaN(ms)) return { ms };
  if (LOST_PLUS.test(value)) {
    throw new ProtocolError(
      "bad-time",
      `${name} is not a time: ${describeJson(value)}`,
      { hint: "Write the + of an offset as %2B in an address." },
    );
  }
  const isTimestamp = parseTimestamp(bytes, 0, bytes.length) < 0;
  throw badTime(
    isTimestamp
      ? `${name}: ${explainTimestamp(bytes, 0, bytes.length)}`
      : `${name} is not a time: ${describeJson(value)}`,
  );
}

/**
 * Returns the time that an expression means.
 *
 * @param time of {@linkcode parseTimeExpression}
 * @returns ms since 1970; 0 for a time before it
 */
export function resolveTime(
  time: TimeExpression,
  { now, firstAt }: TimeContext,
): number {
  if ("ms" in time) return time.ms;
  const ms = "ago" in time ? now - time.ago : firstAt(time.local) * 1000;
  return Math.max(0, Math.trunc(ms));
}

function checked(value: number, name: string): number {
  const ms = checkReadingTime(value);
  if (!Number.isNaN(ms)) return ms;
  throw badTime(
    Number.isFinite(value)
      ? `${name}: ${explainTime(value)}`
      : `${name} is not a time: ${value}`,
  );
}

function readDuration(text: string, name: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new ProtocolError("bad-time", `${name} is not a time: "-${text}"`, {
      hint: (error as Error).message,
    });
  }
}

function readLocal(text: string, name: string): number {
  const full = text.length === 10
    ? `${text}T00:00:00Z`
    : `${text}${text.length === 16 ? ":00" : ""}Z`;
  const bytes = encodeText(full);
  const ms = parseTimestamp(bytes, 0, bytes.length);
  // A leap second is not one of every time zone.
  if (ms >= 0 && ms % 1000 === 0) return ms / 1000;
  throw badTime(`${name} is not a time: ${describeJson(text)}`);
}

function badTime(message: string): ProtocolError {
  return new ProtocolError("bad-time", message, { hint: `Use ${TIME_FORMS}.` });
}
