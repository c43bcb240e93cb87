/**
 * The cells of one tile by status, as bit sets: for counts of parts of a tile.
 *
 * @module
 */

import { metaFreshness, metaKey } from "./cell_block.ts";
import { Freshness } from "./freshness.ts";
import type { TileMemory } from "./tile_memory.ts";
import { TILE_BITS, TILE_CELLS, TILE_SIDE } from "./tiles.ts";

const BIT_MASK = TILE_SIDE - 1;
/** No `meta` of a cell. */
const END = -1;

/**
 * Receives the cells of one tile; reusable. A bit set has a word for each row:
 * the cell with the key `k` (see `keyOf`) is bit `k & 31` of word `k >> 5`.
 */
export class TileStatus {
  /** The cells that the map has. */
  readonly present: Uint32Array = new Uint32Array(TILE_SIDE);
  /** Cells with a value below 0, and forgotten cells. */
  readonly unknown: Uint32Array = new Uint32Array(TILE_SIDE);
  /** Stale cells with a known value. */
  readonly stale: Uint32Array = new Uint32Array(TILE_SIDE);
  /** Known cells with a value above 0, fresh or stale. */
  readonly positive: Uint32Array = new Uint32Array(TILE_SIDE);
  /** The values of the positive cells by key; others are not defined. */
  readonly value: Int32Array = new Int32Array(TILE_CELLS);
  /** The times of the known cells by key, ms since 1970; as above. */
  readonly time: Float64Array = new Float64Array(TILE_CELLS);
}

/**
 * Reads the cells of a tile.
 *
 * @param withTimes false to leave `time` as it is
 */
export function readStatus(
  { tiles, slab }: TileMemory,
  tile: number,
  into: TileStatus,
  withTimes: boolean,
): void {
  const block = tiles.block(tile);
  const chunk = slab.chunkOf(block);
  const metas = chunk.meta;
  const values = chunk.value;
  const times = chunk.time;
  const start = slab.offsetOf(block);
  const end = start + (1 << tiles.sizeClass(tile));
  const present = into.present.fill(0);
  const unknown = into.unknown.fill(0);
  const stale = into.stale.fill(0);
  const positive = into.positive.fill(0);
  const value = into.value;
  const time = into.time;
  // The words of the present row: cells of full tiles are in order.
  let row = 0;
  let presentBits = 0, unknownBits = 0, staleBits = 0, positiveBits = 0;
  for (let slot = start; slot <= end; slot++) {
    const meta = slot < end ? metas[slot]! : END;
    if (meta === 0) continue;
    const key = metaKey(meta);
    if (key >> TILE_BITS !== row || meta === END) {
      present[row]! |= presentBits;
      unknown[row]! |= unknownBits;
      stale[row]! |= staleBits;
      positive[row]! |= positiveBits;
      presentBits =
        unknownBits =
        staleBits =
        positiveBits =
          0;
      row = key >> TILE_BITS;
    }
    if (meta === END) break;
    // Without branches: those on values would often be predicted wrongly.
    const shift = key & BIT_MASK;
    const found = values[slot]!;
    const freshness = metaFreshness(meta);
    const isUnknown = found >>> 31 | Number(freshness === Freshness.Forgotten);
    const isStale = Number(freshness === Freshness.Stale) & ~isUnknown;
    const isPositive = (0 - found) >>> 31 & ~isUnknown;
    presentBits |= 1 << shift;
    unknownBits |= isUnknown << shift;
    staleBits |= isStale << shift;
    positiveBits |= isPositive << shift;
    value[key] = found;
    if (withTimes) time[key] = times[slot]!;
  }
}
