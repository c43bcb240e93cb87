/**
 * Reads the geometry of a zone: polygons of GeoJSON, with coordinates in cells.
 *
 * @module
 */

import { plural } from "../common/plural.ts";
import type { Work } from "../common/turns.ts";
import { INT32_MAX, INT32_MIN } from "../protocol/region.ts";
import { describeJson, isJsonObject } from "../protocol/text.ts";
import { type Edge, findCrossing } from "./crossings.ts";
import { type FeatureLabel, ZoneError, type ZoneErrorCode } from "./errors.ts";
import type { Polygon, Position, Ring } from "./zone.ts";

/** The right edge of the last cell; the left edge of the first is INT32_MIN. */
const MAX_COORDINATE = INT32_MAX + 1;
/** Each about a quarter of a millisecond. */
const POSITIONS_PER_STEP = 2048;
const POLYGONS_PER_STEP = 32;
/** Of a ring whose edges are compared with each other. */
const MAX_COMPARED_POSITIONS = 1000;
const OUTSIDE =
  "Cells have coordinates from -2147483648 to 2147483647; their edges reach 2147483648.";

/**
 * Reads a Polygon or MultiPolygon (RFC 7946, 3.1.6 and 3.1.7). Either
 * orientation of a ring is allowed, as the RFC says for readers. What follows
 * x and y in a position is ignored (3.1.1), and so are `bbox` and other members
 * of the geometry.
 *
 * @param geometry the member `geometry` of a feature
 * @param feature for errors
 * @throws {ZoneError} "bad-geometry", "bad-position", "short-ring",
 * "open-ring", "empty-ring", "self-crossing"
 */
export function* readGeometry(
  geometry: unknown,
  feature: FeatureLabel,
): Work<readonly Polygon[]> {
  const reader = new GeometryReader(feature);
  const polygons = yield* reader.read(geometry);
  for (const [index, polygon] of polygons.entries()) {
    if (polygons.length > 1) reader.polygon = index + 1;
    const crossing = yield* findCrossing(polygon);
    if (crossing !== undefined) throw reader.crossingError(polygon, crossing);
    if (index % POLYGONS_PER_STEP === POLYGONS_PER_STEP - 1) yield;
  }
  return polygons;
}

/** Knows where in the geometry it is, for errors. */
class GeometryReader {
  readonly #feature: FeatureLabel;
  /** Number from 1; 0 in a Polygon. */
  polygon = 0;
  #ring = 0;
  #position = 0;
  /** All positions so far. */
  #count = 0;

  constructor(feature: FeatureLabel) {
    this.#feature = feature;
  }

  *read(geometry: unknown): Work<Polygon[]> {
    const hint = "Draw the zone as a Polygon or MultiPolygon.";
    if (geometry === null || geometry === undefined) {
      throw this.#error("bad-geometry", "it has no geometry", hint);
    }
    if (!isJsonObject(geometry)) {
      const problem = `its geometry is not an object but ${
        describeJson(geometry)
      }`;
      throw this.#error("bad-geometry", problem, hint);
    }
    const { type, coordinates } = geometry;
    if (type === "Polygon") return [yield* this.#readPolygon(coordinates)];
    if (type === "MultiPolygon") {
      const polygons: Polygon[] = [];
      for (const rings of this.#list(coordinates, "polygons")) {
        this.polygon++;
        polygons.push(yield* this.#readPolygon(rings));
      }
      return polygons;
    }
    const problem = `the type of its geometry is not Polygon or MultiPolygon ` +
      `but ${type === undefined ? "missing" : describeJson(type)}`;
    throw this.#error("bad-geometry", problem, hint);
  }

  *#readPolygon(coordinates: unknown): Work<Polygon> {
    this.#ring = 0;
    const rings: Ring[] = [];
    for (const ring of this.#list(coordinates, "rings")) {
      this.#ring++;
      rings.push(yield* this.#readRing(ring));
    }
    this.#ring = 0;
    return rings;
  }

  *#readRing(coordinates: unknown): Work<Ring> {
    const ring: Position[] = [];
    for (const position of this.#list(coordinates, "positions")) {
      this.#position++;
      ring.push(this.#readPosition(position));
      if (++this.#count % POSITIONS_PER_STEP === 0) yield;
    }
    this.#position = 0;
    const [firstX, firstY] = ring[0]!;
    const [lastX, lastY] = ring.at(-1)!;
    const isOpen = firstX !== lastX || firstY !== lastY;
    if (isOpen && ring.length > 2) {
      throw this.#error(
        "open-ring",
        `the ring is open: it begins at ${firstX},${firstY} and ends at ` +
          `${lastX},${lastY}`,
        "Repeat the first position at the end.",
      );
    }
    if (ring.length < 4) {
      throw this.#error(
        "short-ring",
        `the ring has only ${plural(ring.length, "position")}`,
        "A ring has at least four positions: three corners, and the first again.",
      );
    }
    if (!(yield* hasArea(ring))) {
      throw this.#error(
        "empty-ring",
        "the ring has no area",
        "Its positions are on one line, or it goes back on its own way. Remove the ring or move a corner.",
      );
    }
    return ring;
  }

