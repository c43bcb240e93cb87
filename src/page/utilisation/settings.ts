/**
 * What the utilisation mode shows: the time that counts, the measure, and how it
 * is listed. It is part of the address of the page.
 *
 * @module
 */

import { isInt32 } from "../../protocol/region.ts";
import type { Point } from "../map/regions.ts";

/** What is shown of each cell. */
export type Measure = "occupied" | "known" | "changes";

/** What is compared: cells, or zones. */
export type Subject = "cells" | "zones";

/** The columns by which the list can be sorted. */
export type SortColumn = "name" | "occupied" | "changes" | "known" | "last";

/** The dates that count, both included: `2026-10-01`. */
export interface DateRange {
  readonly first: string;
  readonly last: string;
}

/** The last days up to now, today included, or chosen dates. */
export type Period = number | DateRange;

/** What is shown. Never changed, but replaced. */
export interface UsageSettings {
  readonly period: Period;
  /** Days of the week that count, 1 Monday to 7 Sunday, in order. */
  readonly days: readonly number[];
  /** Hours of the day that count: from inclusive, to exclusive. */
  readonly hours: readonly [from: number, to: number];
  readonly measure: Measure;
  /** What the map shows. */
  readonly map: Subject;
  /** What the list shows; undefined: what there is not too much of. */
  readonly list: Subject | undefined;
  readonly sort: SortColumn;
  readonly descending: boolean;
  /** The selected cell. */
  readonly cell: Point | undefined;
}

/** The periods of the menu, in days. */
export const PERIODS: readonly number[] = [7, 30, 90];
/** The titles of the measures, in the order of the menu. */
export const MEASURES: Readonly<Record<Measure, string>> = {
  occupied: "Time occupied",
  known: "Time known",
  changes: "Changes",
};

const ALL_DAYS: readonly number[] = [1, 2, 3, 4, 5, 6, 7];
const DAY_HOURS = 24;
/** The longest period of an address, in days: 10 years. */
const MAX_PERIOD_DAYS = 3660;

/** What is shown at first: working days and hours of the last 30 days. */
export const DEFAULT_SETTINGS: UsageSettings = {
  period: 30,
  days: [1, 2, 3, 4, 5],
  hours: [8, 18],
  measure: "occupied",
  map: "cells",
  list: undefined,
  sort: "occupied",
  descending: false,
  cell: undefined,
};

/** Formats what differs from the defaults, for the address. */
export function formatSettings(settings: UsageSettings): URLSearchParams {
  const values = new URLSearchParams();
  const add = (name: string, text: string, byDefault: string) => {
    if (text !== byDefault) values.set(name, text);
  };
  const d = DEFAULT_SETTINGS;
  add("period", formatPeriod(settings.period), formatPeriod(d.period));
  add("days", formatDays(settings.days), formatDays(d.days));
  add("hours", settings.hours.join("-"), d.hours.join("-"));
  add("show", settings.measure, d.measure);
  add("map", settings.map, d.map);
  if (settings.list) values.set("list", settings.list);
  add("sort", formatSort(settings), formatSort(d));
  const { cell } = settings;
  if (cell) values.set("cell", `${cell.x},${cell.y}`);
  return values;
}

/** Parses what is shown. Ignores invalid parts: users edit addresses. */
export function parseSettings(values: URLSearchParams): UsageSettings {
  const get = (name: string) => values.get(name) ?? "";
  const d = DEFAULT_SETTINGS;
  const measure = get("show");
  const list = get("list");
  const days = parseDays(get("days"));
  return {
    period: parsePeriod(get("period")) ?? d.period,
    days: days.length === 0 ? d.days : days,
    hours: parseHours(get("hours")) ?? d.hours,
    measure: Object.hasOwn(MEASURES, measure) ? measure as Measure : d.measure,
    map: get("map") === "zones" ? "zones" : "cells",
    list: list === "zones" || list === "cells" ? list : undefined,
    ...parseSort(get("sort")),
    cell: parseCell(get("cell")),
  };
}

function formatPeriod(period: Period): string {
  return typeof period === "number"
    ? `${period}d`
    : `${period.first}_${period.last}`;
}

function parsePeriod(text: string): Period | undefined {
  const [, days] = /^([1-9]\d{0,3})d$/.exec(text) ?? [];
  if (days !== undefined) return Math.min(Number(days), MAX_PERIOD_DAYS);
  const [first = "", last = ""] = text.split("_");
  return isDate(first) && isDate(last) && first <= last
    ? { first, last }
    : undefined;
}

/** Whether a text is a date such as `2026-10-01`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** Formats days as days and ranges: `1-5`, `1,3,6-7`. */
export function formatDays(days: readonly number[]): string {
  const ranges: string[] = [];
  for (let from = 0; from < days.length;) {
    let to = from;
    while (days[to + 1] === days[to]! + 1) to++;
    ranges.push(to === from ? `${days[from]}` : `${days[from]}-${days[to]}`);
    from = to + 1;
  }
  return ranges.join();
}

function parseDays(text: string): number[] {
  const days = new Set<number>();
  for (const item of text.split(",")) {
    const [, first, last = first] = /^([1-7])(?:-([1-7]))?$/.exec(item) ?? [];
    for (let day = Number(first); day <= Number(last); day++) days.add(day);
  }
  return ALL_DAYS.filter((day) => days.has(day));
}

function parseHours(text: string): readonly [number, number] | undefined {
  const [, first, last] = /^(\d\d?)-(\d\d?)$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from < to && to <= DAY_HOURS ? [from, to] : undefined;
}

const SORT_COLUMNS: readonly SortColumn[] = [
  ...["name", "occupied", "changes", "known", "last"] as const,
];

/** `occupied` ascending, `-occupied` descending. */
function formatSort(
  { sort, descending }: Pick<UsageSettings, "sort" | "descending">,
): string {
  return (descending ? "-" : "") + sort;
}

function parseSort(text: string): Pick<UsageSettings, "sort" | "descending"> {
  const descending = text.startsWith("-");
  const name = text.replace("-", "");
  const sort = SORT_COLUMNS.find((column) => column === name);
  return sort === undefined
    ? { sort: DEFAULT_SETTINGS.sort, descending: DEFAULT_SETTINGS.descending }
    : { sort, descending };
}

function parseCell(text: string): Point | undefined {
  const [, left, right] = /^(-?\d{1,10}),(-?\d{1,10})$/.exec(text) ?? [];
  const [x, y] = [Number(left), Number(right)];
  return isInt32(x) && isInt32(y) ? { x, y } : undefined;
}
