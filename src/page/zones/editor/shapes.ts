/**
 * Edits the polygons of a zone: corners, holes, moves. All return new polygons.
 * Coordinates are in cells.
 *
 * @module
 */

import { INT32_MAX, INT32_MIN } from "../../../protocol/region.ts";
import type { Polygon, Position, Ring } from "../../../zones/zone.ts";

/** Where a corner is in the polygons of a zone; all numbers from 0. */
export interface CornerPath {
  readonly polygon: number;
  readonly ring: number;
  /** Below the number of corners: the last position repeats the first. */
  readonly corner: number;
}

/** The outer edges of something, in cells. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** The right edge of the last cell; the left edge of the first is INT32_MIN. */
const MAX_COORDINATE = INT32_MAX + 1;
const MIN_CORNERS = 3;

/** Moves a coordinate to the nearest that cells have. */
export function clampCoordinate(value: number): number {
  return Math.min(Math.max(value, INT32_MIN), MAX_COORDINATE);
}

/** The ring around a rectangle, of which two opposite corners are given. */
export function rectangleOf(a: Position, b: Position): Ring {
  const [x0, x1] = a[0] < b[0] ? [a[0], b[0]] : [b[0], a[0]];
  const [y0, y1] = a[1] < b[1] ? [a[1], b[1]] : [b[1], a[1]];
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]];
}

/** Closes a ring; positions that repeat the one before are left out. */
export function closeRing(positions: readonly Position[]): Ring {
  const ring = positions.filter((at, i) =>
    i === 0 || !isSame(at, positions[i - 1]!)
  );
  const [first] = ring;
  if (first !== undefined && !isSame(first, ring.at(-1)!)) ring.push(first);
  return ring;
}

/** All corners, ring by ring: the order in which Tab visits them. */
export function cornersOf(polygons: readonly Polygon[]): CornerPath[] {
  return polygons.flatMap((rings, polygon) =>
    rings.flatMap((positions, ring) =>
      positions.slice(1).map((_, corner) => ({ polygon, ring, corner }))
    )
  );
}

/** The position of a corner; undefined if there is no such corner. */
export function positionOf(
  polygons: readonly Polygon[],
  { polygon, ring, corner }: CornerPath,
): Position | undefined {
  const positions = polygons[polygon]?.[ring];
  return positions && corner < positions.length - 1
    ? positions[corner]
    : undefined;
}

/** The corner nearest to a position. */
export function nearestCorner(
  polygons: readonly Polygon[],
  [x, y]: Position,
): { readonly path: CornerPath; readonly distance: number } | undefined {
  let nearest: { path: CornerPath; distance: number } | undefined;
  for (const path of cornersOf(polygons)) {
    const [cx, cy] = positionOf(polygons, path)!;
    const distance = Math.hypot(cx - x, cy - y);
    if (nearest === undefined || distance < nearest.distance) {
      nearest = { path, distance };
    }
  }
  return nearest;
}

/** Moves a corner to a position. */
export function moveCorner(
  polygons: readonly Polygon[],
  path: CornerPath,
  [x, y]: Position,
): readonly Polygon[] {
  const to = [clampCoordinate(x), clampCoordinate(y)] as const;
  return editRing(polygons, path, (corners) => corners.with(path.corner, to));
}

/** Adds a corner in the middle of the edge that begins at a corner. */
export function addCorner(
  polygons: readonly Polygon[],
  path: CornerPath,
): readonly Polygon[] {
  return editRing(polygons, path, (corners) => {
    const from = corners[path.corner]!;
    const to = corners[(path.corner + 1) % corners.length]!;
    const middle = [
      middleOf(from[0], to[0]),
      middleOf(from[1], to[1]),
    ] as const;
    return corners.toSpliced(path.corner + 1, 0, middle);
  });
}

/**
 * Removes a corner. A hole of three corners is removed with it, and so is a
 * polygon of a zone that has others.
 *
 * @returns undefined if the zone would have no area
 */
export function removeCorner(
  polygons: readonly Polygon[],
  path: CornerPath,
): readonly Polygon[] | undefined {
  const rings = polygons[path.polygon]!;
  if (rings[path.ring]!.length - 1 > MIN_CORNERS) {
    return editRing(
      polygons,
      path,
      (corners) => corners.toSpliced(path.corner, 1),
    );
  }
  return removeRing(polygons, path);
}

/**
 * Removes a hole, or a whole polygon if the ring is its outer one.
 *
 * @returns undefined if nothing would be left
 */
