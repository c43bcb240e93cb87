/**
 * The text around the map: headline, legend and corners.
 *
 * @module
 */
import type { CellCounts, Region } from "../../../grid/mod.ts";
import { nounOf, type Unit } from "../../../protocol/display.ts";
import type { Span } from "./canvas.ts";
import { Level } from "../../../grid/status.ts";
import { HATCH, HATCHED } from "./pixels.ts";
import {
  BOLD,
  type ColorDepth,
  colorOfLevel,
  DIM,
  glyphOfLevel,
  styleOf,
} from "./palette.ts";
import { sizeOf } from "./viewport.ts";

/** Maximum count that is not rounded. */
const MAX_EXACT_COUNT = 1e12;
const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** Text that is kept on one line. */
type Item = readonly Span[];

/**
 * Returns the counts of a map. Stale cells count neither as free nor as
 * occupied; the percentage is of the free and occupied cells.
 *
 * @param region the shown region; undefined if there are no cells
 * @param unit what the values count. Default: people
 */
export function headline(
  layer: string,
  counts: CellCounts,
  region: Region | undefined,
  unit?: Unit,
): Item[] {
  const { cells, people, occupied, free, stale, unknown } = counts;
  const [columns, rows] = region ? sizeOf(region) : [0, 0];
  const known = occupied + free;
  const percent = known === 0
    ? ""
    : ` (${(100 * occupied / known).toFixed(1)}%)`;
  const unlessZero = (count: number, noun: string): Item[] =>
    count > 0 ? [[[`${formatCount(count)} ${noun}`]]] : [];
  const size = region ? `${formatCount(columns)}×${formatCount(rows)} · ` : "";
  return [
    [[layer, BOLD]],
    [[`${size}${formatCount(cells)} ${cells === 1 ? "cell" : "cells"}`]],
    ...(people === occupied
      ? []
      : [[[formatCount(people), BOLD], [` ${nounOf(people, unit)}`]] as Item]),
    [[formatCount(occupied), BOLD], [" occupied"], [percent, DIM]],
    [[`${formatCount(free)} free`]],
    ...unlessZero(stale, "stale"),
    ...unlessZero(unknown, "unknown"),
    ...unlessZero(columns * rows - cells, "no data"),
  ];
}

/**
 * Returns the meanings of the colors, or without colors of the characters.
 *
 * @param unit what the values count. Default: people
 */
export function legend(
  counts: CellCounts,
  staleAfter: number | undefined,
  depth: ColorDepth,
  unit?: Unit,
): Item[] {
  const mark = (level: number): Span =>
    depth === "none"
      ? [glyphOfLevel(level)]
      : ["■", styleOf(colorOfLevel(level))];
  const { Free, Occupied, OccupiedMax, StaleFree, StaleOccupied } = Level;
  const unknown: Span = depth === "none"
    ? [glyphOfLevel(Level.Unknown)]
    : [HATCH, HATCHED];
  const tenOrMore: Item = [mark(OccupiedMax), [` 10+ ${nounOf(10, unit)}`]];
  const items: Item[] = [[mark(Free), [" free"]]];
  if (counts.people === counts.occupied) {
    items.push([mark(Occupied), [" occupied"]]);
  } else if (depth === "none") {
    items.push([["1-9"]], tenOrMore);
  } else {
    items.push([mark(Occupied), [" 1"]], [mark(Occupied + 2), [" 3"]]);
    items.push(tenOrMore);
  }
  if (staleAfter !== undefined) {
    const text = ` stale > ${formatDuration(staleAfter)}`;
    items.push([mark(StaleFree), mark(StaleOccupied), [text]]);
  }
  return [...items, [unknown, [" unknown"]]];
}

/**
 * Returns the coordinates of the corners: one line to print above the map and
 * one below it. A map that is too narrow for four corners gets two.
 *
 * @param yUp whether y grows upwards
 */
export function corners(
  shown: Region,
  width: number,
  yUp = false,
): [string, string] {
  const { x0, x1 } = shown;
  const [y0, y1] = yUp ? [shown.y1, shown.y0] : [shown.y0, shown.y1];
  const line = (y: number) => {
    const [left, right] = [`${x0},${y}`, `${x1},${y}`];
    if (x0 === x1) return left;
    return left.length + 2 + right.length <= width
      ? left + right.padStart(width - left.length)
      : undefined;
  };
  const [above, below] = [line(y0), line(y1)];
  if (above !== undefined && below !== undefined) {
    return [above, y0 === y1 ? "" : below];
  }
  return [`${x0},${y0}`, `${x1},${y1}`.padStart(width)];
}

/** Returns a count with thousands separators, or rounded if it is large. */
export function formatCount(count: number): string {
  return Math.abs(count) < MAX_EXACT_COUNT
    ? count.toLocaleString("en")
    : count.toExponential(1);
}

/** Returns a duration in the largest unit that needs no fraction. */
export function formatDuration(ms: number): string {
  const [size, name] = UNITS.find(([size]) => ms >= size && ms % size === 0) ??
    [1, "ms"];
  return `${ms / size} ${name}`;
}
