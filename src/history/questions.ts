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
    try {
      this.#zone = timeZoneOf(timezone);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ProtocolError(
        "bad-timezone",
        `there is no time zone ${quote(timezone)}`,
        { hint: "Use a name like Europe/Berlin or UTC." },
      );
    }
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
