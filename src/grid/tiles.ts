/**
 * Tiles of 32 by 32 cells: which tiles a region touches, and where a cell is in
 * its tile.
 *
 * @module
 */
import {
  contains,
  INT32_MAX,
  INT32_MIN,
  type Region,
} from "../protocol/region.ts";

/** A tile covers 2^TILE_BITS by 2^TILE_BITS cells: 32 by 32. */
export const TILE_BITS = 5;

/** Cells of a row of a tile, and rows of a tile. */
export const TILE_SIDE = 1 << TILE_BITS;

/** The cells of one tile: 1024. */
export const TILE_CELLS = 1 << (2 * TILE_BITS);

const TILE_MASK = (1 << TILE_BITS) - 1;

/** Tile coordinates have 27 bits. */
const TX_FACTOR = 2 ** 27;
const TY_OFFSET = 2 ** 26;

/** Returns a number unique to the tile of a cell, within ±2^53. */
export function tileKeyOf(x: number, y: number): number {
  return (x >> TILE_BITS) * TX_FACTOR + ((y >> TILE_BITS) + TY_OFFSET);
}

/**
 * Cuts a region to the coordinates that cells can have.
 *
 * @param region any rectangle; infinite bounds are allowed
 * @returns the region within 32-bit signed integers
 * @throws {RangeError} if a bound is not a number, or `x0 > x1` or `y0 > y1`
 */
export function clipRegion({ x0, y0, x1, y1 }: Region): Region {
  if (!(x0 <= x1 && y0 <= y1)) {
    throw new RangeError(
      `Cannot use region [${x0},${y0},${x1},${y1}]: expected [x0,y0,x1,y1] with x0 <= x1, y0 <= y1`,
    );
  }
  return {
    x0: Math.max(Math.ceil(x0), INT32_MIN),
    y0: Math.max(Math.ceil(y0), INT32_MIN),
    x1: Math.min(Math.floor(x1), INT32_MAX),
    y1: Math.min(Math.floor(y1), INT32_MAX),
  };
}

/**
 * Returns the tiles that a region touches.
 *
 * @param region a rectangle within 32-bit signed integers, as
 * {@linkcode clipRegion} returns
 * @returns the rectangle of tile coordinates
 */
export function tileSpan(region: Region): Region {
  return {
    x0: region.x0 >> TILE_BITS,
    y0: region.y0 >> TILE_BITS,
    x1: region.x1 >> TILE_BITS,
    y1: region.y1 >> TILE_BITS,
  };
}

/** Returns the number of cells in a region, or of tiles in a span. */
export function area({ x0, y0, x1, y1 }: Region): number {
  return Math.max(0, x1 - x0 + 1) * Math.max(0, y1 - y0 + 1);
}

/** Returns true if a region contains a whole tile. */
export function holdsTile(region: Region, tx: number, ty: number): boolean {
  const last = (1 << TILE_BITS) - 1;
  const x = tx << TILE_BITS;
  const y = ty << TILE_BITS;
  return contains(region, x, y) && contains(region, x + last, y + last);
}

/** Returns the key of a cell in its tile, 0 to 1023, row by row. */
export function keyOf(x: number, y: number): number {
  return (y & TILE_MASK) << TILE_BITS | (x & TILE_MASK);
}

/**
 * Returns the x of the cell with a key in a tile: the inverse of
 * {@linkcode keyOf}.
 */
export function xOf(tx: number, key: number): number {
  return tx << TILE_BITS | (key & TILE_MASK);
}

/**
 * Returns the y of the cell with a key in a tile: the inverse of
 * {@linkcode keyOf}.
 */
export function yOf(ty: number, key: number): number {
  return ty << TILE_BITS | key >> TILE_BITS;
}
