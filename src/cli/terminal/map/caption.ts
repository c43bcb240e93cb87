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
  glyphOfMany,
  SHARE_GLYPHS,
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

/** Options of {@linkcode legend}. */
export interface LegendOptions {
  /** Age above which cells are stale, in ms; undefined for never. */
  readonly staleAfter: number | undefined;
  readonly depth: ColorDepth;
  /** What the values count. Default: people. */
  readonly unit?: Unit | undefined;
  /** Whether a pixel stands for many cells. */
  readonly isMany: boolean;
}

/** Returns the meanings of the colors, or without colors of the characters. */
export function legend(
  counts: CellCounts,
  { staleAfter, depth, unit, isMany }: LegendOptions,
): Item[] {
  const hasShares = depth === "none" && isMany;
  const mark = (level: number): Span =>
    depth !== "none"
      ? ["■", styleOf(colorOfLevel(level))]
      : [hasShares ? glyphOfMany(level, 1, 1) : glyphOfLevel(level)];
  const { Free, Occupied, OccupiedMax, StaleFree, StaleOccupied } = Level;
  const unknown: Span = depth === "none"
    ? [glyphOfLevel(Level.Unknown)]
    : [HATCH, HATCHED];
  const tenOrMore: Item = [mark(OccupiedMax), [` 10+ ${nounOf(10, unit)}`]];
  const items: Item[] = [[mark(Free), [" free"]]];
  if (hasShares) items.push(...shares());
  else if (counts.people === counts.occupied) {
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

/** The meanings of the characters for shares of occupied cells. */
function shares(): Item[] {
  let from = 0;
  return SHARE_GLYPHS.map(([glyph, below]): Item => {
    const text = below === Infinity
      ? ` ${100 * from}%+ occupied`
      : ` <${100 * below}%`;
    from = below;
    return [[glyph + text]];
  });
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
