/**
 * A set of topics, given as names and `name/#` filters (MQTT 3.1.1, 4.7).
 * Allocates nothing in {@linkcode has}, which runs for each message.
 *
 * @example
 * ```ts
 * import { TopicSet } from "./topic_set.ts";
 *
 * const set = new TopicSet(["occupancy/data/#", "occupancy/request"]);
 * console.log(set.has("occupancy/data/hall")); // true
 * console.log(set.overlaps("occupancy/+")); // true
 * ```
 */
export class TopicSet {
  readonly #names = new Set<string>();
  readonly #prefixes: string[] = [];
  readonly #filters: readonly string[][];

  /**
   * @param filters topic names, and filters whose only wildcard is a last `/#`
   * @throws {TypeError} if a filter is empty or has another wildcard
   */
  constructor(filters: readonly string[]) {
    for (const filter of filters) {
      const hasWildcard = filter.endsWith("/#");
      const name = hasWildcard ? filter.slice(0, -2) : filter;
      if (name === "" || /[+#]/.test(name)) {
        throw new TypeError(
          `Cannot use the filter "${filter}": only a last /# may be a wildcard`,
        );
      }
      // "a/#" also matches "a" (4.7.1.2).
      this.#names.add(name);
      if (hasWildcard) this.#prefixes.push(`${name}/`);
    }
    this.#filters = filters.map((filter) => filter.split("/"));
  }

  /**
   * Returns true if the topic is in the set.
   *
   * @param topic a topic name
   */
  has(topic: string): boolean {
    if (this.#names.has(topic)) return true;
    for (const prefix of this.#prefixes) {
      if (topic.startsWith(prefix)) return true;
    }
    return false;
  }

  /**
   * Returns true if a topic of the set can match a filter.
   *
   * @param filter a topic filter with any wildcards
   */
  overlaps(filter: string): boolean {
    const levels = filter.split("/");
    return this.#filters.some((own) => overlap(own, levels));
  }
}

/**
 * Returns true if a topic matches a filter with any wildcards.
 *
 * @param topic a topic name that does not begin with `$`
 */
export function matchesFilter(topic: string, filter: string): boolean {
  return overlap(topic.split("/"), filter.split("/"));
}

/** Returns true if a topic name can match both filters. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  for (let i = 0;; i++) {
    const a = one[i];
    const b = other[i];
    if (a === "#" || b === "#") return true;
    if (a === undefined || b === undefined) return a === b;
    if (a !== b && a !== "+" && b !== "+") return false;
  }
}
