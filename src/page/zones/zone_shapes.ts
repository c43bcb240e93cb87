/**
 * The outlines of the zones of a layer: their extent, and which zone is at a
 * place. In cells, as in the definitions.
 *
 * @module
 */

import type { Edges } from "../map/framing.ts";
import { union } from "../map/framing.ts";
import type { ZoneDefinition } from "./zone_definitions.ts";

/** The outline of a zone, as it is drawn. */
export interface ZoneShape {
  readonly name: string;
  readonly title: string;
  /** The smallest rectangle around it. */
  readonly box: Edges;
  /** In cells; above 0. */
  readonly area: number;
  /**
   * x and y in turn, without the last position, which equals the first. Outer
   * rings have a positive area, holes a negative one: with the nonzero rule,
   * the union of zones is filled.
   */
  readonly rings: readonly Float64Array[];
  /** Whether it is {@linkcode ZoneShape.box}: then it is drawn faster. */
  readonly isBox: boolean;
}

/** Returns the outline of a zone. */
export function shapeOf({ name, title, polygons }: ZoneDefinition): ZoneShape {
  const rings: Float64Array[] = [];
  let area = 0;
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (const [index, ring] of polygon.entries()) {
      const points = new Float64Array(2 * (ring.length - 1));
      for (let i = 0; i < ring.length - 1; i++) {
        const [x, y] = ring[i]!;
        points[2 * i] = x;
        points[2 * i + 1] = y;
        x0 = Math.min(x0, x);
        x1 = Math.max(x1, x);
        y0 = Math.min(y0, y);
        y1 = Math.max(y1, y);
      }
      const ringArea = areaOf(points);
      const isHole = index > 0;
      if ((ringArea > 0) === isHole) reverse(points);
      area += isHole ? -Math.abs(ringArea) : Math.abs(ringArea);
      rings.push(points);
    }
  }
  const isBox = rings.length === 1 && rings[0]!.length === 8 &&
    area === (x1 - x0) * (y1 - y0);
  return { name, title, box: [x0, y0, x1, y1], area, rings, isBox };
}

/** Whether a point is inside of a zone, and not in a hole (even-odd rule). */
export function contains({ box, rings }: ZoneShape, x: number, y: number) {
  if (x < box[0] || y < box[1] || x > box[2] || y > box[3]) return false;
  let inside = false;
  for (const ring of rings) {
    let [px, py] = [ring[ring.length - 2]!, ring[ring.length - 1]!];
    for (let i = 0; i < ring.length; i += 2) {
      const [qx, qy] = [ring[i]!, ring[i + 1]!];
      if ((qy > y) !== (py > y) && x < qx + (y - qy) / (py - qy) * (px - qx)) {
        inside = !inside;
      }
      [px, py] = [qx, qy];
    }
  }
  return inside;
}

/** The outlines of the zones of a layer. Never changed, but replaced. */
export class ZoneShapes {
  /** The largest first, so that smaller ones are drawn above them. */
  readonly all: readonly ZoneShape[];
  readonly byName: ReadonlyMap<string, ZoneShape>;
  /** The smallest rectangle around all; undefined if there are none. */
  readonly edges: Edges | undefined;

  constructor(definitions: Iterable<ZoneDefinition>) {
    const shapes = [...definitions].map(shapeOf);
    this.all = shapes.sort((a, b) => b.area - a.area);
    this.byName = new Map(shapes.map((shape) => [shape.name, shape]));
    this.edges = shapes.reduce<Edges | undefined>(
      (edges, { box }) => union(edges, box),
      undefined,
    );
  }

  /** Returns the zones that have a cell, the smallest first. */
  withCell(x: number, y: number): ZoneShape[] {
    return this.all.filter((shape) => contains(shape, x + 0.5, y + 0.5))
      .reverse();
  }
}

/** The middle of the upper edge of a zone, for a label. */
export interface TopEdge {
  readonly x: number;
  readonly y: number;
}

/**
 * Returns the middle of the upper edge on the screen.
 *
 * @param yUp whether y grows upwards
 */
export function topEdgeOf(
  { rings, box }: ZoneShape,
  yUp: boolean,
): TopEdge {
  const y = yUp ? box[3] : box[1];
  let [from, to] = [Infinity, -Infinity];
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      if (ring[i + 1] !== y) continue;
      from = Math.min(from, ring[i]!);
      to = Math.max(to, ring[i]!);
    }
  }
  return { x: (from + to) / 2, y };
}

/** The area of a ring: above or below 0, after its direction. */
function areaOf(ring: Float64Array): number {
  let sum = 0;
  let [px, py] = [ring[ring.length - 2]!, ring[ring.length - 1]!];
  for (let i = 0; i < ring.length; i += 2) {
    const [qx, qy] = [ring[i]!, ring[i + 1]!];
    sum += (px - qx) * (py + qy);
    [px, py] = [qx, qy];
  }
  return sum / 2;
}

/** Reverses the order of the points. */
function reverse(ring: Float64Array): void {
  ring.reverse(); // now y and x in turn
  for (let i = 0; i < ring.length; i += 2) {
    [ring[i], ring[i + 1]] = [ring[i + 1]!, ring[i]!];
  }
}
