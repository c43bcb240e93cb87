/**
 * Compares definitions of zones, so that an edit changes only what it must.
 *
 * @module
 */

import type { OccupiedWhen, Zone } from "./zone.ts";

/** Returns true if two definitions have always the same state and events. */
export function isSameZone(a: Zone, b: Zone): boolean {
  return a === b ||
    hasSameCells(a, b) && a.title === b.title && a.capacity === b.capacity &&
      a.clearAfter === b.clearAfter &&
      isSameCondition(a.occupiedWhen, b.occupiedWhen);
}

/**
 * Returns true if the counts of two zones are always the same: they have the
 * same name, layer, polygons and `staleAfter`.
 */
export function hasSameCells(a: Zone, b: Zone): boolean {
  return a === b ||
    a.name === b.name && a.layer === b.layer &&
      a.staleAfter === b.staleAfter && isEqual(a.polygons, b.polygons);
}

function isSameCondition(a: OccupiedWhen, b: OccupiedWhen): boolean {
  if ("cells" in a) return "cells" in b && a.cells === b.cells;
  if ("count" in a) return "count" in b && a.count === b.count;
  return "percent" in b && a.percent === b.percent;
}

/** Nested arrays of numbers. */
type Coordinates = number | readonly Coordinates[];

function isEqual(a: Coordinates, b: Coordinates): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a === b ||
    a.length === b.length && a.every((item, i) => isEqual(item, b[i]!));
}
