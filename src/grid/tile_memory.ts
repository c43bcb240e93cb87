/**
 * The memory of one layer: tiles as records in a table, cells as blocks in a
 * slab.
 *
 * @module
 */

import { findSlot, metaKey, resizeBlock, sizeClassFor } from "./cell_block.ts";
import { CellSlab } from "./cell_slab.ts";
import { CopyOnWrite } from "./frozen_tiles.ts";
import type { TileColumns } from "./tile_codec.ts";
import { TileCopies } from "./tile_copies.ts";
import { TileTable } from "./tile_table.ts";

/** The table of tiles together with the slab of cells. */
export class TileMemory {
  /** The records of the tiles. */
  readonly tiles: TileTable = new TileTable();
  /** The cells of the tiles. */
  readonly slab: CellSlab = new CellSlab();

  /** Copies tiles before they change, for those who still read them. */
  readonly copies: CopyOnWrite;

  /** Increased before each write. A reader fails if it has changed. */
  writes = 0;

  /** @param copies the memory for copies; other layers may use it too */
  constructor(copies: TileCopies = new TileCopies()) {
    this.copies = new CopyOnWrite(this, copies);
  }

  /** Memory of tiles and cells, in bytes. */
  get bytes(): number {
    return this.tiles.bytes + this.slab.bytes;
  }

  /**
   * Creates a tile with an empty block. The coordinates must be free.
   *
   * @returns the number of the tile
   */
  add(tx: number, ty: number, sizeClass: number): number {
    const block = this.slab.allocate(sizeClass);
    const tile = this.tiles.add(tx, ty);
    this.tiles.setBlock(tile, block, sizeClass);
    return tile;
  }

  /** Doubles the block of a tile. */
  grow(tile: number): void {
    this.resize(tile, this.tiles.sizeClass(tile) + 1);
  }

  /** Moves the cells of a tile to a new block with room for them. */
  resize(tile: number, sizeClass: number): void {
    const { tiles, slab } = this;
    const old = tiles.block(tile);
    const block = resizeBlock(slab, old, tiles.sizeClass(tile), sizeClass);
    tiles.setBlock(tile, block, sizeClass);
  }

  /** Copies the cells of a tile into columns. */
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
   * Creates a tile with cells. The coordinates must be free, and the keys must
   * differ.
   *
   * @returns the number of the tile
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
