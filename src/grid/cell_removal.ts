/**
 * Removes cells that have been unknown for long: finds them slice by slice, and
 * removes them from their tiles.
 *
 * @module
 */

import { metaFreshness, metaKey, sizeClassFor } from "./cell_block.ts";
import type { CellCounter } from "./cell_counter.ts";
import { type Ageing, Freshness, shownValue } from "./freshness.ts";
import type { TileMemory } from "./tile_memory.ts";
import type { TileSave } from "./tile_save.ts";
import { NO_TILE } from "./tile_table.ts";
import { keyOf, TILE_BITS, TILE_CELLS, xOf, yOf } from "./tiles.ts";

/** Coordinates as columns. The first `length` elements of each column count. */
export interface Coordinates {
  /** Number of coordinates. */
  readonly length: number;
  /** int32 */
  readonly x: Int32Array;
  /** int32 */
  readonly y: Int32Array;
}

/** The cells of a slice of a layer that have been unknown for long. */
export interface LongUnknown {
  /** Their coordinates, tile by tile. */
  readonly cells: Coordinates;
  /** The tile at which the next slice begins; undefined after the last one. */
  readonly next: number | undefined;
}

/** Maximum number of cells that a slice finds, so that it takes about 1 ms. */
const MAX_FOUND_CELLS = 4096;
/** Maximum number of slots that a slice reads, empty ones included. */
const MAX_READ_SLOTS = 1 << 17;

/**
 * Finds the cells of a slice of a layer that have been unknown for long: the
 * value was last reported as unknown, or was forgotten, at least that long ago.
 *
 * @param memory the layer
 * @param from the first tile of the slice
 * @param now the clock, ms since 1970
 * @param ageing the thresholds
 * @param removeAfter for how long a cell must have been unknown, ms
 */
export function findLongUnknown(
  { tiles, slab }: TileMemory,
  from: number,
  now: number,
  ageing: Ageing,
  removeAfter: number,
): LongUnknown {
  const x = new Int32Array(MAX_FOUND_CELLS);
  const y = new Int32Array(MAX_FOUND_CELLS);
  const forgottenAfter = ageing.forgetAfter + removeAfter;
  let length = 0;
  let slots = 0;
  let tile = from;
  for (; tile < tiles.length && slots < MAX_READ_SLOTS; tile++) {
    if (length + tiles.count(tile) > MAX_FOUND_CELLS) break;
    const block = tiles.block(tile);
    const { meta, value, time } = slab.chunkOf(block);
    const start = slab.offsetOf(block);
    const end = start + (1 << tiles.sizeClass(tile));
    slots += end - start;
    for (let slot = start; slot < end; slot++) {
      const found = meta[slot]!;
      if (found === 0) continue;
      if (value[slot]! < 0) {
        if (now <= time[slot]! + removeAfter) continue;
      } else if (
        metaFreshness(found) !== Freshness.Forgotten ||
        now <= time[slot]! + forgottenAfter
      ) continue;
      x[length] = xOf(tiles.tx(tile), metaKey(found));
      y[length++] = yOf(tiles.ty(tile), metaKey(found));
    }
  }
  return {
    cells: { length, x, y },
    next: tile < tiles.length ? tile : undefined,
  };
}

/** Marks the cells of a tile to remove; reused. */
const isRemoved = new Uint8Array(TILE_CELLS);

/**
 * Removes those of the cells that are shown as unknown. Blocks shrink to the
 * remaining cells; a tile without cells stays in the table with a block of one
 * slot, so that a save replaces its stored content.
 *
 * @param memory the layer
 * @param save marks the tiles that change
 * @param counter without the removed cells after the call
 * @param cells neighbours in order are fastest: one tile is rebuilt once
 * @param onChanged called with each tile that has lost a cell
 * @returns the number of removed cells
 */
export function removeUnknown(
  memory: TileMemory,
  save: TileSave,
  counter: CellCounter,
  { length, x, y }: Coordinates,
  onChanged: (tile: number) => void,
): number {
  const { tiles } = memory;
  let removed = 0;
  for (let i = 0; i < length;) {
    const tx = x[i]! >> TILE_BITS;
    const ty = y[i]! >> TILE_BITS;
    isRemoved.fill(0);
    for (; i < length && x[i]! >> TILE_BITS === tx; i++) {
      if (y[i]! >> TILE_BITS !== ty) break;
      isRemoved[keyOf(x[i]!, y[i]!)] = 1;
    }
    const tile = tiles.find(tx, ty);
    if (tile === NO_TILE) continue;
    const lost = removeFromTile(memory, save, counter, tile);
    if (lost === 0) continue;
    onChanged(tile);
    removed += lost;
  }
  return removed;
}

/** Removes the marked cells of a tile that are shown as unknown. */
function removeFromTile(
  memory: TileMemory,
  save: TileSave,
  counter: CellCounter,
  tile: number,
): number {
  const { tiles, slab, copies } = memory;
  copies.copyBeforeWrite(tile);
  const block = tiles.block(tile);
  const { meta, value } = slab.chunkOf(block);
  const start = slab.offsetOf(block);
  const end = start + (1 << tiles.sizeClass(tile));
  let removed = 0;
  for (let slot = start; slot < end; slot++) {
    const found = meta[slot]!;
    if (found === 0 || isRemoved[metaKey(found)] === 0) continue;
    const freshness = metaFreshness(found);
    if (shownValue(value[slot]!, freshness) >= 0) continue;
    counter.remove(value[slot]!, freshness);
    meta[slot] = 0;
    removed++;
  }
  if (removed === 0) return 0;
  tiles.addCount(tile, -removed);
  // The slots of a block are a hash table: they cannot be emptied in place.
  memory.resize(tile, sizeClassFor(tiles.count(tile)));
  save.markDirty(tile);
  return removed;
}
