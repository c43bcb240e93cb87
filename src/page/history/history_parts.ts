/**
 * What of the address belongs to the history. Pure.
 *
 * @module
 */

import type { ModeParts } from "../modes/mode.ts";

/** Times real time. */
export const SPEEDS = [10, 60, 300, 900, 3600] as const;
/** How many times real time. */
export type Speed = typeof SPEEDS[number];
const DEFAULT_SPEED: Speed = 60;

/** Which time the chart of a zone has. */
export type ChartRange = "day" | "week";

/** What the history shows. */
export interface HistoryView {
  /** ms since 1970, whole seconds; undefined: the page chooses. */
  readonly time: number | undefined;
  readonly speed: Speed;
  /** The day to compare with, `2026-11-17`. */
  readonly compare: string | undefined;
  readonly range: ChartRange;
}

/** Parses the parts of an address. Ignores what is not valid. */
export function parseHistoryParts(parts: ModeParts): HistoryView {
  const { time, speed, compare, range } = parts;
  const at = time === undefined ? NaN : Date.parse(time);
  const factor = SPEEDS.find((one) => String(one) === speed);
  const isDate = compare !== undefined && /^\d{4}-\d\d-\d\d$/.test(compare);
  return {
    time: Number.isFinite(at) ? Math.floor(at / 1000) * 1000 : undefined,
    speed: factor ?? DEFAULT_SPEED,
    compare: isDate ? compare : undefined,
    range: range === "week" ? "week" : "day",
  };
}

/** Formats the parts of an address; times in UTC, so that all read the same. */
export function formatHistoryParts(
  { time, speed, compare, range }: HistoryView,
): ModeParts {
  return {
    ...(time !== undefined &&
      { time: new Date(time).toISOString().replace(".000", "") }),
    ...(speed !== DEFAULT_SPEED && { speed: String(speed) }),
    ...(compare !== undefined && { compare }),
    ...(range !== "day" && { range }),
  };
}
