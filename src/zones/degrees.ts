/**
 * Recognizes zones that were drawn on a map of the earth, in degrees.
 *
 * @module
 */

import type { Work } from "../common/turns.ts";
import { ZoneError } from "./errors.ts";
import type { Zone } from "./zone.ts";

/** About 50 km in degrees; a zone of cells is rarely below one cell. */
const MAX_EXTENT = 0.5;
const ZONES_PER_STEP = 256;

/**
 * Refuses zones of which all are certainly in degrees: no coordinate is a whole
 * number, all are within ±180 and ±90, each zone is smaller than half a cell in
 * both directions, and at least one has no centre of a cell in its bounds. One
 * other zone is enough for all to be in cells.
 *
 * @param zones of a collection
 * @throws {ZoneError} "degrees"
 */
export function* assertNotDegrees(zones: readonly Zone[]): Work<void> {
  let empty: number | undefined;
  for (const [index, zone] of zones.entries()) {
    if (index % ZONES_PER_STEP === ZONES_PER_STEP - 1) yield;
    const bounds = boundsInDegrees(zone);
    if (bounds === undefined) return;
    if (!hasCentre(bounds)) empty ??= index;
  }
  if (empty === undefined) return;
  const { name, polygons } = zones[empty]!;
  throw new ZoneError(
    "degrees",
    `its coordinates, such as ${polygons[0]![0]![0]!.join(",")}, look like ` +
      "degrees of longitude and latitude",
    {
      feature: { number: empty + 1, name },
      hint:
        "Zones are drawn in cells: cell 3,4 is the square from 3,4 to 4,5. In QGIS, set the project to no coordinate system and draw over the floor plan.",
    },
  );
}

type Bounds = readonly [x0: number, y0: number, x1: number, y1: number];

/** Returns the bounds of a zone if they can be in degrees. */
function boundsInDegrees(zone: Zone): Bounds | undefined {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of zone.polygons) {
    for (const ring of polygon) {
      for (const [x, y] of ring) {
        if (Number.isInteger(x) || Number.isInteger(y)) return undefined;
        if (Math.abs(x) > 180 || Math.abs(y) > 90) return undefined;
        x0 = Math.min(x0, x);
        y0 = Math.min(y0, y);
        x1 = Math.max(x1, x);
        y1 = Math.max(y1, y);
        if (x1 - x0 >= MAX_EXTENT || y1 - y0 >= MAX_EXTENT) return undefined;
      }
    }
  }
  return [x0, y0, x1, y1];
}

/** True if the centre of a cell, such as (3.5, 4.5), is within bounds. */
function hasCentre([x0, y0, x1, y1]: Bounds): boolean {
  return Math.ceil(x0 - 0.5) + 0.5 <= x1 && Math.ceil(y0 - 0.5) + 0.5 <= y1;
}
