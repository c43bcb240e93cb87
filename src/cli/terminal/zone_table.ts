/**
 * Renders the states of zones: a table with bars for people, lines for pipes,
 * JSON for programs.
 *
 * @module
 */
import { printable, printableJson } from "../../common/printable.ts";
import type { ZoneState } from "../../zones/mod.ts";
import { Canvas, type ColorDepth, encodeLines, type Span } from "./map/mod.ts";
import { type TimeForm, timeText } from "./render.ts";
import { compareFullest, zoneRows, zoneStatus } from "./zone_rows.ts";

/** Returns the states in the order of a list: the fullest first. */
export function fullestFirst(states: Iterable<ZoneState>): ZoneState[] {
  return [...states].sort(compareFullest);
}

/** How {@linkcode renderZoneTable} renders. */
export interface ZoneTableOptions {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** Columns of the terminal. */
  readonly width: number;
  readonly depth: ColorDepth;
}

/** Renders a table with a row for each zone, see {@linkcode zoneRows}. */
export function renderZoneTable(
  states: readonly ZoneState[],
  { depth, ...options }: ZoneTableOptions,
): string {
  return encodeRows(zoneRows(states, options), options.width, depth);
}

/** Returns lines of spans as text for a terminal. */
export function encodeRows(
  lines: readonly (readonly Span[])[],
  width: number,
  depth: ColorDepth,
): string {
  const canvas = new Canvas(width, lines.length);
  lines.forEach((line, row) => canvas.write(0, row, line));
  return encodeLines(canvas, depth);
}

/**
 * The columns of {@linkcode renderZoneLines}: name, state, count, capacity,
 * percent, certain, layer, title, since, cells, occupied, stale and unknown
 * cells.
 */
const LINE_COLUMNS = 13;

/**
 * Renders a line for each zone, its columns separated by tabs; a capacity or
 * percentage that is not known is empty.
 */
export function renderZoneLines(
  states: readonly ZoneState[],
  times: TimeForm = "rfc3339",
): string {
  return states.map((state) => {
    const { cells, occupiedCells, staleCells, unknownCells } = state;
    return [
      ...[state.zone, zoneStatus(state), state.count, state.capacity ?? ""],
      ...[state.percent ?? "", state.certain, state.layer, state.title],
      timeText(state.since, times),
      ...[cells, occupiedCells, staleCells, unknownCells],
    ].join("\t") + "\n";
  }).join("");
}

/** Returns a state whose names do not control a terminal. */
export function printableZone(state: ZoneState): ZoneState {
  const { zone, title, layer } = state;
  return {
    ...state,
    zone: printable(zone),
    title: printable(title),
    layer: printable(layer),
  };
}

/** Renders a line for each zone that there is no more, with empty columns. */
export function renderRemovedZones(names: readonly string[]): string {
  const rest = "\t".repeat(LINE_COLUMNS - 2);
  return names.map((name) => `${name}\tremoved${rest}\n`).join("");
}

/** Renders a JSON object on a line for each zone. */
export function renderZoneJson(
  states: readonly ZoneState[],
  times: TimeForm = "ms",
): string {
  return states.map((state) => `${printableJson(withTimes(state, times))}\n`)
    .join("");
}

/** Returns an object for JSON, with its times in another form. */
export function withTimes<Timed extends { readonly time?: number }>(
  timed: Timed & { readonly since?: number },
  times: TimeForm,
): unknown {
  if (times === "ms") return timed;
  const { time, since } = timed;
  return {
    ...timed,
    ...(since !== undefined && { since: timeText(since, times) }),
    ...(time !== undefined && { time: timeText(time, times) }),
  };
}
