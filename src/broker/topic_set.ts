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
 * ```
 */
export class TopicSet {
  readonly #names = new Set<string>();
  readonly #prefixes: string[] = [];

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
}
