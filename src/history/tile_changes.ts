/**
 * Changes of the cells of one tile, in columns.
 *
 * @module
 */

import { TILE_CELLS } from "../grid/tiles.ts";

const FIRST_CAPACITY = 64;
/** Up to this length, sorting by insertion is faster than by counting. */
const INSERTION_LENGTH = 24;
/** Bits of a second that one pass of the sort handles. */
const PASS_BITS = 12;
/** Longer working memory is not kept for the next sort. */
const KEPT_LENGTH = 2 ** 18;

const buckets = new Uint32Array(Math.max(TILE_CELLS, 1 << PASS_BITS));
/** Of each row, the number that a pass of the sort sorts by. */
let digits = new Uint16Array(0);

/**
 * A list of changes. A change says that a cell of the tile has a state from a
 * second on: a value, and whether it is stale.
 */
export class TileChanges {
  /** Number of changes; the columns have more room. */
  length = 0;
  /** The keys of the cells, 0 to 1023, see `keyOf`. */
  key: Uint16Array<ArrayBuffer>;
  /** Seconds since 1970. */
  second: Uint32Array<ArrayBuffer>;
  /** The values as shown: int32, below 0 unknown. */
  value: Int32Array<ArrayBuffer>;
  /** 1 if the value is too old to be trusted, otherwise 0; 0 if unknown. */
  stale: Uint8Array<ArrayBuffer>;

  /** @param capacity number of changes to make room for */
  constructor(capacity: number = FIRST_CAPACITY) {
    this.key = new Uint16Array(capacity);
    this.second = new Uint32Array(capacity);
    this.value = new Int32Array(capacity);
    this.stale = new Uint8Array(capacity);
  }

  /** Removes all changes; keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for more changes. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.key.length) return;
    const { key, second, value, stale } = this;
    const capacity = Math.max(needed, 2 * key.length, FIRST_CAPACITY);
    this.key = new Uint16Array(capacity);
    this.second = new Uint32Array(capacity);
    this.value = new Int32Array(capacity);
    this.stale = new Uint8Array(capacity);
    this.key.set(key);
    this.second.set(second);
    this.value.set(value);
    this.stale.set(stale);
  }

  /**
   * Appends a change.
   *
   * @param key of the cell, 0 to 1023
   * @param second seconds since 1970, 0 to 2^32-1
   * @param value int32, below 0 unknown
   * @param stale 1 or 0; ignored for an unknown cell
   */
  push(key: number, second: number, value: number, stale: number): void {
    const at = this.length;
    if (at === this.key.length) this.reserve(1);
    this.key[at] = key;
    this.second[at] = second;
    this.value[at] = value;
    this.stale[at] = value < 0 ? 0 : stale;
    this.length = at + 1;
  }

  /**
   * Sorts by key, then by second, and removes changes without effect: of those
   * of one cell in one second only the last that was pushed stays, and a change
   * to the state of the change before it of the same cell is removed.
   */
  sort(): void {
    this.#sort();
    this.#removeRepeats(true);
  }

  /**
   * The same for a part of the changes: those to the state of the change before
   * stay, because further parts may have other changes between the two.
   */
  sortPart(): void {
    this.#sort();
    this.#removeRepeats(false);
  }

  #sort(): void {
    if (this.#isSorted()) return;
    if (this.length <= INSERTION_LENGTH) this.#sortByInsertion();
    else this.#sortByCounting();
  }

  #isSorted(): boolean {
    const { key, second, length } = this;
    for (let i = 1; i < length; i++) {
      const step = key[i]! - key[i - 1]!;
      if (step < 0 || step === 0 && second[i]! < second[i - 1]!) return false;
    }
    return true;
  }

  #sortByInsertion(): void {
    const { key, second, value, stale, length } = this;
    for (let i = 1; i < length; i++) {
      const k = key[i]!;
      const s = second[i]!;
      const v = value[i]!;
      const old = stale[i]!;
      let at = i;
      for (; at > 0; at--) {
        const before = key[at - 1]!;
        if (before < k || before === k && second[at - 1]! <= s) break;
        key[at] = before;
        second[at] = second[at - 1]!;
        value[at] = value[at - 1]!;
        stale[at] = stale[at - 1]!;
      }
      key[at] = k;
      second[at] = s;
      value[at] = v;
      stale[at] = old;
    }
  }

  /** Stable counting passes, by seconds if they are not in order, then by key. */
  #sortByCounting(): void {
    const { key, second, length } = this;
    if (digits.length < length) digits = new Uint16Array(2 * length);
    spare.length = 0;
    spare.reserve(length);
    let least = second[0]!;
    let most = least;
    let isInOrder = true;
    for (let i = 0; i < length; i++) {
      const s = second[i]!;
      if (s < most) isInOrder = false;
      else most = s;
      if (s < least) least = s;
    }
    let [from, to]: TileChanges[] = [this, spare];
    const mask = (1 << PASS_BITS) - 1;
    // Most often, seconds come in order.
    const range = isInOrder ? 0 : most - least;
    for (let shift = 0; range >= 2 ** shift; shift += PASS_BITS) {
      const column = from!.second;
      for (let i = 0; i < length; i++) {
        digits[i] = (column[i]! - least) >>> shift & mask;
      }
      countingPass(from!, to!, length, mask);
      [from, to] = [to, from];
    }
    digits.set(from!.key.subarray(0, length));
    countingPass(from!, to!, length, TILE_CELLS - 1);
    if (to === spare) {
      key.set(spare.key.subarray(0, length));
      second.set(spare.second.subarray(0, length));
      this.value.set(spare.value.subarray(0, length));
      this.stale.set(spare.stale.subarray(0, length));
    }
    if (length > KEPT_LENGTH) {
      spare = new TileChanges();
      digits = new Uint16Array(0);
    }
  }

  /** @param ofStates also of a state in several seconds */
  #removeRepeats(ofStates: boolean): void {
    const { key, second, value, stale, length } = this;
    let kept = 0;
    for (let i = 0; i < length; i++) {
      const k = key[i]!;
      const s = second[i]!;
      // A later one of the same second replaces it.
      if (i + 1 < length && key[i + 1] === k && second[i + 1] === s) continue;
      if (
        ofStates && kept > 0 && key[kept - 1] === k &&
        value[kept - 1] === value[i] &&
        stale[kept - 1] === stale[i]
      ) continue;
      if (kept < i) {
        key[kept] = k;
        second[kept] = s;
        value[kept] = value[i]!;
        stale[kept] = stale[i]!;
      }
      kept++;
    }
    this.length = kept;
  }
}

/** Memory for the sort. */
let spare = new TileChanges();

/**
 * Sorts rows by their digits; rows with the same digit keep their order.
 *
 * @param from the rows
 * @param to receives the sorted rows
 * @param length number of rows
 * @param last the largest possible digit
 */
function countingPass(
  from: TileChanges,
  to: TileChanges,
  length: number,
  last: number,
): void {
  const { key, second, value, stale } = from;
  const { key: toKey, second: toSecond, value: toValue, stale: toStale } = to;
  const rowDigits = digits;
  buckets.fill(0, 0, last + 1);
  for (let i = 0; i < length; i++) buckets[rowDigits[i]!]!++;
  let start = 0;
  for (let digit = 0; digit <= last; digit++) {
    const size = buckets[digit]!;
    buckets[digit] = start;
    start += size;
  }
  for (let i = 0; i < length; i++) {
    const at = buckets[rowDigits[i]!]!++;
    toKey[at] = key[i]!;
    toSecond[at] = second[i]!;
    toValue[at] = value[i]!;
    toStale[at] = stale[i]!;
  }
}
