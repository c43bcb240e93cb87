/**
 * Remembers what each tile contributed to each of its zones when it was last
 * counted: 16 bytes for each pair of a tile and a zone.
 *
 * @module
 */

import type { ZoneCounts } from "./zone_counts.ts";

const CHUNK_BITS = 12;
const CHUNK_LENGTH = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_LENGTH - 1;
/** Numbers of a record besides the sum: cells, occupied, stale, unknown. */
const FIELDS = 4;

/** Records in chunks of typed arrays that never move. */
interface Chunk {
  /** Up to 1024 each. */
  readonly counts: Uint16Array;
  readonly sums: Float64Array;
}

/** Counts by number, from 0. */
export class ShareCounts {
  readonly #chunks: Chunk[] = [];
  /** The first record of each tile plus 1; 0: it has none. */
  readonly #starts: (Uint32Array | undefined)[] = [];
  #length = 0;

  /**
   * Returns the first record of a tile; makes its records, all with counts of
   * 0, at the first call.
   *
   * @param tile its number
   * @param shares how many records it has, always the same
   */
  recordsOf(tile: number, shares: number): number {
    const starts = this.#starts[tile >>> CHUNK_BITS] ??= new Uint32Array(
      CHUNK_LENGTH,
    );
    const start = starts[tile & CHUNK_MASK]!;
    if (start !== 0) return start - 1;
    const record = this.#length;
    this.#length += shares;
    while (this.#chunks.length * CHUNK_LENGTH < this.#length) {
      this.#chunks.push({
        counts: new Uint16Array(CHUNK_LENGTH * FIELDS),
        sums: new Float64Array(CHUNK_LENGTH),
      });
    }
    starts[tile & CHUNK_MASK] = record + 1;
    return record;
  }

  /**
   * Replaces the counts of a record, and adds the difference to a total.
   *
   * @param record 0 or more
   * @param next its new counts
   * @param totals cells, occupied, stale, unknown and sum, from `at` on
   * @param at index of the first of the five
   * @returns false if nothing has changed
   */
  replace(
    record: number,
    next: ZoneCounts,
    totals: Float64Array,
    at: number,
  ): boolean {
    const { counts, sums } = this.#chunks[record >>> CHUNK_BITS]!;
    const index = record & CHUNK_MASK;
    const base = index * FIELDS;
    const cells = next.cells - counts[base]!;
    const occupied = next.occupied - counts[base + 1]!;
    const stale = next.stale - counts[base + 2]!;
    const unknown = next.unknown - counts[base + 3]!;
    const sum = next.sum - sums[index]!;
    if (
      cells === 0 && occupied === 0 && stale === 0 && unknown === 0 && sum === 0
    ) {
      return false;
    }
    counts[base] = next.cells;
    counts[base + 1] = next.occupied;
    counts[base + 2] = next.stale;
    counts[base + 3] = next.unknown;
    sums[index] = next.sum;
    totals[at]! += cells;
    totals[at + 1]! += occupied;
    totals[at + 2]! += stale;
    totals[at + 3]! += unknown;
    totals[at + 4]! += sum;
    return true;
  }
}
