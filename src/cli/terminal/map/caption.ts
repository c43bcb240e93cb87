import type { CellCounts, Region } from "../../../grid/mod.ts";
import type { Span } from "./canvas.ts";
import { Level } from "../../../grid/status.ts";
import { HATCH, HATCHED } from "./paint.ts";
import {
  BOLD,
  type ColorDepth,
  colorOfLevel,
  DIM,
  glyphOfLevel,
  styleOf,
} from "./palette.ts";
import { sizeOf } from "./viewport.ts";

/** From here on a count is given roughly. */
const ROUGHLY = 1e12;
const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** Words that stay together when a line is broken. */
type Item = readonly Span[];

/**
 * What the map says in numbers. Stale cells are counted as such only, not as
 * free or occupied; the share is of the cells that are one or the other.
 *
 * @param region What is shown; undefined if there is nothing
 */
export function headline(
  layer: string,
  counts: CellCounts,
  region: Region | undefined,
): Item[] {
  const { cells, people, occupied, free, stale, unknown } = counts;
  const [columns, rows] = region ? sizeOf(region) : [0, 0];
  const known = occupied + free;
  const percent = known === 0
    ? ""
    : ` (${(100 * occupied / known).toFixed(1)}%)`;
  const some = (count: number, noun: string): Item[] =>
    count > 0 ? [[[`${grouped(count)} ${noun}`]]] : [];
  const size = region ? `${grouped(columns)}×${grouped(rows)} · ` : "";
  return [
    [[layer, BOLD]],
    [[`${size}${grouped(cells)} ${cells === 1 ? "cell" : "cells"}`]],
    ...(people === occupied
      ? []
      : [[[grouped(people), BOLD], [" people"]] as Item]),
    [[grouped(occupied), BOLD], [" occupied"], [percent, DIM]],
    [[`${grouped(free)} free`]],
    ...some(stale, "stale"),
    ...some(unknown, "unknown"),
    ...some(columns * rows - cells, "no data"),
  ];
}

/** What the colours mean, or the characters where there are none. */
export function legend(
  counts: CellCounts,
  staleAfter: number | undefined,
  depth: ColorDepth,
): Item[] {
  const mark = (level: number): Span =>
    depth === "none"
      ? [glyphOfLevel(level)]
      : ["■", styleOf(colorOfLevel(level))];
  const { Free, Occupied, OccupiedMax, StaleFree, StaleOccupied } = Level;
  const unknown: Span = depth === "none"
    ? [glyphOfLevel(Level.Unknown)]
    : [HATCH, HATCHED];
  const items: Item[] = [[mark(Free), [" free"]]];
  if (counts.people === counts.occupied) {
    items.push([mark(Occupied), [" occupied"]]);
  } else if (depth === "none") {
    items.push([["1-9"]], [mark(OccupiedMax), [" 10+ people"]]);
  } else {
    items.push([mark(Occupied), [" 1"]], [mark(Occupied + 2), [" 3"]]);
    items.push([mark(OccupiedMax), [" 10+ people"]]);
  }
  if (staleAfter !== undefined) {
    const words = ` stale > ${duration(staleAfter)}`;
    items.push([mark(StaleFree), mark(StaleOccupied), [words]]);
  }
  return [...items, [unknown, [" unknown"]]];
}

/**
 * Coordinates for the corners of a map: a line above and one below, as wide as
 * the map where there is room for that.
 */
export function corners(shown: Region, width: number): [string, string] {
  const { x0, y0, x1, y1 } = shown;
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

/** A count with its thousands told apart. */
export function grouped(count: number): string {
  return Math.abs(count) < ROUGHLY
    ? count.toLocaleString("en")
    : count.toExponential(1);
}

/** A span of time in the largest unit that tells it exactly. */
export function duration(ms: number): string {
  const [size, name] = UNITS.find(([size]) => ms >= size && ms % size === 0) ??
    [1, "ms"];
  return `${ms / size} ${name}`;
}