export function removeRing(
  polygons: readonly Polygon[],
  { polygon, ring }: CornerPath,
): readonly Polygon[] | undefined {
  if (ring > 0) {
    return polygons.with(polygon, polygons[polygon]!.toSpliced(ring, 1));
  }
  return polygons.length > 1 ? polygons.toSpliced(polygon, 1) : undefined;
}

/** Moves a zone, at most to the edge of all cells. */
export function translate(
  polygons: readonly Polygon[],
  right: number,
  down: number,
): readonly Polygon[] {
  const { x0, y0, x1, y1 } = boxOf(polygons);
  const dx = Math.min(Math.max(right, INT32_MIN - x0), MAX_COORDINATE - x1);
  const dy = Math.min(Math.max(down, INT32_MIN - y0), MAX_COORDINATE - y1);
  if (dx === 0 && dy === 0) return polygons;
  return polygons.map((rings) =>
    rings.map((ring) => ring.map(([x, y]) => [x + dx, y + dy] as const))
  );
}

/**
 * Adds a hole to the polygon that contains it.
 *
 * @returns undefined if no polygon contains all corners of the hole
 */
export function addHole(
  polygons: readonly Polygon[],
  hole: Ring,
): readonly Polygon[] | undefined {
  const index = polygons.findIndex(([outer]) =>
    hole.every((at) => touches(outer!, at))
  );
  return index < 0
    ? undefined
    : polygons.with(index, [...polygons[index]!, hole]);
}

/** Number of holes in all polygons. */
export function countHoles(polygons: readonly Polygon[]): number {
  return polygons.reduce((sum, rings) => sum + rings.length - 1, 0);
}

/** The smallest rectangle with all corners. */
export function boxOf(polygons: readonly Polygon[]): Box {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [outer] of polygons) {
    for (const [x, y] of outer!) {
      x0 = Math.min(x0, x);
      y0 = Math.min(y0, y);
      x1 = Math.max(x1, x);
      y1 = Math.max(y1, y);
    }
  }
  return { x0, y0, x1, y1 };
}

/**
 * Returns the polygons as before if the only difference is a corner within an
 * edge: a click on an edge adds one, which then is not moved.
 */
export function withoutIdleCorner(
  before: readonly Polygon[],
  after: readonly Polygon[],
): readonly Polygon[] {
  for (const path of cornersOf(after)) {
    const corners = after[path.polygon]![path.ring]!;
    const old = before[path.polygon]?.[path.ring];
    if (old === undefined || corners.length !== old.length + 1) continue;
    const [from, at, to] = [-1, 0, 1].map((step) =>
      corners.slice(1).at((path.corner - 1 + step) % (corners.length - 1))!
    ) as [Position, Position, Position];
    const isIdle = isOnEdge(from, to, at);
    if (!isIdle) continue;
    const without = editRing(
      after,
      path,
      (all) => all.toSpliced(path.corner, 1),
    );
    if (JSON.stringify(without) === JSON.stringify(before)) return before;
  }
  return after;
}

/** Edits the corners of a ring, without the repeated first one. */
function editRing(
  polygons: readonly Polygon[],
  { polygon, ring }: CornerPath,
  edit: (corners: readonly Position[]) => readonly Position[],
): readonly Polygon[] {
  const rings = polygons[polygon]!;
  const corners = edit(rings[ring]!.slice(0, -1));
  return polygons.with(polygon, rings.with(ring, [...corners, corners[0]!]));
}

/** A whole number of cells if both ends are. */
function middleOf(a: number, b: number): number {
  const middle = (a + b) / 2;
  return Number.isInteger(a) && Number.isInteger(b)
    ? Math.round(middle)
    : middle;
}

function isSame(a: Position, b: Position): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

/** Whether a position is inside a ring or on it. */
function touches(ring: Ring, at: Position): boolean {
  const [x, y] = at;
  let inside = false;
  for (let i = 1; i < ring.length; i++) {
    const [from, to] = [ring[i - 1]!, ring[i]!];
    if (isOnEdge(from, to, at)) return true;
    if ((from[1] > y) === (to[1] > y)) continue;
    const crossing = from[0] +
      (to[0] - from[0]) * ((y - from[1]) / (to[1] - from[1]));
    if (x < crossing) inside = !inside;
  }
  return inside;
}

/** Whether a position is on an edge, within a millionth of a cell. */
function isOnEdge(from: Position, to: Position, at: Position): boolean {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const detour = Math.hypot(at[0] - from[0], at[1] - from[1]) +
    Math.hypot(to[0] - at[0], to[1] - at[1]);
  return detour - length <= 1e-6 * Math.max(1, length);
}
