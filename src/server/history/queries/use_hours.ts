/**
 * The hours (UTC) of a time, which of them count, and what all cells together
 * were in each.
 *
 * @module
 */
import type { Work } from "../../../common/turns.ts";
import {
  localHourOf,
  type TimeZone,
  weekdayOf,
} from "../../../history/calendar.ts";
import { type Gap, gapSeconds } from "../../../history/gaps.ts";
import { DAY_SECONDS, HOUR_SECONDS, startOf } from "../../../history/hour.ts";

/** Hours that are looked up in one step: about a millisecond. */
const HOURS_PER_STEP = 1000;
const WEEK_DAYS = 7;
const DAY_HOURS = 24;

/** Which hours count. */
export interface HourFilter {
  /** 1 Monday to 7 Sunday. */
  readonly days: readonly number[];
  /** From inclusive, to exclusive. */
  readonly hours: readonly [from: number, to: number];
}

/** No filter. */
export const ALL_HOURS: HourFilter = {
  days: [1, 2, 3, 4, 5, 6, 7],
  hours: [0, DAY_HOURS],
};

/** All columns have the number of an hour - `from` as index. */
export class UseHours {
  /** Hours since 1970. */
  readonly from: number;
  /** The hour after the last. */
  readonly to: number;
  /** 1 if the hour counts. */
  readonly selected: Uint8Array;
  /** Seconds of the hour that are not in a gap. */
  readonly available: Uint16Array;
  /** The last such second, since 1970; NaN if there is none. */
  readonly last: Float64Array;
  /** Of the local time: (weekday - 1) * 24 + hour. */
  readonly slot: Uint8Array;
  /** The number of the local day; only of hours that count. */
  readonly day: Int32Array;
  /** The first second of each local day with an hour that counts. */
  readonly dayStarts: number[] = [];
  /** Sum over all cells of the seconds in which each was known. */
  readonly known: Float64Array;
  /** The same for occupied. */
  readonly occupied: Float64Array;
  /** Seconds of all hours that count, with gaps. */
  seconds = 0;

  /** Made by {@linkcode useHours}. */
  constructor(from: number, to: number) {
    const length = to - from;
    this.from = from;
    this.to = to;
    this.selected = new Uint8Array(length);
    this.available = new Uint16Array(length);
    this.last = new Float64Array(length).fill(NaN);
    this.slot = new Uint8Array(length);
    this.day = new Int32Array(length);
    this.known = new Float64Array(length);
    this.occupied = new Float64Array(length);
  }

  /** Sums of a column by day of the week and hour of the day. */
  week(column: Float64Array): number[][] {
    const sums = Array.from(
      { length: WEEK_DAYS },
      () => new Array<number>(DAY_HOURS).fill(0),
    );
    for (let i = 0; i < column.length; i++) {
      const slot = this.slot[i]!;
      sums[Math.floor(slot / DAY_HOURS)]![slot % DAY_HOURS]! += column[i]!;
    }
    return sums;
  }
}

/**
 * Looks up hours.
 *
 * @param from first hour
 * @param to the hour after the last
 * @param gaps merged
 * @param until the second after the last one that counts
 */
export function* useHours(
  zone: TimeZone,
  from: number,
  to: number,
  { days, hours: [fromHour, toHour] }: HourFilter,
  gaps: readonly Gap[],
  until: number,
): Work<UseHours> {
  const hours = new UseHours(from, to);
  const areDays = Array.from({ length: 8 }, (_, day) => days.includes(day));
  let lastDate = NaN;
  let gap = 0;
  for (let i = 0; i < to - from; i++) {
    const hour = from + i;
    const start = startOf(hour);
    const end = Math.min(start + HOUR_SECONDS, until);
    while (gap < gaps.length && gaps[gap]!.to <= start) gap++;
    const within = gaps[gap] === undefined || gaps[gap]!.from >= end
      ? []
      : gapsUntil(gaps, gap, end);
    const weekday = weekdayOf(zone, hour);
    const localHour = localHourOf(zone, hour);
    hours.slot[i] = (weekday - 1) * DAY_HOURS + localHour;
    hours.available[i] = Math.max(0, end - start) -
      gapSeconds(within, start, end);
    hours.last[i] = lastIn(within, start, end);
    if (areDays[weekday] && localHour >= fromHour && localHour < toHour) {
      hours.selected[i] = 1;
      hours.seconds += Math.max(0, end - start);
      const middle = start + HOUR_SECONDS / 2;
      const date = Math.floor((middle + zone.offsetAt(middle)) / DAY_SECONDS);
      if (date !== lastDate) {
        hours.dayStarts.push(zone.firstAt(date * DAY_SECONDS));
        lastDate = date;
      }
      hours.day[i] = hours.dayStarts.length - 1;
    }
    if (i % HOURS_PER_STEP === HOURS_PER_STEP - 1) yield;
  }
  return hours;
}

/** The gaps from a place on that begin before a second. */
function gapsUntil(gaps: readonly Gap[], first: number, end: number): Gap[] {
  let last = first;
  while (last < gaps.length && gaps[last]!.from < end) last++;
  return gaps.slice(first, last);
}

/** The last second that is in no gap, or NaN. */
function lastIn(gaps: readonly Gap[], start: number, end: number): number {
  let last = end;
  for (let i = gaps.length - 1; i >= 0; i--) {
    if (gaps[i]!.from < last && last <= gaps[i]!.to) last = gaps[i]!.from;
  }
  return last > start ? last - 1 : NaN;
}
