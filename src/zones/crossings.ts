/**
 * Finds edges of a polygon that cross each other: the sweep of Shamos and Hoey
 * ("Geometric intersection problems", 1976), O(n log n) for n edges.
 *
 * @module
 */

import type { Work } from "../common/turns.ts";
import { SortedBlocks } from "./sorted_blocks.ts";
import type { Polygon } from "./zone.ts";

/**
 * Points at most this distance from a line, in cells, are on it. Tools write
 * coordinates with six or seven decimals, so a corner that lies on the edge of
 * another ring is often a little beyond it.
 */
const TOLERANCE_CELLS = 1e-6;
/** Bound of the rounding error of a determinant (Shewchuk, 1997). */
const ROUNDING = 3.4e-16;
/** Each about a quarter of a millisecond. */
const EDGES_PER_STEP = 128;
const RUN_LENGTH = 512;
const EDGES_PER_FILL = 2048;

/** An edge: from a position of a ring to the next; both numbers from 1. */
export interface Edge {
  readonly ring: number;
  readonly position: number;
}

/**
 * Finds two edges of a polygon that cross: each has an inner point that is an
 * inner point of the other, and they are not on one line. Rings may touch
 * themselves and others, at points and along edges: whether a cell is inside
 * is defined for them too.
 *
 * @param polygon with closed rings
 */
export function* findCrossing(
  polygon: Polygon,
): Work<readonly [Edge, Edge] | undefined> {
  const edges = new Edges(polygon);
  yield* edges.fill();
  const events = yield* sortedEvents(edges);
  const below = new SortedBlocks((a, b) => edges.compare(a, b));
  for (const [index, event] of events.entries()) {
    if (index % EDGES_PER_STEP === EDGES_PER_STEP - 1) yield;
    const edge = event >> 1;
    if (isEnd(event)) {
      const [before, after] = below.remove(edge);
      if (
        before !== undefined && after !== undefined &&
        edges.cross(before, after)
      ) return [edges.place(before), edges.place(after)];
    } else {
      for (const other of below.add(edge)) {
        if (other !== undefined && edges.cross(edge, other)) {
          return [edges.place(other), edges.place(edge)];
        }
      }
    }
  }
  return undefined;
}

/** The edges of a polygon, each from its left end to its right end. */
class Edges {
  /** Of each edge: x and y of its left end, x and y of its right end. */
  readonly ends: Float64Array;
  readonly length: number;
  readonly #polygon: Polygon;

  constructor(polygon: Polygon) {
    this.#polygon = polygon;
    this.length = polygon.reduce((sum, ring) => sum + ring.length - 1, 0);
    this.ends = new Float64Array(4 * this.length);
  }

  /** Fills in the ends. */
  *fill(): Work<void> {
    let at = 0;
    for (const ring of this.#polygon) {
      for (let i = 1; i < ring.length; i++) {
        const [a, b] = [ring[i - 1]!, ring[i]!];
        const isForward = a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]);
        const [left, right] = isForward ? [a, b] : [b, a];
        this.ends[at++] = left[0];
        this.ends[at++] = left[1];
        this.ends[at++] = right[0];
        this.ends[at++] = right[1];
        if (i % EDGES_PER_FILL === 0) yield;
      }
    }
  }

  /** True for an edge between two equal positions. */
  isPoint(edge: number): boolean {
    const { ends } = this;
    return ends[4 * edge] === ends[4 * edge + 2] &&
      ends[4 * edge + 1] === ends[4 * edge + 3];
  }

  place(edge: number): Edge {
    let position = edge + 1;
    let ring = 0;
    while (position >= this.#polygon[ring]!.length) {
      position -= this.#polygon[ring]!.length - 1;
      ring++;
    }
    return { ring: ring + 1, position };
  }

  /** The order from bottom to top of two edges that the sweep line crosses. */
  compare(a: number, b: number): number {
    if (a === b) return 0;
    const { ends } = this;
    const dx = ends[4 * a]! - ends[4 * b]!;
    const isFirst = dx < 0 ||
      (dx === 0 && ends[4 * a + 1]! <= ends[4 * b + 1]!);
    // Where the later one begins; if it is on the other, where it ends.
    const above = isFirst
      ? this.#side(a, 4 * b) || this.#side(a, 4 * b + 2)
      : -(this.#side(b, 4 * a) || this.#side(b, 4 * a + 2));
    return above === 0 ? a - b : -above;
  }

  /** True if each edge has its ends on both sides of the other. */
  cross(a: number, b: number): boolean {
    return this.#side(a, 4 * b) * this.#side(a, 4 * b + 2) < 0 &&
      this.#side(b, 4 * a) * this.#side(b, 4 * a + 2) < 0;
  }

  /** Where a point is: 1 above an edge, -1 below it, 0 on its line. */
  #side(edge: number, point: number): number {
    const { ends } = this;
    const x = ends[point]!;
    const y = ends[point + 1]!;
    const ax = ends[4 * edge]! - x;
    const ay = ends[4 * edge + 1]! - y;
    const bx = ends[4 * edge + 2]! - x;
    const by = ends[4 * edge + 3]! - y;
    const left = ax * by;
    const right = ay * bx;
    const area = left - right;
    const length = Math.sqrt((bx - ax) ** 2 + (by - ay) ** 2);
    const bound = ROUNDING * (Math.abs(left) + Math.abs(right)) +
      TOLERANCE_CELLS * length;
    return area > bound ? 1 : area < -bound ? -1 : 0;
  }
}

function isEnd(event: number): boolean {
  return (event & 1) === 1;
}

/**
 * The begins (2 × edge) and ends (2 × edge + 1) of all edges from left to
 * right; of one x from bottom to top; at one point the ends first.
 */
function* sortedEvents(edges: Edges): Work<Int32Array> {
  const { ends } = edges;
  let count = 0;
  const all = new Int32Array(2 * edges.length);
  for (let edge = 0; edge < edges.length; edge++) {
    if (edges.isPoint(edge)) continue;
    all[count++] = 2 * edge;
    all[count++] = 2 * edge + 1;
  }
  // An event is the index of its x, divided by two.
  return yield* sortInTurns(
    all.subarray(0, count),
    (a, b) =>
      ends[2 * a]! - ends[2 * b]! || ends[2 * a + 1]! - ends[2 * b + 1]! ||
      (b & 1) - (a & 1),
  );
}

/** Sorts by merging: runs first, then twice the length each time. */
function* sortInTurns(
  numbers: Int32Array,
  compare: (a: number, b: number) => number,
): Work<Int32Array> {
  const { length } = numbers;
  for (let from = 0; from < length; from += RUN_LENGTH) {
    numbers.subarray(from, from + RUN_LENGTH).sort(compare);
    if (from > 0) yield;
  }
  let source: Int32Array = numbers;
  let target: Int32Array = new Int32Array(length);
  for (let run = RUN_LENGTH; run < length; run *= 2) {
    for (let from = 0; from < length; from += 2 * run) {
      const middle = Math.min(from + run, length);
      const end = Math.min(from + 2 * run, length);
      let [a, b] = [from, middle];
      for (let at = from; at < end; at++) {
        const takesA = b >= end ||
          (a < middle && compare(source[a]!, source[b]!) <= 0);
        target[at] = takesA ? source[a++]! : source[b++]!;
        if (at % 4096 === 4095) yield;
      }
    }
    [source, target] = [target, source];
  }
  return source;
}
