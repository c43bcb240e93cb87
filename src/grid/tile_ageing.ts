/**
 * Updates the freshness of the cells of a tile, and finds the tiles that need
 * it, slice by slice.
 *
 * @module
 */

import { metaFreshness, metaKey, metaOf } from "./cell_block.ts";
import type { CellCounter } from "./cell_counter.ts";
import type { Coordinates } from "./cell_removal.ts";
import { type Ageing, dueAt, freshnessAt } from "./freshness.ts";
import type { TileMemory } from "./tile_memory.ts";
import type { TileSave } from "./tile_save.ts";
import { GROUP_TILES, type TileTable } from "./tile_table.ts";

/** The tiles of a slice of a layer in which a cell may be due. */
export interface DueTiles {
  /** Their tile coordinates. */
  readonly tiles: Coordinates;
  /** The number of their slots, empty ones included. */
  readonly slots: number;
  /** The tile at which the next slice begins; undefined after the last one. */
  readonly next: number | undefined;
}

/** Maximum number of tiles of a slice: ageing them takes about a millisecond. */
export const MAX_DUE_TILES = 4096;
/** Maximum number of slots of these tiles, empty ones included. */
export const MAX_DUE_SLOTS: number = 1 << 15;
/** Maximum number of tiles that a slice looks at, most of them in groups. */
const MAX_READ_TILES = 1 << 20;

/** The tile coordinates of the slice; reused. */
const foundX = new Int32Array(MAX_DUE_TILES);
const foundY = new Int32Array(MAX_DUE_TILES);

/**
 * Finds the tiles of a slice of a layer in which a cell may be due.
 *
 * @param tiles the tiles of the layer
 * @param from the first tile of the slice
 * @param now the clock, ms since 1970
 * @param everything true to find all tiles
 */
export function findDueTiles(
  tiles: TileTable,
  from: number,
  now: number,
  everything: boolean,
): DueTiles {
  let length = 0;
  const end = Math.min(tiles.length, from + MAX_READ_TILES);
  let slots = 0;
  let tile = from;
  for (; tile < end; tile++) {
    const isGroup = tile % GROUP_TILES === 0;
    if (!everything && isGroup && !(now > tiles.groupDue(tile))) {
      tile += GROUP_TILES - 1;
      continue;
    }
    if (!everything && !(now > tiles.due(tile))) continue;
    const size = 1 << tiles.sizeClass(tile);
    if (length === MAX_DUE_TILES || slots + size > MAX_DUE_SLOTS) break;
    slots += size;
    foundX[length] = tiles.tx(tile);
    foundY[length++] = tiles.ty(tile);
  }
  return {
    tiles: { length, x: foundX.slice(0, length), y: foundY.slice(0, length) },
    slots,
    next: tile < tiles.length ? tile : undefined,
  };
}

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
