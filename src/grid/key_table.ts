/**
 * Numbers keys of three integers, in typed arrays: a `Map` with such keys needs
 * several times the memory.
 *
 * @module
 */
import { hashCoordinate } from "./coordinate_hash.ts";

const MIN_CAPACITY_KEYS = 64;

/**
 * Keys in columns, in the order in which they were added, and a hash table (open
 * addressing, linear probing) from keys to rows. A key takes 12 bytes and 8 to
 * 16 for the hash table. Keys cannot be removed one by one.
 *
 * @example
 * ```ts
 * import { KeyTable } from "./key_table.ts";
 *
 * const table = new KeyTable();
 * console.log(table.insert(1, 2, 3), table.insert(4, 5, 6)); // 0 1
 * console.log(table.find(1, 2, 3), table.find(7, 8, 9)); // 0 -1
 * ```
 */
export class KeyTable {
  /** The number of keys. */
  length = 0;
  #a = new Int32Array(MIN_CAPACITY_KEYS);
  #b = new Int32Array(MIN_CAPACITY_KEYS);
  #c = new Int32Array(MIN_CAPACITY_KEYS);
  /** Row + 1, or 0 for an empty slot. Twice as long as the columns. */
  #slots = new Int32Array(2 * MIN_CAPACITY_KEYS);

  /**
   * Returns the row of a key, or -1.
   *
   * @param a int32
   * @param b int32
   * @param c int32
   */
  find(a: number, b: number, c: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hashOf(a, b, c) & mask;; slot = slot + 1 & mask) {
      const row = slots[slot]! - 1;
      if (
        row < 0 ||
        this.#a[row] === a && this.#b[row] === b && this.#c[row] === c
      ) return row;
    }
  }

  /** Returns the row of a key. If there is none, adds one at the end. */
  insert(a: number, b: number, c: number): number {
    const found = this.find(a, b, c);
    if (found >= 0) return found;
    if (this.length === this.#a.length) this.#grow();
    const row = this.length++;
    this.#a[row] = a;
    this.#b[row] = b;
    this.#c[row] = c;
    this.#link(row);
    return row;
  }

  /** Removes all keys and keeps their memory. */
  clear(): void {
    if (this.length === 0) return;
    this.length = 0;
    this.#slots.fill(0);
  }

  /** Enters a row into the hash table. */
  #link(row: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashOf(this.#a[row]!, this.#b[row]!, this.#c[row]!) & mask;
    while (slots[slot] !== 0) slot = slot + 1 & mask;
    slots[slot] = row + 1;
  }

  #grow(): void {
    const capacity = 2 * this.#a.length;
    this.#a = longer(this.#a, capacity);
    this.#b = longer(this.#b, capacity);
    this.#c = longer(this.#c, capacity);
    this.#slots = new Int32Array(2 * capacity);
    for (let row = 0; row < this.length; row++) this.#link(row);
  }
}

function hashOf(a: number, b: number, c: number): number {
  return hashCoordinate(a, b ^ Math.imul(c, 0x27d4eb2f));
}

function longer(column: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const columns = new Int32Array(capacity);
  columns.set(column);
  return columns;
}
