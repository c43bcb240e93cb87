/**
 * How much memory a map may use, and how much it needs.
 *
 * @module
 */

import { sizeClassFor } from "./cell_block.ts";
import { CELL_BYTES } from "./cell_slab.ts";
import { TILE_CELLS } from "./tiles.ts";
import type { MapShard } from "./map_shard.ts";

const MIB = 1024 * 1024;

/**
 * Memory of a cell that is alone in its tile, with its tile: the most that a
 * cell can need.
 */
export const LONE_CELL_BYTES = 96;

/** Memory of a cell in a full tile. */
export const DENSE_CELL_BYTES = 27;

/** Memory of a layer besides its cells and tiles, in bytes. */
export const LAYER_BYTES = 8 * 1024;

/**
 * Memory of a server with an empty map under load: program, messages, replies,
 * what the history writes next, and their garbage. The rest of the memory is for
 * the map.
 */
const SERVER_BYTES = 256 * MIB;

/** A map may use this much in any case, in bytes. */
const MIN_MAP_BYTES = 16 * MIB;

/** The most memory that one new cell can need: its block is doubled. */
export const MAX_GROWTH_BYTES: number = TILE_CELLS / 2 * CELL_BYTES;

/**
 * Returns the memory that a tile needs for one more cell, in bytes.
 *
 * @param cells the number of its cells before; 0: without a tile
 */
export function growthOf(cells: number): number {
  if (cells === 0) return LONE_CELL_BYTES;
  const slots = 1 << sizeClassFor(cells);
  return ((1 << sizeClassFor(cells + 1)) - slots) * CELL_BYTES;
}

/** How much memory a map may use, in bytes. */
export interface MapMemory {
  /**
   * A larger map gets no new cells. The same amount again is left for copies of
   * changed tiles during a checkpoint, and for the file cache of the store.
   */
  readonly growBytes: number;
  /** A larger map does not fit: a server does not start with it. */
  readonly maxBytes: number;
}

/**
 * Divides the memory of a server.
 *
 * @param memory the memory that the server may use, in bytes
 */
export function mapMemoryOf(memory: number): MapMemory {
  const available = memory - SERVER_BYTES;
  return {
    growBytes: Math.max(MIN_MAP_BYTES, Math.floor(available / 2)),
    maxBytes: Math.max(MIN_MAP_BYTES, Math.floor(available * 3 / 4)),
  };
}

/**
 * Returns the memory that a server needs to start with a map: the inverse of
 * {@linkcode mapMemoryOf}.
 *
 * @param mapBytes size of the map in memory
 */
export function neededMemory(mapBytes: number): number {
  return SERVER_BYTES + Math.ceil(mapBytes * 4 / 3);
}

/** Returns the memory that the cells and layers of a map use, in bytes. */
export function mapBytes(map: Pick<MapShard, "layers">): number {
  let bytes = 0;
  for (const [, grid] of map.layers()) bytes += grid.usedBytes + LAYER_BYTES;
  return bytes;
}

/**
 * Describes how many cells fit in a memory, for people.
 *
 * @param memory the memory of a server in bytes, and what limits it
 */
export function describeMapMemory(
  { bytes, by }: { readonly bytes: number; readonly by: string },
): string {
  const { growBytes } = mapMemoryOf(bytes);
  const mib = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;
  const cells = (each: number) =>
    Math.floor(growBytes / each).toLocaleString("en", {
      maximumSignificantDigits: 2,
    });
  const memory = by === "unknown"
    ? `the memory is unknown, ${mib(bytes)} are assumed`
    : `${mib(bytes)} of memory (${by})`;
  return `${memory}: the map may use ${mib(growBytes)}, for ${
    cells(LONE_CELL_BYTES)
  } scattered or ${cells(DENSE_CELL_BYTES)} adjoining cells`;
}
