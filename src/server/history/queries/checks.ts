/**
 * Checks questions about the history, and makes their errors.
 *
 * @module
 */
import { quote } from "../../../protocol/text.ts";
import { ProtocolError } from "../../../protocol/mod.ts";
import type { Step } from "../../../history/answers.ts";
import { countSteps, STEP_SECONDS } from "../../../history/calendar.ts";
import {
  DAY_SECONDS,
  HOUR_SECONDS,
  MAX_SECOND,
} from "../../../history/hour.ts";

/** The most cells of an answer. */
export const MAX_CELLS = 1_000_000;
/** The most cells of an answer with numbers for each day. */
export const MAX_CELLS_BY_DAY = 1000;
/** The most changes of an answer. */
export const MAX_CHANGES = 2_000_000;
/** The longest time of which changes are asked for. */
export const MAX_CHANGES_SECONDS: number = HOUR_SECONDS;
/** The most steps of a series. */
export const MAX_STEPS = 10_000;
/** The clock of the client may be ahead of the server's by this. */
const MAX_AHEAD_MS = 5000;

/** The time that can be asked for; seconds since 1970. */
export interface RecordedTime {
  /** The first second; undefined if nothing is recorded yet. */
  readonly from: number | undefined;
  /** The present second. */
  readonly now: number;
}

/** A time in whole seconds since 1970, from inclusive, to exclusive. */
export interface AskedTime {
  readonly from: number;
  readonly to: number;
}

/**
 * Checks the time of a map.
 *
 * @param at ms since 1970
 * @returns its second, not after the present one
 * @throws {ProtocolError} `bad-time`
 */
export function checkMoment(
  name: string,
  at: number,
  { from, now }: RecordedTime,
): number {
  checkTime(name, at);
  const oldest = oldestOf(from);
  if (at >= now * 1000 + 1000 + MAX_AHEAD_MS) throw inFuture(name, at, now);
  const second = Math.min(Math.floor(at / 1000), now);
  if (second < oldest) throw tooEarly(name, at, oldest);
  return second;
}

/**
 * Checks a time of a series: a part of it must be recorded.
 *
 * @param range ms since 1970
 * @param unitSeconds the time is widened to whole units
 * @returns the time, at most up to the present
 * @throws {ProtocolError} `bad-time`, `bad-range`
 */
export function checkRange(
  range: { readonly from: number; readonly to: number },
  unitSeconds: number,
  { from: first, now }: RecordedTime,
): AskedTime {
  checkTime("from", range.from);
  checkTime("to", range.to);
  checkOrder(range);
  const oldest = oldestOf(first);
  if (range.from >= now * 1000) throw inFuture("from", range.from, now);
  if (range.to <= oldest * 1000) throw tooEarly("to", range.to, oldest);
  const unitMs = unitSeconds * 1000;
  const from = Math.floor(range.from / unitMs) * unitSeconds;
  const to = Math.min(Math.ceil(range.to / unitMs) * unitSeconds, now);
  return { from, to: Math.max(to, from + 1) };
}

/**
 * Checks that a time is not longer than it is kept.
 *
 * @throws {ProtocolError} `bad-range`
 */
export function checkLength(
  { from, to }: AskedTime,
  keepSeconds: number,
): void {
  const days = Math.ceil((to - from) / DAY_SECONDS);
  const kept = Math.ceil(keepSeconds / DAY_SECONDS) + 1;
  if (days <= kept) return;
  throw new ProtocolError(
    "bad-range",
    `the time from "from" to "to" has ${days} days, but at most ${kept} are kept`,
    { hint: `Ask for ${kept} days or less.` },
  );
}

/**
 * Checks the time of a replay.
 *
 * @throws {ProtocolError} `bad-time`, `bad-range`
 */
export function checkReplay(
  range: { readonly from: number; readonly to: number },
  recorded: RecordedTime,
): AskedTime {
  checkTime("to", range.to);
  const from = checkMoment("from", range.from, recorded);
  checkOrder(range);
  if (range.to - range.from > MAX_CHANGES_SECONDS * 1000) {
    throw new ProtocolError(
      "bad-range",
      `the time from "from" to "to" is longer than an hour`,
      { hint: "Ask for one hour after the other." },
    );
  }
  return { from, to: Math.ceil(range.to / 1000) };
}

/**
 * Checks the number of steps of a series.
 *
 * @throws {ProtocolError} `bad-step`
 */
