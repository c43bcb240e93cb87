/**
 * A queue.
 *
 * @module
 */

/** Removed items are cut off if they are more than this and half of all. */
const MIN_CUT = 64;

/** A queue in an array: adding and removing cost O(1) on average. */
export class Fifo<T> {
  #items: T[] = [];
  #start = 0;

  /** The number of items. */
  get length(): number {
    return this.#items.length - this.#start;
  }

  /** The next item; undefined if there is none. */
  get first(): T | undefined {
    return this.#items[this.#start];
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Removes and returns the next item. */
  shift(): T | undefined {
    const item = this.#items[this.#start];
    if (item === undefined) return undefined;
    this.#start++;
    if (this.#start === this.#items.length) {
      this.#items = [];
      this.#start = 0;
    } else if (this.#start > MIN_CUT && 2 * this.#start > this.#items.length) {
      this.#items.splice(0, this.#start);
      this.#start = 0;
    }
    return item;
  }

  /** Iterates over the items, the next one first. */
  *[Symbol.iterator](): Generator<T> {
    for (let i = this.#start; i < this.#items.length; i++) {
      yield this.#items[i]!;
    }
  }

  /** Removes and returns all items for which a condition is true. */
  take(condition: (item: T) => boolean): T[] {
    const taken: T[] = [];
    const kept: T[] = [];
    for (let i = this.#start; i < this.#items.length; i++) {
      const item = this.#items[i]!;
      (condition(item) ? taken : kept).push(item);
    }
    this.#items = kept;
    this.#start = 0;
    return taken;
  }
}
