/**
 * Parsers of the options of `occupancy history`. The server resolves times and
 * dates in its time zone, so they are checked here and sent as they are written.
 *
 * @module
 */
import { ProtocolError } from "../../../protocol/errors.ts";
import {
  parseTimeExpression,
  TIME_FORMS,
} from "../../../protocol/time_expression.ts";

/**
 * Checks a time.
 *
 * @throws {RangeError} if it is not one
 */
export function parseTime(text: string): string {
  try {
    parseTimeExpression(text, "time");
    return text;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new RangeError(`Use ${TIME_FORMS}.`);
  }
}

/**
 * Checks days of the week: `1-5` or `1,3,6-7`.
 *
 * @throws {RangeError} if they are none
 */
export function parseDays(text: string): string {
  const isValid = text.split(",").every((item) => {
    const [, first, last = first] = /^([1-7])(?:-([1-7]))?$/.exec(item) ?? [];
    return first !== undefined && first <= last!;
  });
  if (isValid) return text;
  throw new RangeError("Use 1 (Monday) to 7 (Sunday), like 1-5 or 1,3,6-7.");
}

/**
 * Checks hours of the day: `8-18`.
 *
 * @throws {RangeError} if they are none
 */
export function parseHours(text: string): string {
  const [, first, last] = /^(\d\d?)-(\d\d?)$/.exec(text) ?? [];
  if (Number(first) < Number(last) && Number(last) <= 24) return text;
  throw new RangeError("Use the first hour and the one after the last: 8-18.");
}