export function checkSteps({ from, to }: AskedTime, step: Step): void {
  if (!Object.hasOwn(STEP_SECONDS, step)) {
    throw new ProtocolError(
      "bad-step",
      `"step" is not ${Object.keys(STEP_SECONDS).join(", ")}`,
      { hint: "Use one of them, such as 1h." },
    );
  }
  const count = countSteps(from, to, step);
  if (count <= MAX_STEPS) return;
  const smallest = (Object.keys(STEP_SECONDS) as Step[])
    .find((step) => countSteps(from, to, step) <= MAX_STEPS);
  throw new ProtocolError(
    "bad-step",
    `steps of ${step} make ${count} points, but at most ${MAX_STEPS} are possible`,
    {
      hint: smallest === undefined
        ? "Ask for a shorter time."
        : `Use steps of ${smallest} or more, or ask for a shorter time.`,
    },
  );
}

/**
 * Checks days of the week.
 *
 * @returns each once, ascending
 * @throws {ProtocolError} `bad-days`
 */
export function checkDays(days: readonly number[]): number[] {
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  const areDays = sorted.every((day) =>
    Number.isInteger(day) && day >= 1 && day <= 7
  );
  if (areDays && sorted.length > 0) return sorted;
  throw new ProtocolError(
    "bad-days",
    '"days" has no days of the week, or others than 1 to 7',
    { hint: "Use 1 for Monday to 7 for Sunday, such as 1-5." },
  );
}

/**
 * Checks hours of the day.
 *
 * @throws {ProtocolError} `bad-hours`
 */
export function checkHours([from, to]: readonly [number, number]): void {
  const areHours = Number.isInteger(from) && Number.isInteger(to) &&
    from >= 0 && from < to && to <= 24;
  if (areHours) return;
  throw new ProtocolError(
    "bad-hours",
    '"hours" are not two hours of a day, the first one before the second',
    { hint: "Use numbers from 0 to 24, such as 8-18." },
  );
}

/** The error of a question about cells that are not recorded. */
export function noCells(): ProtocolError {
  return new ProtocolError(
    "history-off",
    "the server keeps no states of cells, only how long they were occupied",
    { hint: "Ask for zones or for the utilisation of cells." },
  );
}

/** The error of a zone that has never existed. */
export function unknownZone(name: string): ProtocolError {
  return new ProtocolError("unknown-zone", `there is no zone ${quote(name)}`, {
    hint: "Request the states of all zones to see their names.",
  });
}

/** The error of an answer with too many cells. */
export function tooManyCells(max: number): ProtocolError {
  return new ProtocolError(
    "too-many-cells",
    `the answer has more than ${max} cells`,
    { hint: "Ask for a smaller region." },
  );
}

/** The error of a replay with too many changes. */
export function tooManyChanges(): ProtocolError {
  return new ProtocolError(
    "too-many-changes",
    `the answer has more than ${MAX_CHANGES} changes`,
    { hint: "Ask for a shorter time, or for a smaller region." },
  );
}

function oldestOf(from: number | undefined): number {
  if (from !== undefined) return from;
  throw new ProtocolError("bad-time", "nothing is recorded yet", {
    hint: "Ask again in some seconds.",
  });
}

function checkTime(name: string, time: number): void {
  if (time >= 0 && time <= MAX_SECOND * 1000) return;
  throw new ProtocolError("bad-time", `${quote(name)} is not a time`, {
    hint: "Use milliseconds since 1970, or RFC 3339.",
  });
}

function checkOrder({ from, to }: { from: number; to: number }): void {
  if (from < to) return;
  throw new ProtocolError("bad-range", '"from" is not before "to"', {
    hint: "Exchange them, or ask for a longer time.",
  });
}

function inFuture(name: string, time: number, now: number): ProtocolError {
  return new ProtocolError(
    "bad-time",
    `${quote(name)}, ${shown(time)}, is in the future`,
    { hint: `Use a time up to ${shown(now * 1000)}, the server's clock.` },
  );
}

function tooEarly(name: string, time: number, oldest: number): ProtocolError {
  return new ProtocolError(
    "bad-time",
    `${quote(name)}, ${shown(time)}, is before the first record`,
    { hint: `Use a time from ${shown(oldest * 1000)} on.` },
  );
}

/** Such as 2026-03-29T01:00:00Z. */
function shown(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}
