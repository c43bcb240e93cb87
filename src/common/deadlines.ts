/**
 * Keys with a time at which each is due.
 *
 * @module
 */

interface Deadline<K> {
  readonly key: K;
  due: number;
  /** Its index in the heap. */
  position: number;
}

/**
 * A set of keys with a time each, sorted by time: a binary heap. Setting and
 * deleting a key cost O(log n).
 */
export class Deadlines<K> {
  readonly #heap: Deadline<K>[] = [];
  readonly #byKey = new Map<K, Deadline<K>>();

  /** The number of keys. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest time; undefined if there are no keys. */
  get next(): number | undefined {
    return this.#heap[0]?.due;
  }

  /**
   * Adds a key, or changes its time.
   *
   * @param key any key
   * @param due in the unit of the caller
   */
  set(key: K, due: number): void {
    let deadline = this.#byKey.get(key);
    if (deadline === undefined) {
      deadline = { key, due, position: this.#heap.length };
      this.#byKey.set(key, deadline);
      this.#heap.push(deadline);
    }
    deadline.due = due;
    this.#moveUp(deadline);
    this.#moveDown(deadline);
  }

  /** Removes a key. Returns false if there was none. */
  delete(key: K): boolean {
    const deadline = this.#byKey.get(key);
    if (deadline === undefined) return false;
    this.#byKey.delete(key);
    const last = this.#heap.pop()!;
    if (last !== deadline) {
      this.#place(last, deadline.position);
      this.#moveUp(last);
      this.#moveDown(last);
    }
    return true;
  }

  /**
   * Removes and returns the key with the earliest time, if it is due.
   *
   * @param now keys with this time or an earlier one are due
   */
  takeDue(now: number): K | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.due > now) return undefined;
    this.delete(first.key);
    return first.key;
  }

  /** Removes all keys. */
  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #place(deadline: Deadline<K>, position: number): void {
    this.#heap[position] = deadline;
    deadline.position = position;
  }

  #moveUp(deadline: Deadline<K>): void {
    let { position } = deadline;
    while (position > 0) {
      const parent = this.#heap[(position - 1) >> 1]!;
      if (parent.due <= deadline.due) break;
      const above = parent.position;
      this.#place(parent, position);
      position = above;
    }
    this.#place(deadline, position);
  }

  #moveDown(deadline: Deadline<K>): void {
    let { position } = deadline;
    for (;;) {
      const left = this.#heap[2 * position + 1];
      if (left === undefined) break;
      const right = this.#heap[2 * position + 2];
      const child = right !== undefined && right.due < left.due ? right : left;
      if (child.due >= deadline.due) break;
      const below = child.position;
      this.#place(child, position);
      position = below;
    }
    this.#place(deadline, position);
  }
}
