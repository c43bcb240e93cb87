/**
 * What the page says of a zone: its state in words and numbers, and the order
 * of the list. A count with cells that are stale or unknown is a lower bound,
 * and is shown as one.
 *
 * @module
 */

import { printable } from "../../common/printable.ts";
import { nounOf, type Unit } from "../../protocol/display.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import { formatCount, formatQuantity } from "../elements/format.ts";

/** How a zone looks. */
export type ZoneLook = "free" | "occupied" | "full" | "unknown";

/** Returns how a zone looks; undefined: its state is not known yet. */
export function lookOf(state: ZoneState | undefined): ZoneLook {
  if (state === undefined || state.occupied === null) return "unknown";
  const { capacity, count, occupied } = state;
  if (capacity !== undefined && count >= capacity) return "full";
  return occupied ? "occupied" : "free";
}

const LOOK_TITLES: Readonly<Record<ZoneLook, string>> = {
  free: "Free",
  occupied: "Occupied",
  full: "Full",
  unknown: "Unknown",
};

/** Returns the state of a zone in a word. */
export function titleOfLook(look: ZoneLook): string {
  return LOOK_TITLES[look];
}

/** Whether something is known, but not all: the count is a lower bound. */
export function isLowerBound({ occupied, certain }: ZoneState): boolean {
  return occupied !== null && !certain;
}

/** The numbers of a zone for a small space. */
export interface ZoneNumbers {
  /** `12`, `≥ 12` or `unknown`. */
  readonly count: string;
  /** `/40`; empty if the zone has no capacity, or nothing is known. */
  readonly of: string;
  /** `30%`, `≥ 30%` or `–`. */
  readonly percent: string;
}

/** Returns the numbers of a zone. */
export function numbersOf(state: ZoneState | undefined): ZoneNumbers {
  if (state === undefined || state.occupied === null) {
    return { count: "unknown", of: "", percent: "–" };
  }
  const { count, capacity, percent } = state;
  const bound = isLowerBound(state) ? "≥ " : "";
  return {
    count: bound + formatCount(count),
    of: capacity === undefined ? "" : `/${formatCount(capacity)}`,
    percent: percent === null ? "–" : bound + formatPercent(percent),
  };
}

/** Returns the percentage for a small space. Rounds neither to 0 nor to 100. */
export function formatPercent(percent: number): string {
  if (percent > 0 && percent < 1) return "<1%";
  if (percent > 99 && percent < 100) return ">99%";
  return `${formatCount(Math.round(percent))}%`;
}

/** Returns the part of the bar that is filled, 0 to 100. */
export function fullnessOf(state: ZoneState | undefined): number {
  return Math.min(Math.max(state?.percent ?? 0, 0), 100);
}

/** What the map shows of a zone. */
export interface ZoneFigures extends ZoneNumbers {
  readonly look: ZoneLook;
  /** Whether the numbers are a lower bound. */
  readonly bound: boolean;
  /** How full, 0 to 100. */
  readonly fullness: number;
  /** Whether it has cells, which show themselves that they are unknown. */
  readonly hasCells: boolean;
}

/** Returns what the map shows of a zone with a state. */
export function figuresOf(state: ZoneState | undefined): ZoneFigures {
  return {
    ...numbersOf(state),
    look: lookOf(state),
    bound: state !== undefined && isLowerBound(state),
    fullness: fullnessOf(state),
    hasCells: (state?.cells ?? 0) > 0,
  };
}

/** The title of a zone. Any client can choose it: it is made safe to show. */
export function zoneTitle({ title }: { readonly title: string }): string {
  return printable(title);
}

/**
 * Returns the count in words: `12 of 40 people`, `at least 4 people`,
 * `unknown`.
 *
 * @param unit what the values count; undefined for people
 */
export function describeCount(
  state: ZoneState | undefined,
  unit: Unit | undefined,
): string {
  if (state === undefined || state.occupied === null) return "unknown";
  const { count, capacity } = state;
  const bound = isLowerBound(state) ? "at least " : "";
  return capacity === undefined
    ? `${bound}${formatCount(count)} ${nounOf(count, unit)}`
    : `${bound}${formatCount(count)} of ${formatCount(capacity)} ${
      nounOf(capacity, unit)
    }`;
}

/**
 * Returns a zone in a sentence, for screen readers: `Lobby: occupied, 12 of 40
 * people, 30%`.
 */
export function describeZone(
  state: ZoneState,
  unit: Unit | undefined,
): string {
  const title = zoneTitle(state);
  const look = lookOf(state);
  if (look === "unknown") return `${title}: unknown`;
  const percent = state.percent === null
    ? ""
    : `, ${formatPercent(state.percent)}`;
  return `${title}: ${titleOfLook(look).toLowerCase()}, ${
    describeCount(state, unit)
  }${percent}`;
}

/**
 * Returns the cells of a zone in words: `1,716 cells, all known`, `40 cells, 3
 * stale, 1 unknown`.
 */
export function describeCells(
  { cells, staleCells, unknownCells }: ZoneState,
): string {
  if (cells === 0) return "no cell was ever reported";
  const faults = [
    ...(staleCells > 0 ? [`${formatCount(staleCells)} stale`] : []),
    ...(unknownCells > 0 ? [`${formatCount(unknownCells)} unknown`] : []),
  ];
  return [
    formatQuantity(cells, "cell"),
    ...(faults.length > 0 ? faults : ["all known"]),
  ].join(", ");
}

/**
 * Returns what a row says beside the title, so that a state is not shown by its
 * colour alone; empty if the numbers say all.
 */
export function remarkOf(state: ZoneState): string {
  const { cells, staleCells } = state;
  switch (lookOf(state)) {
    case "unknown":
      return cells === 0
        ? "no data"
        : staleCells === cells
        ? "stale"
        : "unknown";
    case "full":
      return "full";
    default:
      if (!isLowerBound(state)) return "";
      return staleCells > 0 ? "stale" : "partial";
  }
}

/** Which zones the list shows. */
export type ZoneFilter = "all" | "busy" | "stale" | "unknown";

/** Zones from this percentage on are busy. */
export const BUSY_PERCENT = 70;

/** Whether a filter has a zone. */
export function matchesFilter(state: ZoneState, filter: ZoneFilter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "busy":
      return (state.percent ?? 0) >= BUSY_PERCENT;
    case "stale":
      return state.occupied !== null && state.staleCells > 0;
    case "unknown":
      return state.occupied === null;
  }
}
