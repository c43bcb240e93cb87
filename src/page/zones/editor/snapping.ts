/**
 * Snaps positions to the edges of cells.
 *
 * @module
 */

import type { Position } from "../../../zones/zone.ts";
import { clampCoordinate } from "./shapes.ts";

/** Steps of positions while snapping is off, in cells. */
const FREE_STEP = 1 / 64;

/**
 * Moves a position to the nearest corner of a cell; with snapping off to the
 * nearest 1/64 of a cell, so that coordinates are short and exact.
 */
export function snapToCells([x, y]: Position, snaps: boolean): Position {
  const snap = (value: number) =>
    clampCoordinate(
      snaps
        ? Math.round(value) + 0 // -0 becomes 0
        : Math.round(value / FREE_STEP) * FREE_STEP + 0,
    );
  return [snap(x), snap(y)];
}

/**
 * Moves a position on an edge to where an edge of cells crosses it. A slanted
 * edge has few such places: there the position remains.
 *
 * @param at on the edge
 */
export function snapAlongEdge(
  at: Position,
  [from, to]: readonly [Position, Position],
): Position {
  const [x, y] = at;
  if (from[0] === to[0]) return [x, within(Math.round(y), from[1], to[1], y)];
  if (from[1] === to[1]) return [within(Math.round(x), from[0], to[0], x), y];
  return at;
}

/** A value if it is between two others, else another one. */
function within(value: number, a: number, b: number, other: number): number {
  const isBetween = value >= Math.min(a, b) && value <= Math.max(a, b);
  return (isBetween ? value : other) + 0;
}
