/**
 * What all interfaces need to ask about the past: which time a text means, and
 * the error without a history.
 *
 * @module
 */
import { ProtocolError } from "../protocol/errors.ts";
import { quote } from "../protocol/text.ts";
import {
  resolveTime,
  type TimeExpression,
} from "../protocol/time_expression.ts";
import { type TimeZone, timeZoneOf } from "./time_zone.ts";

/**
 * Returns a time zone.
 *
 * @throws {ProtocolError} "bad-timezone"
 */
export function checkTimeZone(name: string): TimeZone {
  try {
    return timeZoneOf(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProtocolError(
      "bad-timezone",
      `there is no time zone ${quote(name)}`,
      { hint: 'Use a name of the IANA database, such as "Europe/Berlin".' },
    );
  }
}

/** Times of one question: of the same present, and in the same time zone. */
export class QuestionTimes {
  readonly #now: number;
  readonly #zone: TimeZone;

  /**
   * @param now the present, ms since 1970
   * @param timezone the time zone of dates: an IANA name
   * @throws {ProtocolError} "bad-timezone"
   */
  constructor(now: number, timezone: string) {
    this.#now = now;
    this.#zone = checkTimeZone(timezone);
  }

  /** The name of the time zone, as IANA spells it. */
  get timezone(): string {
    return this.#zone.name;
  }

  /** Returns a time, ms since 1970. */
  resolve(time: TimeExpression): number {
    return resolveTime(time, {
      now: this.#now,
      firstAt: (local) => this.#zone.firstAt(local),
    });
  }
}

/** Returns the error of a server without a history: "history-off". */
export function historyOff(): ProtocolError {
  return new ProtocolError(
    "history-off",
    "the server does not record a history",
    {
      hint:
        "Start it without --no-history, with a store that has one (SQLite).",
    },
  );
}
