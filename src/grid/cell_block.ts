/**
 * A block of cells: a small hash table from the key of a cell in its tile to
 * its slot. Open addressing with linear probing. The largest block has one slot
 * for every key and no collisions: it is the dense array of a tile. All sizes
 * share one code path.
 *
 * @module
 */

import { type CellChunk, type CellSlab, MAX_SIZE_CLASS } from "./cell_slab.ts";
import type { Freshness } from "./freshness.ts";

/**
 * `meta` of a cell: the key in bits 0-9, 1 + freshness in bits 10-11; 0 is an
 * empty slot.
 */
const KEY_BITS = 10;
const KEY_MASK = (1 << KEY_BITS) - 1;

/**
 * Any odd number near 1024 / golden ratio spreads rows and columns of a tile
 * over the slots.
 */
const MULTIPLIER = 633;

/** Makes a cell's `meta` of its key and freshness. */
export function metaOf(key: number, freshness: Freshness): number {
  return (freshness + 1) << KEY_BITS | key;
}

/** Returns the key in a `meta`. */
export function metaKey(meta: number): number {
  return meta & KEY_MASK;
}

/** Returns the freshness in a `meta`, which is not 0. */
export function metaFreshness(meta: number): Freshness {
  return (meta >>> KEY_BITS) - 1 as Freshness;
}

/** Returns true if a number is the `meta` of a cell. */
export function isMeta(meta: number): boolean {
  return meta >>> KEY_BITS >= 1 && meta >>> KEY_BITS <= 3;
}

/**
 * The maximum number of cells in a block: all slots if it is tiny or dense,
 * else three in four, to keep probes short.
 */
export function blockLimit(sizeClass: number): number {
  const slots = 1 << sizeClass;
  return sizeClass <= 2 || sizeClass === MAX_SIZE_CLASS
    ? slots
    : slots - (slots >>> 2);
}

/** The smallest size class for `count` cells, 1 to 1024. */
export function sizeClassFor(count: number): number {
  let sizeClass = 0;
  while (blockLimit(sizeClass) < count) sizeClass++;
  return sizeClass;
}

/**
 * Finds the slot of a key.
 *
 * @param meta the column of the chunk that holds the block
 * @param start the offset of the block in the chunk
 * @param sizeClass the block has 2^sizeClass slots
 * @param key 0 to 1023
 * @returns the offset of the cell in the chunk; if there is no such cell, the
 * complement (`~`) of the offset at which to insert it, which is free unless
 * the block is full
 */
export function findSlot(
  meta: Uint16Array,
  start: number,
  sizeClass: number,
  key: number,
): number {
  const mask = (1 << sizeClass) - 1;
  let slot = sizeClass === MAX_SIZE_CLASS
    ? key
    : (key * MULTIPLIER & KEY_MASK) >>> (KEY_BITS - sizeClass);
  for (let probes = 0; probes <= mask; probes++) {
    const found = meta[start + slot]!;
    if (found === 0) return ~(start + slot);
    if ((found & KEY_MASK) === key) return start + slot;
    slot = (slot + 1) & mask;
  }
  return ~(start + slot);
}

/**
 * Moves the cells of a block to a new one of another size, and frees the old
 * one.
 *
 * @returns the address of the new block
 */
export function resizeBlock(
  slab: CellSlab,
  address: number,
  sizeClass: number,
  newSizeClass: number,
): number {
  const target = slab.allocate(newSizeClass);
  const from: CellChunk = slab.chunkOf(address);
  const to: CellChunk = slab.chunkOf(target);
  const start = slab.offsetOf(address);
  const newStart = slab.offsetOf(target);
  for (let slot = start; slot < start + (1 << sizeClass); slot++) {
    const meta = from.meta[slot]!;
    if (meta === 0) continue;
    const free = ~findSlot(to.meta, newStart, newSizeClass, metaKey(meta));
    to.copyCell(free, from, slot);
  }
  slab.release(address, sizeClass);
  return target;
}
