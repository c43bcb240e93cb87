/**
 * A set of tiles of a layer, with one bit for each tile.
 *
 * @module
 */

import { NO_TILE } from "./tile_table.ts";

/** Shared by all empty sets. */
const NO_WORDS = new Int32Array(0);

/** A set of tile numbers, which can be read in ascending order. */
export class TileBits {
  #words = NO_WORDS;
  #size = 0;

  /** Number of tiles in the set. */
  get size(): number {
    return this.#size;
  }

  /** Memory of the set, in bytes. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Returns true if a tile is in the set. */
  has(tile: number): boolean {
    const word = tile >>> 5;
    return word < this.#words.length &&
      (this.#words[word]! >>> (tile & 31) & 1) === 1;
  }

  /** Adds a tile. */
  add(tile: number): void {
    const word = tile >>> 5;
    if (word >= this.#words.length) this.#reserve(word + 1);
    const before = this.#words[word]!;
    const after = before | 1 << (tile & 31);
    if (after === before) return;
    this.#words[word] = after;
    this.#size++;
  }

  /** Adds all tiles of another set, 32 at once. */
  addAll(other: TileBits): void {
    const words = other.#words;
    if (words.length > this.#words.length) this.#reserve(words.length);
    for (let i = 0; i < words.length; i++) {
      const before = this.#words[i]!;
      const added = words[i]! & ~before;
      if (added === 0) continue;
      this.#words[i] = before | added;
      this.#size += bitCount(added);
    }
  }

  /**
   * Returns the first tile of the set that is not below a number, or
   * {@linkcode NO_TILE}.
   */
  next(from: number): number {
    const words = this.#words;
    let word = from >>> 5;
    if (word >= words.length) return NO_TILE;
    let bits = words[word]! & -1 << (from & 31);
    while (bits === 0) {
      if (++word === words.length) return NO_TILE;
      bits = words[word]!;
    }
    return word * 32 + 31 - Math.clz32(bits & -bits);
  }

  #reserve(words: number): void {
    const larger = new Int32Array(Math.max(words, 2 * this.#words.length));
    larger.set(this.#words);
    this.#words = larger;
  }
}

/** Returns the number of bits that are 1, of 32. */
function bitCount(bits: number): number {
  let count = 0;
  for (; bits !== 0; bits &= bits - 1) count++;
  return count;
}
