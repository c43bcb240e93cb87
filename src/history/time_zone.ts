/**
 * Time zones: the offset from UTC at any time, from the data of `Intl`.
 *
 * All times are whole seconds since 1970, UTC. A *local* time is the same number
 * as if the clock of the zone showed UTC.
 *
 * @module
 */

import { DAY_SECONDS } from "./hour.ts";

/** The longest name that is looked up, in characters. */
const MAX_NAME_LENGTH = 64;
/** Days of a zone that are remembered: about 11 years. */
const MAX_DAYS = 4096;
/** Zones that are remembered. */
const MAX_ZONES = 32;

/** A time in which a zone keeps its offset; all in seconds. */
export interface OffsetSpan {
  /** First second. */
  readonly from: number;
  /** The second after the last. */
  readonly to: number;
  /** Local time - UTC. */
  readonly offset: number;
}

const zones = new Map<string, TimeZone>();

/**
 * Returns a time zone, and remembers it.
 *
 * @param name of the IANA time zone database, such as `Europe/Berlin`
 * @throws {RangeError} if there is no such zone
 */
export function timeZoneOf(name: string): TimeZone {
  const known = zones.get(name);
  const zone = known ?? new TimeZone(name);
  // The one that was not used for the longest time is forgotten.
  zones.delete(name);
  zones.set(name, zone);
  if (zones.size > MAX_ZONES) zones.delete(zones.keys().next().value!);
  return zone;
}

/** Returns true if there is a time zone with a name. */
export function isTimeZone(name: string): boolean {
  try {
    timeZoneOf(name);
    return true;
  } catch {
    return false;
  }
}

/** A time zone. Looking up a day takes about 15 µs, once. */
export class TimeZone {
  /** As `Intl` spells it. */
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** The offset at the begin of a day (UTC), by days since 1970. */
  readonly #offsets = new Map<number, number>();
  /** When the offset changed, for days with a change. */
  readonly #changes = new Map<number, number>();

  /**
   * @param name of the IANA time zone database
   * @throws {RangeError} if there is no such zone
   */
  constructor(name: string) {
    try {
      if (name.length > MAX_NAME_LENGTH) throw new RangeError("long name");
      this.#format = new Intl.DateTimeFormat("en-US", {
        ...{ timeZone: name, calendar: "gregory", numberingSystem: "latn" },
        ...{ hourCycle: "h23", year: "numeric", month: "numeric" },
        ...{ day: "numeric", hour: "numeric", minute: "numeric" },
        second: "numeric",
      });
    } catch {
      throw new RangeError(
        `There is no time zone "${name.slice(0, MAX_NAME_LENGTH)}"`,
      );
    }
    this.name = this.#format.resolvedOptions().timeZone;
  }

  /**
   * Returns the offset at a time.
   *
   * @returns local time - UTC, in seconds
   */
  offsetAt(second: number): number {
    const day = Math.floor(second / DAY_SECONDS);
    const offset = this.#offsetAtStart(day);
    const next = this.#offsetAtStart(day + 1);
    return next === offset || second < this.#changeIn(day) ? offset : next;
  }

  /**
   * Returns the spans with one offset each that fill a time.
   *
   * @param from first second
   * @param to the second after the last; at most some thousands of days later
   */
  spans(from: number, to: number): OffsetSpan[] {
    const spans: OffsetSpan[] = [];
    let start = from;
    let day = Math.floor(from / DAY_SECONDS);
    let offset = this.offsetAt(from);
    for (; day * DAY_SECONDS < to; day++) {
      const next = this.#offsetAtStart(day + 1);
      if (next === offset) continue;
      const change = this.#changeIn(day);
      if (change >= to) break;
      spans.push({ from: start, to: change, offset });
      start = change;
      offset = next;
    }
    spans.push({ from: start, to, offset });
    return spans;
  }

  /**
   * Returns the first second at which the local time is at least a given one. A
   * time that a change of the clock leaves out is that of the change; of a time
   * that occurs twice, it is the first.
   *
   * @param local local time
   */
  firstAt(local: number): number {
    // Offsets are below 24 hours, and so are changes of them.
    const to = local + 3 * DAY_SECONDS;
    for (const span of this.spans(local - DAY_SECONDS, to)) {
      const second = Math.max(span.from, local - span.offset);
      if (second < span.to) return second;
    }
    return local;
  }

  #offsetAtStart(day: number): number {
    let offset = this.#offsets.get(day);
    if (offset === undefined) {
      if (this.#offsets.size >= MAX_DAYS) this.#offsets.clear();
      offset = this.#lookUp(day * DAY_SECONDS);
      this.#offsets.set(day, offset);
    }
    return offset;
  }

  /** The first second of a day with the offset of its end. */
  #changeIn(day: number): number {
    let change = this.#changes.get(day);
    if (change === undefined) {
      if (this.#changes.size >= MAX_DAYS) this.#changes.clear();
      change = this.#findChange(day);
      this.#changes.set(day, change);
    }
    return change;
  }

  /** Bisects: no zone changes its offset twice within 24 hours. */
  #findChange(day: number): number {
    let before = day * DAY_SECONDS;
    let after = before + DAY_SECONDS;
    const offset = this.#offsetAtStart(day);
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#lookUp(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  #lookUp(second: number): number {
    // Such as 3/29/2026, 03:00:00.
    const [month, day, year, ...time] = this.#format.format(second * 1000)
      .split(/\D+/).map(Number);
    const [hour, minute, seconds] = time;
    const local = Date.UTC(year!, month! - 1, day, hour, minute, seconds);
    return local / 1000 - second;
  }
}
