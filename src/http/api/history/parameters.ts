/**
 * The parameters of requests about the past.
 *
 * @module
 */
import type {
  HistoryService,
  SeriesRange,
  Step,
} from "../../../history/answers.ts";
import { QuestionTimes } from "../../../history/questions.ts";
import {
  parseTimeExpression,
  ProtocolError,
  TIME_FORMS,
} from "../../../protocol/mod.ts";
import type { Region } from "../../../protocol/region.ts";
import { quote } from "../../../protocol/text.ts";
import type { HttpContext } from "../../context.ts";
import type { Parameter } from "../../openapi/schemas.ts";
import { readChoice } from "../../query.ts";
import { FORMATS } from "./answer.ts";

const STEPS = ["1h", "15m", "1d", "1w"] as const;
/** Monday to Sunday. */
const WEEK = [1, 2, 3, 4, 5, 6, 7] as const;
const DAY_HOURS = 24;

/** Times of a request: all of the same present and in the same time zone. */
export class RequestTimes {
  readonly #query: URLSearchParams;
  readonly #times: QuestionTimes;

  /** @throws {ProtocolError} "bad-timezone" */
  constructor(
    server: HttpContext,
    history: HistoryService,
    query: URLSearchParams,
  ) {
    const timezone = query.get("timezone") ?? history.info().timezone;
    this.#times = new QuestionTimes(server.clock(), timezone);
    this.#query = query;
  }

  /** The time zone of dates, days and weeks: an IANA name. */
  get timezone(): string {
    return this.#times.timezone;
  }

  /**
   * Reads a time.
   *
   * @param name of the parameter
   * @param byDefault its value if it is not given; undefined: it is required
   * @returns ms since 1970
   * @throws {ProtocolError} "bad-time"
   */
  read(name: string, byDefault?: string): number {
    const text = this.#query.get(name) ?? byDefault;
    if (text === undefined) {
      throw new ProtocolError("bad-time", `the parameter ${name} is missing`, {
        hint: `Use ${TIME_FORMS}.`,
      });
    }
    return this.#times.resolve(parseTimeExpression(text, name));
  }

  /** Reads the time of a series and its steps. */
  readSeries(): SeriesRange {
    return {
      from: this.read("from", "-1d"),
      to: this.read("to", "now"),
      step: readChoice<Step>(this.#query, "step", STEPS),
      timezone: this.timezone,
    };
  }
}

/**
 * Reads `days`: a list of days and ranges, 1 Monday to 7 Sunday, such as `1-5`
 * or `1,3,6-7`.
 *
 * @throws {ProtocolError} "bad-days"
 */
export function readDays(query: URLSearchParams): readonly number[] {
  const text = query.get("days");
  if (text === null) return WEEK;
  const days = new Set<number>();
  for (const item of text.split(",")) {
    const [, first, last = first] = /^([1-7])(?:-([1-7]))?$/.exec(item) ?? [];
    if (first === undefined || first > last!) {
      throw new ProtocolError("bad-days", `invalid days ${quote(text)}`, {
        hint: "Use 1 (Monday) to 7 (Sunday), like days=1-5 or days=1,3,6-7.",
      });
    }
    for (let day = Number(first); day <= Number(last); day++) days.add(day);
  }
  return [...days].sort((a, b) => a - b);
}

/**
 * Reads `hours`: from inclusive, to exclusive, such as `8-18`.
 *
 * @throws {ProtocolError} "bad-hours"
 */
export function readHours(
  query: URLSearchParams,
): readonly [from: number, to: number] {
  const text = query.get("hours");
  if (text === null) return [0, DAY_HOURS];
  const [, first, last] = /^(\d\d?)-(\d\d?)$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (from < to && to <= DAY_HOURS) return [from, to];
  throw new ProtocolError("bad-hours", `invalid hours ${quote(text)}`, {
    hint: "Use the first hour and the one after the last, like hours=8-18.",
  });
}

/** Returns a region as its corners, as in requests. */
export function cornersOf(region: Region | undefined): number[] | undefined {
  return region && [region.x0, region.y0, region.x1, region.y1];
}

const FORMS = `One of: ${TIME_FORMS}. Dates are in \`timezone\`.`;

/** Describes a time. */
export function timeParameter(
  name: string,
  what: string,
  example: string,
  required = false,
): Parameter {
  return {
    name,
    in: "query",
    ...(required && { required }),
    description: `${what} ${FORMS}`,
    schema: { type: "string" },
    example,
  };
}

export const TIMEZONE_PARAMETER: Parameter = {
  name: "timezone",
  in: "query",
  description:
    "The time zone of dates, days and weeks: an IANA name. Default: that of the server (`--timezone`).",
  schema: { type: "string" },
  example: "UTC",
};

export const STEP_PARAMETER: Parameter = {
  name: "step",
  in: "query",
  description: "The length of the steps; at most 10,000 of them.",
  schema: { enum: ["15m", "1h", "1d", "1w"], default: "1h" },
  example: "1h",
};

export const FORMAT_PARAMETER: Parameter = {
  name: "format",
  in: "query",
  description:
    "The format of the response. A Parquet file has times in UTC, and nulls for what is unknown.",
  schema: { enum: FORMATS, default: "json" },
  example: "json",
};

/** @param where the times that it applies to */
export function timesParameter(where: string): Parameter {
  return {
    name: "times",
    in: "query",
    description:
      `The times ${where}: milliseconds since 1970, or RFC 3339 in UTC.`,
    schema: { enum: ["ms", "rfc3339"], default: "ms" },
    example: "rfc3339",
  };
}
