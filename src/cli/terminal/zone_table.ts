/**
 * Renders the states of zones: a table with bars for people, lines for pipes,
 * JSON for programs.
 *
 * @module
 */
import { printable, printableJson } from "../../common/printable.ts";
import { DEFAULT_LAYER } from "../../protocol/topics.ts";
import type { ZoneState } from "../../zones/mod.ts";
import { formatAge } from "./render.ts";
import { renderTable } from "./table.ts";

/** The length of a bar at 100 percent, in columns. */
const BAR_COLUMNS = 10;
const FULL_BLOCK = "█";
/** One to seven eighths of a column (Unicode block elements). */
const PARTIAL_BLOCKS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Room 2 is before room 10. */
const byName = new Intl.Collator("en", { numeric: true });

/** How a zone is, in one word. */
export type ZoneStatus = "full" | "occupied" | "free" | "unknown";

/** Returns the word for a state; `full`: the count has reached the capacity. */
export function zoneStatus(
  { occupied, count, capacity = Infinity }: ZoneState,
): ZoneStatus {
  if (occupied === null) return "unknown";
  if (count >= capacity) return "full";
  return occupied ? "occupied" : "free";
}

/**
 * Returns the states in the order of a list: the fullest first, unknown ones
 * last, equal ones by name.
 */
export function fullestFirst(states: Iterable<ZoneState>): ZoneState[] {
  const rank = ({ percent }: ZoneState) => percent ?? -1;
  return [...states].sort((a, b) =>
    rank(b) - rank(a) || b.count - a.count || byName.compare(a.zone, b.zone)
  );
}

/** How {@linkcode renderZoneTable} renders. */
export interface ZoneTableOptions {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** Columns of the terminal. A narrow one gets fewer columns of the table. */
  readonly width: number;
  readonly color: boolean;
}

/**
 * Renders a table with a row for each zone. Columns that say nothing, such as
 * titles that are the names, are left out.
 */
export function renderZoneTable(
  states: readonly ZoneState[],
  { time, width, color }: ZoneTableOptions,
): string {
  const columns: [head: string, text: (state: ZoneState) => string][] = [
    ["zone", ({ zone }) => printable(zone)],
    ["title", ({ title }) => printable(title)],
    ["layer", ({ layer }) => printable(layer)],
    ["state", zoneStatus],
    ["for", ({ since }) => formatAge(time - since)],
    ["count", countText],
    ["%", ({ percent }) => percent === null ? "?" : String(percent)],
    ["", ({ percent }) => bar(percent)],
  ];
  const shown = columns.filter(([head]) =>
    head === "title"
      ? states.some(({ title, zone }) => title !== zone)
      : head !== "layer" || states.some(({ layer }) => layer !== DEFAULT_LAYER)
  );
  const table = {
    head: shown.map(([head]) => head),
    rows: states.map((state) => shown.map(([, text]) => text(state))),
    optional: ["for", "layer", "title", "%"]
      .filter((name) => shown.some(([head]) => head === name)),
    alignedRight: ["for", "count", "%"],
  };
  return renderTable(table, width, color);
}

/** The columns of {@linkcode renderZoneLines}, for documentation. */
export const ZONE_LINE =
  "name, state, count, capacity, percent, certain, layer, title, since, cells, occupied, stale and unknown cells";

/**
 * Renders a line for each zone, its columns separated by tabs; a capacity or
 * percentage that is not known is empty.
 */
export function renderZoneLines(states: readonly ZoneState[]): string {
  return states.map((state) => {
    const { cells, occupiedCells, staleCells, unknownCells } = state;
    return [
      ...[state.zone, zoneStatus(state), state.count, state.capacity ?? ""],
      ...[state.percent ?? "", state.certain, state.layer, state.title],
      new Date(state.since).toISOString(),
      ...[cells, occupiedCells, staleCells, unknownCells],
    ].join("\t") + "\n";
  }).join("");
}

/** Renders a JSON object on a line for each zone. */
export function renderZoneJson(states: readonly ZoneState[]): string {
  return states.map((state) => `${printableJson(state)}\n`).join("");
}

/** Such as `4/20`; `≥4/20` if cells are stale or unknown. */
function countText({ occupied, count, certain, capacity }: ZoneState): string {
  const text = occupied === null ? "?" : `${certain ? "" : "≥"}${count}`;
  return capacity === undefined ? text : `${text}/${capacity}`;
}

/** A bar of eighths of a column; more than 100 percent is not longer. */
function bar(percent: number | null): string {
  const eighths = Math.round(
    Math.min(100, percent ?? 0) / 100 * BAR_COLUMNS * 8,
  );
  return FULL_BLOCK.repeat(Math.floor(eighths / 8)) +
    PARTIAL_BLOCKS[eighths % 8]!;
}
