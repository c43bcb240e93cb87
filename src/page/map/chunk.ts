/**
 * The map as levels, in squares of 256 × 256 cells: what the bitmaps are made of.
 *
 * @module
 */

/** Cells that a chunk is wide and high, as a power of two. */
export const CHUNK_BITS = 8;
/** Cells that a chunk is wide and high. */
export const CHUNK: number = 1 << CHUNK_BITS;

/** Where the levels of each mip begin: 256², 128², … 1². */
const OFFSETS = Array.from({ length: CHUNK_BITS + 1 }, (_, mip) => {
  let offset = 0;
  for (let one = 0; one < mip; one++) offset += (CHUNK >> one) ** 2;
  return offset;
});
const BYTES = OFFSETS[CHUNK_BITS]! + 1;

/** Half of all chunk coordinates: int32 cells make ±2²³ of them. */
const HALF = 2 ** (31 - CHUNK_BITS);

/** A number that no other chunk has. */
export function chunkKey(cx: number, cy: number): number {
  return (cx + HALF) * 2 * HALF + cy + HALF;
}

/**
 * The levels of a chunk's cells, and of each 2 × 2, 4 × 4 … of them (mips): the
 * greatest, so that an occupied cell is never lost however far out one zooms.
 */
export class Chunk {
  /** Chunk coordinates: the first cell is at 256 times these. */
  readonly cx: number;
  readonly cy: number;
  readonly #levels = new Uint8Array(BYTES);
  /** The cells that changed since {@linkcode Chunk.clean}; none when x1 < x0. */
  readonly dirty = { x0: 0, y0: 0, x1: CHUNK - 1, y1: CHUNK - 1 };

  constructor(cx: number, cy: number) {
    this.cx = cx;
    this.cy = cy;
  }

  /** The levels of a mip, row by row, `256 >> mip` wide; mip 0 is the cells. */
  mip(mip: number): Uint8Array {
    const offset = OFFSETS[mip]!;
    return this.#levels.subarray(offset, offset + (CHUNK >> mip) ** 2);
  }

  /** The level of a cell. @param x @param y within the chunk, 0 to 255 */
  get(x: number, y: number): number {
    return this.#levels[y << CHUNK_BITS | x]!;
  }

  /**
   * Sets the level of a cell and marks it dirty if it changed.
   *
   * @param x @param y within the chunk, 0 to 255
   * @returns whether it changed
   */
  set(x: number, y: number, level: number): boolean {
    const levels = this.#levels;
    const at = y << CHUNK_BITS | x;
    if (levels[at] === level) return false;
    levels[at] = level;
    this.#mark(x, y);
    for (let mip = 1; mip <= CHUNK_BITS; mip++) {
      const below = OFFSETS[mip - 1]!;
      const bits = CHUNK_BITS - mip;
      const row = below + ((y >> mip) << bits + 2) + ((x >> mip) << 1);
      const wide = 2 << bits;
      const greatest = Math.max(
        levels[row]!,
        levels[row + 1]!,
        levels[row + wide]!,
        levels[row + wide + 1]!,
      );
      const to = OFFSETS[mip]! + ((y >> mip) << bits) + (x >> mip);
      if (levels[to] === greatest) break;
      levels[to] = greatest;
    }
    return true;
  }

  /** Says that all that changed has been painted. */
  clean(): void {
    const { dirty } = this;
    dirty.x0 = dirty.y0 = CHUNK;
    dirty.x1 = dirty.y1 = -1;
  }

  #mark(x: number, y: number): void {
    const { dirty } = this;
    if (x < dirty.x0) dirty.x0 = x;
    if (x > dirty.x1) dirty.x1 = x;
    if (y < dirty.y0) dirty.y0 = y;
    if (y > dirty.y1) dirty.y1 = y;
  }
}
