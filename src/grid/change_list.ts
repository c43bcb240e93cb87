/**
 * The tiles of a layer in the order of their last change, so that "what changed since" costs what
 * changed.
 *
 * @module
 */

import { NO_TILE, type TileTable } from "./tile_table.ts";

/** A doubly linked list whose links are fields of the tile records. */
export class ChangeList {
  readonly #tiles: TileTable;
  #newest = NO_TILE;

  /** An empty list over these tiles. */
  constructor(tiles: TileTable) {
    this.#tiles = tiles;
  }

  /** The tile that changed last, or `NO_TILE`; go on with `TileTable.older`. */
  get newest(): number {
    return this.#newest;
  }

  /** Notes that a tile changed: it comes first from now on, whether it was listed or not. */
  touch(tile: number): void {
    const tiles = this.#tiles;
    const first = this.#newest;
    if (tile === first) return;
    const newer = tiles.newer(tile);
    const older = tiles.older(tile);
    if (newer !== NO_TILE) tiles.setOlder(newer, older);
    if (older !== NO_TILE) tiles.setNewer(older, newer);
    tiles.setNewer(tile, NO_TILE);
    tiles.setOlder(tile, first);
    if (first !== NO_TILE) tiles.setNewer(first, tile);
    this.#newest = tile;
  }

  /** How many listed tiles have a revision above `since`; counts no further than `limit`. */
  countSince(since: number, limit: number): number {
    let count = 0;
    let tile = this.#newest;
    while (
      count < limit && tile !== NO_TILE && this.#tiles.revision(tile) > since
    ) {
      count++;
      tile = this.#tiles.older(tile);
    }
    return count;
  }
}
