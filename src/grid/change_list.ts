/**
 * Lists the tiles of a layer in the order of their last change. So the cost of
 * a delta depends on the number of changes, not on the size of the layer.
 *
 * @module
 */

import { NO_TILE, type TileTable } from "./tile_table.ts";

/** A doubly linked list; the links are fields of the tile records. */
export class ChangeList {
  readonly #tiles: TileTable;
  #newest = NO_TILE;
  #listedAfter = 0;

  /** Makes an empty list over these tiles. */
  constructor(tiles: TileTable) {
    this.#tiles = tiles;
  }

  /**
   * The tile that changed last, or `NO_TILE`. `TileTable.older` returns the
   * tile that changed before it.
   */
  get newest(): number {
    return this.#newest;
  }

  /**
   * The list has all tiles with a revision above this one: the newest revision
   * of restored tiles, which are not in the list.
   */
  get listedAfter(): number {
    return this.#listedAfter;
  }

  /** Call it when a tile is restored, with the newest revision of its cells. */
  addUnlisted(revision: number): void {
    this.#listedAfter = Math.max(this.#listedAfter, revision);
  }

  /** Moves a changed tile to the front; inserts it if it is not in the list. */
  moveToFront(tile: number): void {
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

  /** Counts the listed tiles with a revision above `since`, up to `limit`. */
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
