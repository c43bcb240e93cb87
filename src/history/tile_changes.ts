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
let scratch: readonly [Uint32Array, Uint32Array] = [
  new Uint32Array(1024),
  new Uint32Array(1024),
];

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
    if (!this.#isSorted()) {
      if (this.length <= INSERTION_LENGTH) this.#sortByInsertion();
      else this.#sortByCounting();
    }
    this.#removeRepeats();
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
    if (scratch[0].length < length) {
      const room = Math.max(length, Math.min(2 * length, KEPT_LENGTH));
      scratch = [new Uint32Array(room), new Uint32Array(room)];
    }
    let [order, next] = scratch;
    let least = 2 ** 32;
    let most = 0;
    let isInOrder = true;
    for (let i = 0; i < length; i++) {
      const s = second[i]!;
      isInOrder &&= s >= most;
      if (s < least) least = s;
      if (s > most) most = s;
      order[i] = i;
    }
    // Most often, seconds come in order.
    let range = isInOrder ? 0 : most - least;
    for (let unit = 1; range > 0; unit *= 1 << PASS_BITS) {
      const last = Math.min(range, (1 << PASS_BITS) - 1);
      countingPass(order, next, length, second, least, unit, last);
      [order, next] = [next, order];
      range = Math.floor(range / (1 << PASS_BITS));
    }
    countingPass(order, next, length, key, 0, 1, TILE_CELLS - 1);
    [order, next] = [next, order];
    gather(key, order, next, length);
    gather(second, order, next, length);
    gather(this.value, order, next, length);
    gather(this.stale, order, next, length);
    if (scratch[0].length > KEPT_LENGTH) {
      scratch = [new Uint32Array(1024), new Uint32Array(1024)];
    }
  }

  #removeRepeats(): void {
    const { key, second, value, stale, length } = this;
    let kept = 0;
    for (let i = 0; i < length; i++) {
      const k = key[i]!;
      const s = second[i]!;
      // A later one of the same second replaces it.
      if (i + 1 < length && key[i + 1] === k && second[i + 1] === s) continue;
      if (
        kept > 0 && key[kept - 1] === k && value[kept - 1] === value[i] &&
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

/**
 * Sorts row numbers by one digit of a column: stable.
 *
 * @param order the rows
 * @param into receives the sorted rows
 * @param length number of rows
 * @param column the numbers to sort by
 * @param least the smallest of them
 * @param unit of the digit: 1, 4096...
 * @param last the largest digit, at most 4095
 */
function countingPass(
  order: Uint32Array,
  into: Uint32Array,
  length: number,
  column: Uint16Array | Uint32Array,
  least: number,
  unit: number,
  last: number,
): void {
  const shift = 31 - Math.clz32(unit);
  const mask = (1 << PASS_BITS) - 1;
  buckets.fill(0, 0, last + 1);
  for (let i = 0; i < length; i++) {
    buckets[(column[i]! - least) >>> shift & mask]!++;
  }
  let start = 0;
  for (let digit = 0; digit <= last; digit++) {
    const size = buckets[digit]!;
    buckets[digit] = start;
    start += size;
  }
  for (let i = 0; i < length; i++) {
    const row = order[i]!;
    const digit = (column[row]! - least) >>> shift & mask;
    into[buckets[digit]!++] = row;
  }
}

/** Puts the numbers of a column in the order of the rows. */
function gather(
  column: Uint8Array | Uint16Array | Uint32Array | Int32Array,
  order: Uint32Array,
  copy: Uint32Array,
  length: number,
): void {
  for (let i = 0; i < length; i++) copy[i] = column[i]!;
  for (let i = 0; i < length; i++) column[i] = copy[order[i]!]!;
}
