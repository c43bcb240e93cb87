/**
 * Where an edge of a polygon crosses a row of cells, without rounding errors:
 * zones that share an edge share no cell and leave no gap, also where a vertex
 * of one lies within an edge of the other.
 *
 * A cell (x, y) has its centre at (x+0.5, y+0.5). An edge from (x1, y1) to
 * (x2, y2) crosses the row of a centre Y if `(y1 <= Y) != (y2 <= Y)`. A centre
 * X is right of the crossing if `X >= crossing`.
 *
 * @module
 */

/**
 * Crossings computed in float64 are off by less than this: coordinates within
 * ±2^31 lose less than 2^-17.
 */
const MAX_ROUNDING_ERROR = 2 ** -16;

/** Products below this are exact if they are multiples of a quarter. */
const EXACT_PRODUCTS = 2 ** 51;

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
 * @param x1 the lower end of the edge, within ±2^31, as all coordinates
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
  // x >= x1 + (x2 - x1) * (y - y1) / (y2 - y1)
  if (areHalves(x1, y1, x2, y2)) {
    const left = (x - x1) * (y2 - y1);
    const right = (x2 - x1) * (y - y1);
    if (Math.abs(left) < EXACT_PRODUCTS && Math.abs(right) < EXACT_PRODUCTS) {
      return left >= right;
    }
  }
  const values = [x1, y1, x2, y2, x, y].map(fractionOf);
  const bits = values.reduce((most, value) => Math.max(most, value.bits), 0);
  const [bx1, by1, bx2, by2, bx, by] = values.map((value) =>
    value.digits << BigInt(bits - value.bits)
  ) as [bigint, bigint, bigint, bigint, bigint, bigint];
  return (bx - bx1) * (by2 - by1) >= (bx2 - bx1) * (by - by1);
}

/** Returns true if all are multiples of 0.5, as corners and centres of cells. */
function areHalves(a: number, b: number, c: number, d: number): boolean {
  return Number.isInteger(2 * a) && Number.isInteger(2 * b) &&
    Number.isInteger(2 * c) && Number.isInteger(2 * d);
}

/** Returns a finite number as `digits / 2 ** bits`. */
function fractionOf(value: number): { digits: bigint; bits: number } {
  let bits = 0;
  for (; !Number.isInteger(value); value *= 2) bits++;
  return { digits: BigInt(value), bits };
}
