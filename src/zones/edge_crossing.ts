/**
 * Where an edge of a polygon crosses a row of cells, without rounding errors:
 * zones that share an edge share no cell and leave no gap, also where a vertex
 * of one lies within an edge of the other.
 *
 * A cell (x, y) has its centre at (x+0.5, y+0.5). An edge from (x1, y1) to
 * (x2, y2) crosses the row of a centre Y if `(y1 <= Y) != (y2 <= Y)`. A centre
 * X is right of the crossing if `X >= crossing`.
 *
 * Coordinates are rounded to about a millionth of a cell, so that vertices that
 * a drawing tool made different in their last digits are the same, and so that
 * float64 holds all differences of coordinates.
 *
 * @module
 */

/** Steps of coordinates in a cell. Those within ±2^31 have 51 binary digits. */
const STEPS = 2 ** 20;

/**
 * Crossings computed in float64 are off by less than this: coordinates within
 * ±2^31 lose less than 2^-17.
 */
const MAX_ROUNDING_ERROR = 2 ** -16;

/** Cuts a float64 into two halves of its digits (Dekker, 1971). */
const SPLITTER = 2 ** 27 + 1;

/**
 * Rounds a coordinate of a polygon to a multiple of 2^-20.
 *
 * @param coordinate within ±2^31
 */
export function roundCoordinate(coordinate: number): number {
  return Math.round(coordinate * STEPS) / STEPS;
}

/**
 * Returns the first cell whose centre is at or after a coordinate: the smallest
 * integer c with `c + 0.5 >= coordinate`.
 *
 * @param coordinate a finite number within ±2^31
 * @returns an integer, from -2^31 to 2^31
 */
export function firstCellFrom(coordinate: number): number {
  // The sum below is exact; `Math.ceil(coordinate - 0.5)` would round.
  const cell = Math.floor(coordinate);
  return coordinate > cell + 0.5 ? cell + 1 : cell;
}

/**
 * Returns the first cell of a row whose centre is at or right of an edge.
 *
 * @param x1 the lower end of the edge; as all coordinates rounded by
 * {@linkcode roundCoordinate}, within ±2^31
 * @param y1 the lower end, `y1 <= y + 0.5`
 * @param x2 the upper end
 * @param y2 the upper end, `y2 > y + 0.5`
 * @param y the row, int32
 * @returns an integer, from -2^31 to 2^31
 */
export function firstCellRightOf(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  y: number,
): number {
  if (x1 === x2) return firstCellFrom(x1);
  const centreY = y + 0.5;
  const crossing = x1 + (x2 - x1) * ((centreY - y1) / (y2 - y1));
  const cell = Math.floor(crossing);
  const centreX = cell + 0.5;
  if (Math.abs(crossing - centreX) > MAX_ROUNDING_ERROR) {
    return crossing > centreX ? cell + 1 : cell;
  }
  return isAtOrRight(x1, y1, x2, y2, centreX, centreY) ? cell : cell + 1;
}

/**
 * Returns true if a point is on an edge or right of it, which is exact.
 *
 * @param y1 below `y2`
 */
function isAtOrRight(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  x: number,
  y: number,
): boolean {
  // x >= x1 + (x2 - x1) * (y - y1) / (y2 - y1). The differences are exact; the
  // products are rounded in the same direction, so only equal ones need more.
  const left = (x - x1) * (y2 - y1);
  const right = (x2 - x1) * (y - y1);
  if (left !== right) return left > right;
  return roundedOff(x - x1, y2 - y1, left) >=
    roundedOff(x2 - x1, y - y1, right);
}

/**
 * Returns what a product lost by rounding, which is exact (Dekker, 1971).
 *
 * @param product `a * b` in float64
 */
function roundedOff(a: number, b: number, product: number): number {
  const highA = a * SPLITTER - (a * SPLITTER - a);
  const highB = b * SPLITTER - (b * SPLITTER - b);
  const lowA = a - highA;
  const lowB = b - highB;
  return lowA * lowB -
    (product - highA * highB - lowA * highB - highA * lowB);
}
