/**
 * A set of topics, told by exact names and `name/#` filters (MQTT 3.1.1, 4.7).
 * Made for a question asked of every message, so a match builds nothing.
 *
 * @example
 * ```ts
 * import { TopicSet } from "./topic_set.ts";
 *
 * const set = new TopicSet(["occupancy/data/#", "occupancy/request"]);
 * console.log(set.has("occupancy/data/hall")); // true
 * console.log(set.meets("occupancy/+")); // true
 * ```
 */
export class TopicSet {
  readonly #names = new Set<string>();
  readonly #prefixes: string[] = [];
  readonly #filters: readonly string[][];

  /**
   * @param filters Topic names, and filters whose only wildcard is a last `/#`
   * @throws {TypeError} if a filter is empty or has another wildcard
   */
  constructor(filters: readonly string[]) {
    for (const filter of filters) {
      const many = filter.endsWith("/#");
      const name = many ? filter.slice(0, -2) : filter;
      if (name === "" || /[+#]/.test(name)) {
        throw new TypeError(
          `Cannot use the filter "${filter}": only a last /# may be a wildcard`,
        );
      }
      // "a/#" matches its parent level, "a", too (4.7.1.2).
      this.#names.add(name);
      if (many) this.#prefixes.push(`${name}/`);
    }
    this.#filters = filters.map((filter) => filter.split("/"));
  }

  /** True if the topic name is in the set. */
  has(topic: string): boolean {
    if (this.#names.has(topic)) return true;
    for (const prefix of this.#prefixes) {
      if (topic.startsWith(prefix)) return true;
    }
    return false;
  }

  /** True if some topic matches both the set and a subscription's filter, which may have any wildcard. */
  meets(filter: string): boolean {
    const levels = filter.split("/");
    return this.#filters.some((own) => overlap(own, levels));
  }
}

/** True if some topic name matches both filters. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  for (let i = 0;; i++) {
    const a = one[i];
    const b = other[i];
    if (a === "#" || b === "#") return true;
    if (a === undefined || b === undefined) return a === b;
    if (a !== b && a !== "+" && b !== "+") return false;
  }
}