  #readPosition(value: unknown): Position {
    if (!Array.isArray(value) || value.length < 2) {
      const problem = Array.isArray(value)
        ? `a position has ${plural(value.length, "number")}`
        : `a position is ${describeJson(value)}`;
      throw this.#error(
        "bad-position",
        problem,
        "A position is [x, y], in cells.",
      );
    }
    const x = this.#readNumber(value[0], "x");
    const y = this.#readNumber(value[1], "y");
    // Most are right: no second array for them.
    const isExact = value.length === 2 && Object.is(x, value[0]) &&
      Object.is(y, value[1]);
    return isExact ? value as unknown as Position : [x, y];
  }

  #readNumber(value: unknown, axis: "x" | "y"): number {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw this.#error(
        "bad-position",
        `${axis} is not a finite number but ${describeJson(value)}`,
        "A position is [x, y], in cells.",
      );
    }
    if (value < INT32_MIN || value > MAX_COORDINATE) {
      const problem = `${axis} is ${value}, outside of all cells`;
      throw this.#error("bad-position", problem, OUTSIDE);
    }
    return value + 0; // -0 becomes 0
  }

  /** Checks that a value is an array with at least one element. */
  #list(value: unknown, of: string): readonly unknown[] {
    if (Array.isArray(value) && value.length > 0) return value;
    const problem = Array.isArray(value)
      ? `it has no ${of}`
      : `there is no array of ${of} but ${describeJson(value)}`;
    throw this.#error(
      "bad-geometry",
      problem,
      "The coordinates of a Polygon are an array of rings, those of a MultiPolygon an array of Polygons; a ring is an array of positions [x, y].",
    );
  }

  crossingError(polygon: Polygon, [a, b]: readonly [Edge, Edge]): ZoneError {
    const problem = `the edge from ${describeEdge(polygon, a)} crosses that ` +
      `from ${describeEdge(polygon, b)}`;
    return this.#error(
      "self-crossing",
      problem,
      "Move the corners so that no edges cross, or divide the zone into the polygons of a MultiPolygon.",
    );
  }

  #error(code: ZoneErrorCode, problem: string, hint: string): ZoneError {
    const places = [
      this.polygon > 0 ? `polygon ${this.polygon}` : "",
      this.#ring > 0 ? `ring ${this.#ring}` : "",
      this.#position > 0 ? `position ${this.#position}` : "",
    ].filter(Boolean).join(", ");
    return new ZoneError(
      code,
      places === "" ? problem : `${places}: ${problem}`,
      { hint, feature: this.#feature },
    );
  }
}

function describeEdge(polygon: Polygon, { ring, position }: Edge): string {
  const [from, to] = polygon[ring - 1]!.slice(position - 1);
  return `${from!.join(",")} to ${to!.join(",")} (ring ${ring}, positions ` +
    `${position} and ${position + 1})`;
}

/** False if a ring is on one line, or has each of its edges twice. */
function* hasArea(ring: Ring): Work<boolean> {
  const [x0, y0] = ring[0]!;
  let area = 0;
  let size = 0;
  for (let i = 1; i < ring.length; i++) {
    if (i % POSITIONS_PER_STEP === 0) yield;
    const a = ring[i - 1]!;
    const b = ring[i]!;
    const left = (a[0] - x0) * (b[1] - y0);
    const right = (a[1] - y0) * (b[0] - x0);
    area += left - right;
    size += Math.abs(left) + Math.abs(right);
  }
  // Usual. An area of 0 can also be that of an eight with equal halves.
  if (Math.abs(area) > 1e-12 * size) return true;
  return !isOnOneLine(ring) && !hasEdgesTwice(ring);
}

function isOnOneLine(ring: Ring): boolean {
  const [x0, y0] = ring[0]!;
  const other = ring.find((at) => at[0] !== x0 || at[1] !== y0);
  if (other === undefined) return true;
  const [dx, dy] = [other[0] - x0, other[1] - y0];
  return ring.every((at) => {
    const left = dx * (at[1] - y0);
    const right = dy * (at[0] - x0);
    return Math.abs(left - right) <= 1e-12 * (Math.abs(left) + Math.abs(right));
  });
}

function hasEdgesTwice(ring: Ring): boolean {
  // A longer one takes long, and does no harm: it is a zone without cells.
  if (ring.length > MAX_COMPARED_POSITIONS) return false;
  const odd = new Set<string>();
  for (let i = 1; i < ring.length; i++) {
    const [a, b] = [ring[i - 1]!.join(), ring[i]!.join()];
    if (a === b) continue;
    const edge = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (!odd.delete(edge)) odd.add(edge);
  }
  return odd.size === 0;
}
