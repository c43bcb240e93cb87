/**
 * The cells of a layer in the order in which their coordinates were first seen, which is the order
 * of replies on the original wire.
 *
 * @module
 */

import { metaFreshness, metaKey } from "./block.ts";
import type { CellVisitor } from "./cell.ts";
import { UNKNOWN } from "./cell_reader.ts";
import { Freshness } from "./freshness.ts";
import { xOf, yOf } from "./tiles.ts";
import type { TileStore } from "./tile_store.ts";

/**
 * Visits all cells in first-seen order.
 *
 * Each cell knows its rank, so this finds all cells, and then visits them by rank.
 *
 * @param store the layer
 * @param size how many cells it has
 * @param visit is given each cell
 */
export function scanInOrder(
  { tiles, slab }: TileStore,
  size: number,
  visit: CellVisitor,
): void {
  const orders = new Uint32Array(size);
  const addresses = new Uint32Array(size);
  const owners = new Int32Array(size);
  let found = 0;
  for (let tile = 0; tile < tiles.length; tile++) {
    const block = tiles.block(tile);
    const { meta, order } = slab.chunkOf(block);
    const start = slab.offsetOf(block);
    for (let i = 0; i < 1 << tiles.sizeClass(tile); i++) {
      if (meta[start + i] === 0) continue;
      orders[found] = order[start + i]!;
      addresses[found] = block + i;
      owners[found++] = tile;
    }
  }
  for (const index of sortedIndices(orders)) {
    const tile = owners[index]!;
    const chunk = slab.chunkOf(addresses[index]!);
    const slot = slab.offsetOf(addresses[index]!);
    const key = metaKey(chunk.meta[slot]!);
    const freshness = metaFreshness(chunk.meta[slot]!);
    visit(
      xOf(tiles.tx(tile), key),
      yOf(tiles.ty(tile), key),
      freshness === Freshness.Forgotten ? UNKNOWN : chunk.value[slot]!,
      chunk.time[slot]!,
      chunk.revision[slot]!,
      freshness,
    );
  }
}

/** The permutation that sorts the orders. */
function sortedIndices(orders: Uint32Array): Uint32Array {
  const none = 0xffff_ffff;
  const sequence = new Uint32Array(orders.length).fill(none);
  for (let i = 0; i < orders.length; i++) sequence[orders[i]!] = i;
  // The orders are 0, 1, 2... unless only some tiles of a layer were restored.
  if (!sequence.includes(none)) return sequence;
  return sequence.map((_, i) => i).sort((a, b) => orders[a]! - orders[b]!);
}
