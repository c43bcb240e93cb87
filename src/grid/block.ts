/**
 * A block of cells as a small hash table, from the key of a cell in its tile to its slot.
 *
 * Open addressing with linear probing. The largest block has a slot for every key and no
 * collisions: it is the plain dense array of a tile. All sizes share one code path.
 *
 * @module
 */

import { type CellChunk, type CellSlab, MAX_SIZE_CLASS } from "./cell_slab.ts";
import type { Freshness } from "./freshness.ts";

/** `meta` of a cell: the key in bits 0-9, 1 + freshness in bits 10-11; 0 is an empty slot. */
const KEY_BITS = 10;
const KEY_MASK = (1 << KEY_BITS) - 1;

/** Any odd number near 1024 / golden ratio spreads rows and columns of a tile over the slots. */
const MULTIPLIER = 633;

/** What a cell's `meta` is made of. */
export function metaOf(key: number, freshness: Freshness): number {
  return (freshness + 1) << KEY_BITS | key;
}

/** The key in a `meta`. */
export function metaKey(meta: number): number {
  return meta & KEY_MASK;
}

/** The freshness in a `meta` that is not 0. */
export function metaFreshness(meta: number): Freshness {
  return (meta >>> KEY_BITS) - 1 as Freshness;
}

/** Whether a number is the `meta` of a cell. */
export function isMeta(meta: number): boolean {
  return meta >>> KEY_BITS >= 1 && meta >>> KEY_BITS <= 3;
}

/**
 * How many cells a block takes before the tile needs a larger one: all its slots when it is tiny
 * (or dense), else three in four, to keep probes short.
 */
export function blockLimit(sizeClass: number): number {
  const slots = 1 << sizeClass;
  return sizeClass <= 2 || sizeClass === MAX_SIZE_CLASS
    ? slots
    : slots - (slots >>> 2);
}

/** The smallest size class whose blocks take `count` cells, 1 to 1024. */
export function sizeClassFor(count: number): number {
  let sizeClass = 0;
  while (blockLimit(sizeClass) < count) sizeClass++;
  return sizeClass;
}

/**
 * Looks a key up.
 *
 * @param meta the column of the chunk that holds the block
 * @param start the offset of the block in the chunk
 * @param sizeClass the block has 2^sizeClass slots
 * @param key 0 to 1023
 * @returns the offset in the chunk of the cell; if there is none, the complement (`~`) of the
 * offset of the slot to put it in, which is free unless the block is full
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
 * Moves the cells of a block to one of another size, and gives the old one back.
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
