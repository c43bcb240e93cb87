/**
 * A set of numbers of tiles: bits, because they are counted from 0, and a batch
 * can have all of them.
 *
 * @module
 */

/** Bits of a number that are its place on its page. */
const PAGE_BITS = 12;
const PAGE_WORDS = (1 << PAGE_BITS) / 32;
/** Memory of a page: its bits, and about the same again for its objects. */
export const PAGE_BYTES = 1024;

/** Numbers from 0 to 2^24-1. */
export class TileNumbers {
  readonly #pages = new Map<number, Uint32Array>();

  /** The number of pages that have numbers. */
  get pages(): number {
    return this.#pages.size;
  }

  /** Adds a number. Returns false if the set has it already. */
  add(number: number): boolean {
    const at = number >>> PAGE_BITS;
    let page = this.#pages.get(at);
    if (page === undefined) {
      this.#pages.set(at, page = new Uint32Array(PAGE_WORDS));
    }
    const word = number >>> 5 & PAGE_WORDS - 1;
    const bit = 1 << (number & 31);
    if ((page[word]! & bit) !== 0) return false;
    page[word]! |= bit;
    return true;
  }
}
