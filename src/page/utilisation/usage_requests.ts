/// <reference lib="dom" />
/**
 * The requests of the utilisation mode to the HTTP API. Responses are not
 * validated: they come from the server of the page.
 *
 * @module
 */

import type { HistoryInfo } from "../../history/answers.ts";
import type { Region } from "../../protocol/region.ts";
import { fetchPast } from "../feed/history_requests.ts";
import { formatDays, type UsageSettings } from "./settings.ts";
import type { UtilisationAnswer } from "../../history/answers.ts";

/** Addresses are relative to the page: a proxy may add a prefix. */
const UTILISATION = "api/v1/history/utilisation";
const DAY_MS = 86_400_000;

/** The part of the settings that the server needs. */
export type TimeFilter = Pick<UsageSettings, "period" | "days" | "hours">;

/** Requests how much the cells were used. @throws {Error} for people */
export async function fetchUtilisation(
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<UtilisationAnswer> {
  return await fetchPast(`${UTILISATION}?${query}`, signal);
}

/**
 * Returns the question for a layer.
 *
 * @param info of the history: its time zone, and the first time that is known
 * @param now the server's clock, ms since 1970
 */
export function questionOf(
  layer: string,
  { period, days, hours }: TimeFilter,
  info: Pick<HistoryInfo, "timezone" | "oldestRollup" | "oldest">,
  now: number,
): URLSearchParams {
  const today = dateOf(now, info.timezone);
  const [first, end] = typeof period === "number"
    ? [addDays(today, 1 - period), undefined]
    : [period.first, period.last < today ? addDays(period.last, 1) : undefined];
  // Days before the first record would only make all cells unknown.
  const oldest = info.oldestRollup ?? info.oldest;
  const start = oldest === undefined ? first : dateOf(oldest, info.timezone);
  const isBefore = first < start && (end === undefined || start < end);
  return new URLSearchParams({
    layer,
    from: isBefore && oldest !== undefined ? String(oldest) : first,
    to: end ?? "now",
    days: formatDays(days),
    hours: hours.join("-"),
    timezone: info.timezone,
  });
}

/** Returns a question about a part of the layer. */
export function questionOfRegion(
  question: URLSearchParams,
  { x0, y0, x1, y1 }: Region,
): URLSearchParams {
  const part = new URLSearchParams(question);
  part.set("region", [x0, y0, x1, y1].join());
  return part;
}

/** Returns a question about a part of the layer, by day. */
export function questionByDay(
  question: URLSearchParams,
  region: Region,
): URLSearchParams {
  const part = questionOfRegion(question, region);
  part.set("by", "day");
  return part;
}

/** Returns the date of a time in a time zone: `2026-10-01`. */
export function dateOf(ms: number, timezone: string): string {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(ms);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((one) => one.type === type)!.value;
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

/** Returns the date some days later, or earlier if the number is below 0. */
export function addDays(date: string, days: number): string {
  const ms = Date.parse(`${date}T00:00:00Z`) + days * DAY_MS;
  return new Date(ms).toISOString().slice(0, 10);
}
