/**
 * When it is busy: the share of the known time that is occupied, by day of the
 * week and hour of the day.
 *
 * @module
 */

import { localHourOf, timeZoneOf, weekdayOf } from "../../history/calendar.ts";
import type { UtilisationAnswer } from "../../history/answers.ts";
import { MIN_KNOWN, reportedCells } from "./usage.ts";
import { DAY_NAMES } from "./usage_text.ts";

const HOUR_SECONDS = 3600;
const HOUR_MS = 1000 * HOUR_SECONDS;
const WEEK_DAYS = 7;
const DAY_HOURS = 24;
/** Hours that differ by less than this from the busiest belong to it. */
const SIMILAR = 0.04;

/** An hour of the week. */
export interface WeekHour {
  /** 0 Monday to 6 Sunday. */
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 1; NaN if too little is known. */
  readonly share: number;
  /** The part of the time that is known, 0 to 1. */
  readonly known: number;
}

/**
 * Returns an answer without the time before the first record, which is unknown
 * only because nothing was recorded then: the server answers by whole hours.
 *
 * @param oldest when the recording began, ms since 1970
 */
export function withoutTimeBefore(
  answer: UtilisationAnswer,
  oldest: number,
): UtilisationAnswer {
  const { from, to, days, hours, timezone, seconds } = answer;
  const hour = Math.floor(from / HOUR_MS);
  // Longer times before it are what the user has asked for.
  if (oldest <= from || oldest >= Math.min(to, (hour + 1) * HOUR_MS)) {
    return answer;
  }
  const zone = timeZoneOf(timezone);
  const local = localHourOf(zone, hour);
  const counts = days.includes(weekdayOf(zone, hour)) &&
    local >= hours[0] && local < hours[1];
  const unrecorded = counts ? (oldest - from) / 1000 : 0;
  return {
    ...answer,
    from: oldest,
    seconds: Math.max(0, seconds - unrecorded),
  };
}

/** The hours of the selected days, row by row. */
export function weekOf(answer: UtilisationAnswer): WeekHour[][] {
  const { week, days, hours: [first, end] } = answer;
  const counts = countHours(answer);
  const cells = reportedCells(answer);
  return days.map((weekday) =>
    Array.from({ length: end - first }, (_, index): WeekHour => {
      const [day, hour] = [weekday - 1, first + index];
      const all = counts[day]![hour]! * HOUR_SECONDS * cells;
      const seconds = week.known[day]![hour]!;
      const known = all > 0 ? Math.min(1, seconds / all) : 0;
      const share = seconds > 0 && known >= MIN_KNOWN
        ? week.occupied[day]![hour]! / seconds
        : NaN;
      return { day, hour, share, known };
    })
  );
}

/** Counts how often each hour of the week is in the time of an answer. */
function countHours({ from, to, timezone }: UtilisationAnswer): number[][] {
  const counts = Array.from(
    { length: WEEK_DAYS },
    () => new Array<number>(DAY_HOURS).fill(0),
  );
  const zone = timeZoneOf(timezone);
  for (let hour = Math.floor(from / HOUR_MS); hour * HOUR_MS < to; hour++) {
    const start = Math.max(from, hour * HOUR_MS);
    const end = Math.min(to, (hour + 1) * HOUR_MS);
    counts[weekdayOf(zone, hour) - 1]![localHourOf(zone, hour)]! += (end -
      start) / HOUR_MS;
  }
  return counts;
}

/** `Busiest Thu 10–12, quietest Fri 17–18`; empty if too little is known. */
export function describeWeek(rows: readonly (readonly WeekHour[])[]): string {
  const known = rows.flat().filter(({ share }) => !Number.isNaN(share));
  if (known.length < 2) return "";
  const busiest = known.reduce((a, b) => b.share > a.share ? b : a);
  const quietest = known.reduce((a, b) => b.share < a.share ? b : a);
  if (busiest.share === quietest.share) return "Equally busy at all hours";
  return `Busiest ${runAt(rows, busiest)}, quietest ${runAt(rows, quietest)}`;
}

/** An hour and those beside it that are alike: `Thu 10–12`. */
function runAt(
  rows: readonly (readonly WeekHour[])[],
  { day, hour, share }: WeekHour,
): string {
  const row = rows.find(([first]) => first?.day === day)!;
  const isAlike = (at: number) => {
    const one = row.find((other) => other.hour === at);
    return one !== undefined && Math.abs(one.share - share) <= SIMILAR / 2;
  };
  let [from, to] = [hour, hour + 1];
  while (isAlike(from - 1)) from--;
  while (isAlike(to)) to++;
  return `${DAY_NAMES[day]} ${from}–${to}`;
}
