/**
 * Counts the cells of a zone: those whose centre is inside of it.
 *
 * @module
 */

import {
  firstCellFrom,
  firstCellRightOf,
  roundCoordinate,
} from "../../../zones/edge_crossing.ts";
import type { Polygon } from "../../../zones/zone.ts";

/** Crossings of rows and edges that are counted; about 10 ms. */
const MAX_CROSSINGS = 100_000;

/** An edge that crosses rows, from its lower end to its upper end. */
interface Edge {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** The first row that it crosses, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/**
 * Counts the cells of polygons by the rule of `src/zones`: even-odd, with the
 * edges as in `edge_crossing.ts`.
 *
 * @returns undefined if counting would take long
 */
export function countCells(polygons: readonly Polygon[]): number | undefined {
  // A cell in two polygons of a zone counts once.
  if (polygons.length > 1) {
    const counts = polygons.map((polygon) => countCells([polygon]));
    return counts.every((count) => count !== undefined) && areApart(polygons)
      ? counts.reduce((sum, count) => sum + count!, 0)
      : undefined;
  }
  const edges = polygons.flatMap((rings) => rings.flatMap(edgesOf));
  // Vertical edges at the same rows, such as of a rectangle: one row is enough.
  const rows = [...new Set(edges.flatMap(({ from, to }) => [from, to]))]
    .sort((a, b) => a - b);
  let count = 0;
  let work = 0;
  for (let i = 1; i < rows.length; i++) {
    const [first, end] = [rows[i - 1]!, rows[i]!];
    const here = edges.filter(({ from, to }) => from <= first && to >= end);
    const isStraight = here.every(({ x1, x2 }) => x1 === x2);
    const step = isStraight ? end - first : 1;
    for (let row = first; row < end; row += step) {
      work += here.length + 1;
      if (work > MAX_CROSSINGS) return undefined;
      count += step * cellsOfRow(here, row);
    }
    work += edges.length / 16;
  }
  return count;
}

function edgesOf(ring: Polygon[0]): Edge[] {
  const edges: Edge[] = [];
  for (let i = 1; i < ring.length; i++) {
    const [ax, ay] = ring[i - 1]!.map(roundCoordinate) as [number, number];
    const [bx, by] = ring[i]!.map(roundCoordinate) as [number, number];
    const [x1, y1, x2, y2] = ay < by ? [ax, ay, bx, by] : [bx, by, ax, ay];
    const [from, to] = [firstCellFrom(y1), firstCellFrom(y2)];
    if (from < to) edges.push({ x1, y1, x2, y2, from, to });
  }
  return edges;
}

function cellsOfRow(edges: readonly Edge[], row: number): number {
  const crossings = edges
    .map(({ x1, y1, x2, y2 }) => firstCellRightOf(x1, y1, x2, y2, row))
    .sort((a, b) => a - b);
  let count = 0;
  for (let i = 1; i < crossings.length; i += 2) {
    count += crossings[i]! - crossings[i - 1]!;
  }
  return count;
}

/** Whether the bounds of polygons do not overlap. */
function areApart(polygons: readonly Polygon[]): boolean {
  const boxes = polygons.map(([outer]) => ({
    x0: Math.min(...outer!.map(([x]) => x)),
    y0: Math.min(...outer!.map(([, y]) => y)),
    x1: Math.max(...outer!.map(([x]) => x)),
    y1: Math.max(...outer!.map(([, y]) => y)),
  }));
  return boxes.every((a, i) =>
    boxes.slice(i + 1).every((b) =>
      a.x1 <= b.x0 || b.x1 <= a.x0 || a.y1 <= b.y0 || b.y1 <= a.y0
    )
  );
}
