/**
 * Updates the freshness of the cells of a tile.
 *
 * @module
 */

import { metaFreshness, metaKey, metaOf } from "./cell_block.ts";
import type { CellCounter } from "./cell_counter.ts";
import { type Ageing, dueAt, freshnessAt } from "./freshness.ts";
import type { TileMemory } from "./tile_memory.ts";
import type { TileSave } from "./tile_save.ts";

/**
 * Updates the freshness of the cells of a tile, and `due` of the tile.
 *
 * @param memory the layer
 * @param save marks the tile if it changes
 * @param counter updated for each cell that changes
 * @param tile the tile
 * @param now the clock, ms since 1970
 * @param revision for changed cells
 * @param ageing the thresholds
 * @returns the number of cells that changed
 */
export function ageTile(
  { tiles, slab, copies }: TileMemory,
  save: TileSave,
  counter: CellCounter,
  tile: number,
  now: number,
  revision: number,
  ageing: Ageing,
): number {
  copies.copyBeforeWrite(tile);
  const block = tiles.block(tile);
  const chunk = slab.chunkOf(block);
  const start = slab.offsetOf(block);
  const end = start + (1 << tiles.sizeClass(tile));
  let changed = 0;
  let isDirty = false;
  let due = Infinity;
  for (let slot = start; slot < end; slot++) {
    const meta = chunk.meta[slot]!;
    if (meta === 0) continue;
    const time = chunk.time[slot]!;
    const before = metaFreshness(meta);
    const after = freshnessAt(time, now, ageing);
    due = Math.min(due, dueAt(time, after, ageing));
    if (after === before) continue;
    chunk.meta[slot] = metaOf(metaKey(meta), after);
    const value = chunk.value[slot]!;
    isDirty = true;
    if (value < 0) continue; // unknown before and after
    chunk.revision[slot] = revision;
    counter.remove(value, before);
    counter.add(value, after);
    changed++;
  }
  tiles.setDue(tile, due);
  if (isDirty) save.markDirty(tile);
  return changed;
}
