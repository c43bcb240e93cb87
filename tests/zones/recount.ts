/** Which cells are in a zone, by another implementation than the server's. */
import classify from "robust-point-in-polygon";
import type { Polygon, Position, Ring, Zone } from "../../src/zones/zone.ts";

/**
 * Returns true if the centre of a cell is inside a zone.
 *
 * @throws {RangeError} if it is on an edge: this implementation has no rule
 */
export function holdsCell(zone: Zone, x: number, y: number): boolean {
  const centre: Position = [x + 0.5, y + 0.5];
  return zone.polygons.some((polygon) => holdsPoint(polygon, centre));
}

function holdsPoint([outer, ...holes]: Polygon, point: Position): boolean {
  return isInside(outer!, point) &&
    !holes.some((hole) => isInside(hole, point));
}

function isInside(ring: Ring, point: Position): boolean {
  const side = classify(ring.slice(1) as [number, number][], [...point]);
  if (side === 0) throw new RangeError(`${point} is on an edge`);
  return side < 0;
}
