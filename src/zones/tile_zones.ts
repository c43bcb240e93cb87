/**
 * Which zones have cells in a tile, and which cells these are: the interface
 * between the geometry of zones and their counts.
 *
 * @module
 */

import type { Zone } from "./zone.ts";

/**
 * Which cells of one tile belong to a zone: all of them, or a bit set of 32
 * words of 32 bits. Word `y & 31` holds a row, its bit `x & 31` (from the lowest
 * one) a cell: the cell with the key `k` of `keyOf` is bit `k & 31` of word
 * `k >> 5`.
 */
export type TileMask = "all" | Uint32Array;

/** The cells of one zone in one tile. */
export interface ZoneShare {
  /** The number of the zone: its place in the list that the index was made of. */
  readonly zone: number;
  /** Its cells in the tile, at least one. Must not be changed. */
  readonly mask: TileMask;
}

/** The zones of one layer, by tile. */
export interface TileZones {
  /**
   * Returns the zones that have cells in a tile.
   *
   * @param tx x tile coordinate: x >> 5 of its cells, -2^26 to 2^26-1
   * @param ty y tile coordinate
   * @returns each zone once; for one tile always the same zones in the same
   * order, because counts are kept by place in this list
   */
  at(tx: number, ty: number): readonly ZoneShare[];
}

/** Makes the {@linkcode TileZones} of the zones of one layer. */
export type TileZonesMaker = (zones: readonly Zone[]) => TileZones;
