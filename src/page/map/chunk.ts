/**
 * The levels of 256 × 256 cells, from which one bitmap is painted.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";

/** Width and height of a chunk in cells, as a power of two. */
export const CHUNK_BITS = 8;
/** Width and height of a chunk in cells. */
export const CHUNK_CELLS: number = 1 << CHUNK_BITS;

/** Where the levels of each mip begin: 256², 128², … 1². */
const MIP_OFFSETS = Array.from({ length: CHUNK_BITS + 1 }, (_, mip) => {
  let offset = 0;
  for (let below = 0; below < mip; below++) {
    offset += (CHUNK_CELLS >> below) ** 2;
  }
  return offset;
});
const CHUNK_BYTES = MIP_OFFSETS[CHUNK_BITS]! + 1;

/** Half of the range of chunk coordinates: int32 cells make ±2²³ chunks. */
const HALF_RANGE = 2 ** (31 - CHUNK_BITS);

/** A number that identifies a chunk. */
export function chunkKey(cx: number, cy: number): number {
  return (cx + HALF_RANGE) * 2 * HALF_RANGE + cy + HALF_RANGE;
}

/**
 * The levels of a chunk's cells (mip 0), and of blocks of 2 × 2, 4 × 4 … cells
 * (mips 1 to 8). A block has the highest level of its cells, so that an
 * occupied cell is visible at every scale.
 */
export class Chunk {
  /** Chunk coordinates: those of the first cell divided by 256. */
  readonly cx: number;
  readonly cy: number;
  readonly #levels = new Uint8Array(CHUNK_BYTES);
  /** The cells that changed since {@linkcode markClean}; none if x1 < x0. */
  readonly dirty = { x0: 0, y0: 0, x1: CHUNK_CELLS - 1, y1: CHUNK_CELLS - 1 };

  constructor(cx: number, cy: number) {
    this.cx = cx;
    this.cy = cy;
  }

  /** The levels of a mip, row by row, `256 >> mip` wide. */
  mip(mip: number): Uint8Array {
    const offset = MIP_OFFSETS[mip]!;
    return this.#levels.subarray(offset, offset + (CHUNK_CELLS >> mip) ** 2);
  }

  /**
   * Returns the level of a cell.
   *
   * @param x within the chunk, 0 to 255
   * @param y within the chunk, 0 to 255
   */
  get(x: number, y: number): number {
    return this.#levels[y << CHUNK_BITS | x]!;
  }

  /**
   * Sets the level of a cell, and marks the cell dirty if it changed.
   *
   * @param x within the chunk, 0 to 255
   * @param y within the chunk, 0 to 255
   * @returns whether the level changed
   */
  set(x: number, y: number, level: number): boolean {
    const levels = this.#levels;
    const at = y << CHUNK_BITS | x;
    if (levels[at] === level) return false;
    levels[at] = level;
    this.#markDirty(x, y);
    for (let mip = 1; mip <= CHUNK_BITS; mip++) {
      const bits = CHUNK_BITS - mip;
      const widthBelow = 2 << bits;
      const first = MIP_OFFSETS[mip - 1]! + ((y >> mip) << bits + 2) +
        ((x >> mip) << 1);
      const highest = Math.max(
        levels[first]!,
        levels[first + 1]!,
        levels[first + widthBelow]!,
        levels[first + widthBelow + 1]!,
      );
      const to = MIP_OFFSETS[mip]! + ((y >> mip) << bits) + (x >> mip);
      if (levels[to] === highest) break;
      levels[to] = highest;
    }
    return true;
  }

  /**
   * Whether a cell of a part of the chunk was reported, 0 to 255, both corners
   * included. The part may be empty: x1 < x0 or y1 < y0.
   */
  hasCellIn({ x0, y0, x1, y1 }: Region): boolean {
    if (x1 < x0 || y1 < y0) return false;
    const isWhole = x0 === 0 && y0 === 0 && x1 === CHUNK_CELLS - 1 &&
      y1 === CHUNK_CELLS - 1;
    if (isWhole) return this.mip(CHUNK_BITS)[0]! > 0;
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        if (this.get(x, y) > 0) return true;
      }
    }
    return false;
  }

  /** Marks all cells as painted. */
  markClean(): void {
    const { dirty } = this;
    dirty.x0 = dirty.y0 = CHUNK_CELLS;
    dirty.x1 = dirty.y1 = -1;
  }

  #markDirty(x: number, y: number): void {
    const { dirty } = this;
    if (x < dirty.x0) dirty.x0 = x;
    if (x > dirty.x1) dirty.x1 = x;
    if (y < dirty.y0) dirty.y0 = y;
    if (y > dirty.y1) dirty.y1 = y;
  }
}
