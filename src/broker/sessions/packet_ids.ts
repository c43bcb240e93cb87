/**
 * A small set of packet ids.
 *
 * @module
 */

/** Room for ids in a new set. */
const FIRST_IDS = 4;

/**
 * Packet ids, 2 bytes each: a Set would need 10 to 40. Looking for one of 4,096
 * takes about a microsecond.
 */
export class PacketIds implements Iterable<number> {
  #ids = new Uint16Array(0);
  #size = 0;

  /** The number of ids. */
  get size(): number {
    return this.#size;
  }

  /** Returns true if an id is in the set. */
  has(id: number): boolean {
    return this.#indexOf(id) >= 0;
  }

  /** Adds an id, unless it is in the set. */
  add(id: number): void {
    if (this.has(id)) return;
    if (this.#size === this.#ids.length) {
      this.#resize(Math.max(FIRST_IDS, 2 * this.#size));
    }
    this.#ids[this.#size++] = id;
  }

  /** Removes an id. Returns false if it is not in the set. */
  delete(id: number): boolean {
    const index = this.#indexOf(id);
    if (index < 0) return false;
    this.#size--;
    // Clients release the oldest first: it stays the first that is looked at.
    this.#ids.copyWithin(index, index + 1, this.#size + 1);
    if (4 * this.#size < this.#ids.length) this.#resize(2 * this.#size);
    return true;
  }

  [Symbol.iterator](): Iterator<number> {
    return this.#ids.subarray(0, this.#size).values();
  }

  #indexOf(id: number): number {
    const index = this.#ids.indexOf(id);
    return index < this.#size ? index : -1;
  }

  #resize(length: number): void {
    const ids = new Uint16Array(length);
    ids.set(this.#ids.subarray(0, this.#size));
    this.#ids = ids;
  }
}
