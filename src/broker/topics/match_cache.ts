/**
 * Remembers the subscribers of recent topics.
 *
 * @module
 */

/**
 * What the cache may hold, in units of about 16 bytes, in each of its two
 * halves.
 */
const MAX_COST = 500_000;
/** Of an entry, besides its topic and its result. */
const ENTRY_COST = 8;

/**
 * Results by topic. It holds the topics that were used most recently, up to a
 * total size: when its young half is full, it becomes the old half, and the
 * former old half is dropped.
 */
export class MatchCache<R> {
  readonly #sizeOf: (result: R) => number;
  readonly #maxCost: number;
  #young = new Map<string, R>();
  #old = new Map<string, R>();
  #cost = 0;

  /**
   * @param sizeOf returns the number of references in a result
   * @param maxCost of each half
   */
  constructor(sizeOf: (result: R) => number, maxCost = MAX_COST) {
    this.#sizeOf = sizeOf;
    this.#maxCost = maxCost;
  }

  /** The number of results. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Returns the result of a topic; undefined if it is not known. */
  get(topic: string): R | undefined {
    const result = this.#young.get(topic);
    if (result !== undefined) return result;
    const old = this.#old.get(topic);
    if (old === undefined) return undefined;
    this.#old.delete(topic);
    this.set(topic, old);
    return old;
  }

  /** Adds the result of a topic that is not known. */
  set(topic: string, result: R): void {
    const cost = ENTRY_COST + (topic.length >> 4) + this.#sizeOf(result);
    if (cost > this.#maxCost) return;
    if (this.#cost + cost > this.#maxCost) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#cost = 0;
    }
    this.#young.set(topic, result);
    this.#cost += cost;
  }

  /**
   * Forgets the results that a filter may have changed.
   *
   * @param filter a topic filter, without `$share/<group>/`
   */
  invalidate(filter: string): void {
    if (/[+#]/.test(filter)) this.clear();
    else {
      // Its cost stays counted: the young half is dropped a little earlier.
      this.#young.delete(filter);
      this.#old.delete(filter);
    }
  }

  /** Forgets all results. */
  clear(): void {
    if (this.#young.size > 0) this.#young = new Map();
    if (this.#old.size > 0) this.#old = new Map();
    this.#cost = 0;
  }
}
