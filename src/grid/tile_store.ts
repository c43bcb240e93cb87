/**
 * The tiles of a layer with their cells: records in a table, blocks in a slab.
 *
 * @module
 */

import { findSlot, metaKey, resizeBlock, sizeClassFor } from "./block.ts";
import { CellSlab } from "./cell_slab.ts";
import type { TileColumns } from "./tile_codec.ts";
import { TileTable } from "./tile_table.ts";

/** Keeps the table of tiles and the slab of cells together. */
export class TileStore {
  /** The records of the tiles. */
  readonly tiles: TileTable = new TileTable();
  /** Their cells. */
  readonly slab: CellSlab = new CellSlab();

  /** Raised before anything is written: readers that began before are no longer valid. */
  writes = 0;

  /** Memory of both, bytes. */
  get bytes(): number {
    return this.tiles.bytes + this.slab.bytes;
  }

  /**
   * Makes a tile that is not there yet, with an empty block.
   *
   * @returns its number
   */
  add(tx: number, ty: number, sizeClass: number): number {
    const block = this.slab.allocate(sizeClass);
    const tile = this.tiles.add(tx, ty);
    this.tiles.setBlock(tile, block, sizeClass);
    return tile;
  }

  /** Gives a tile a block of twice the size. */
  grow(tile: number): void {
    const { tiles, slab } = this;
    const sizeClass = tiles.sizeClass(tile);
    const block = resizeBlock(
      slab,
      tiles.block(tile),
      sizeClass,
      sizeClass + 1,
    );
    tiles.setBlock(tile, block, sizeClass + 1);
  }

  /** Copies the cells of a tile out. */
  read(tile: number, columns: TileColumns): void {
    const { tiles, slab } = this;
    const block = tiles.block(tile);
    const { meta, value, order, time, revision } = slab.chunkOf(block);
    const start = slab.offsetOf(block);
    const end = start + (1 << tiles.sizeClass(tile));
    let count = 0;
    for (let slot = start; slot < end; slot++) {
      if (meta[slot] === 0) continue;
      columns.meta[count] = meta[slot]!;
      columns.value[count] = value[slot]!;
      columns.order[count] = order[slot]!;
      columns.time[count] = time[slot]!;
      columns.revision[count] = revision[slot]!;
      count++;
    }
    columns.tx = tiles.tx(tile);
    columns.ty = tiles.ty(tile);
    columns.count = count;
  }

  /**
   * Makes a tile that is not there yet, with these cells; their keys must differ.
   *
   * @returns its number
   */
  addWith(columns: TileColumns): number {
    const { tiles, slab } = this;
    const { tx, ty, count } = columns;
    const sizeClass = sizeClassFor(count);
    const tile = this.add(tx, ty, sizeClass);
    const block = tiles.block(tile);
    const { meta, value, order, time, revision } = slab.chunkOf(block);
    const start = slab.offsetOf(block);
    for (let i = 0; i < count; i++) {
      const key = metaKey(columns.meta[i]!);
      const slot = ~findSlot(meta, start, sizeClass, key);
      meta[slot] = columns.meta[i]!;
      value[slot] = columns.value[i]!;
      order[slot] = columns.order[i]!;
      time[slot] = columns.time[i]!;
      revision[slot] = columns.revision[i]!;
    }
    tiles.addCount(tile, count);
    return tile;
  }
}
