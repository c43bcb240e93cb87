/**
 * Parsers of names in options. Each throws a `RangeError` whose message is
 * the hint, or an `AppError` with a hint.
 *
 * @module
 */
import { timeZoneOf } from "../../history/time_zone.ts";
import { ReadingBatch } from "../../protocol/batch.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { encodeBatchJson } from "../../protocol/json.ts";
import {
  assertLayer,
  assertZoneName,
  levelProblem,
  Topics,
} from "../../protocol/topics.ts";
import { capitalized, usageError } from "../errors.ts";

/**
 * Checks a topic prefix.
 *
 * @throws {AppError} with a hint, if it is not one
 */
export function parsePrefix(text: string): string {
  return accepted(
    text,
    () => new Topics(text),
    "Use topic levels, such as occupancy or site/occupancy.",
  );
}

/**
 * Checks a layer's name.
 *
 * @throws {AppError} with a hint, if it is not one
 */
export function parseLayer(text: string): string {
  return accepted(
    text,
    () => assertLayer(text),
    "Use a name or a path of names, such as l2 or hall/l2.",
  );
}

/**
 * Checks the name of a zone.
 *
 * @throws {AppError} with a hint, if it is not one
 */
export function parseZone(text: string): string {
  return accepted(
    text,
    () => assertZoneName(text),
    "Use one level of a topic, such as lobby or room-2.14.",
  );
}

/**
 * Checks the name of a source of readings.
 *
 * @throws {AppError} with a hint, if it is not one
 * @throws {RangeError} if it was not UTF-8
 */
export function parseSource(text: string): string {
  // In place of bytes of the command line that are not UTF-8.
  if (text.includes("\ufffd")) {
    throw new RangeError("Use a name in UTF-8.");
  }
  return accepted(
    text,
    () => encodeBatchJson(new ReadingBatch(0), 0, 0, { source: text }),
    "Use a shorter name, in valid Unicode.",
  );
}

/**
 * Checks an MQTT client id (MQTT 5, 3.1.3.1).
 *
 * @throws {RangeError} if it is blank, has control characters, or was not UTF-8
 */
export function parseName(text: string): string {
  if (text.trim() === "" || /[\p{Cc}\ufffd]/u.test(text)) {
    throw new RangeError("Use a name, such as occupancy-server.");
  }
  return text;
}

/**
 * Checks the name of a group.
 *
 * @throws {RangeError} if it is not one topic level
 */
export function parseGroup(text: string): string {
  const problem = levelProblem(text);
  if (problem !== undefined) {
    throw new RangeError(
      `Use a name that is one topic level, such as hall: this one ${problem}.`,
    );
  }
  return text;
}

/**
 * Checks the name of a time zone.
 *
 * @returns the name, as `Intl` spells it
 * @throws {RangeError} if there is no such zone
 */
export function parseTimeZone(text: string): string {
  try {
    return timeZoneOf(text).name;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError("Use a name like Europe/Berlin or UTC.");
  }
}

/** Returns the text if the check does not throw a {@linkcode ProtocolError}. */
function accepted(text: string, check: () => unknown, hint: string): string {
  try {
    check();
    return text;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw usageError(capitalized(error.message), hint, error);
  }
}
