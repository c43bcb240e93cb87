/**
 * Finds the values of all topic filters that match a topic name.
 *
 * @module
 */

/** A level of the filters. */
class Node<T> {
  /** By level, without wildcards. */
  children: Map<string, Node<T>> | undefined;
  /** The level `+`. */
  plus: Node<T> | undefined;
  /** Values of the filter that ends here. */
  values: T[] | undefined;
  /** Values of the filter that continues with `#`, and ends. */
  hash: T[] | undefined;

  get isEmpty(): boolean {
    return this.children === undefined && this.plus === undefined &&
      this.values === undefined && this.hash === undefined;
  }
}

/**
 * Topic filters with values (MQTT 3.1.1 and 5, 4.7). A search visits only the
 * levels of filters that match so far: its cost does not grow with the number
 * of other filters.
 *
 * It does not check filters: the number of their levels is the depth of a
 * recursion, so the caller limits it.
 */
export class TopicTrie<T> {
  readonly #root = new Node<T>();
  #size = 0;
  #levels = 0;

  /** The number of values. */
  get size(): number {
    return this.#size;
  }

  /** The number of levels of all filters; common ones count once. */
  get levels(): number {
    return this.#levels;
  }

  /**
   * Adds a value to a filter. The filter may have several.
   *
   * @param filter a valid topic filter
   */
  add(filter: string, value: T): void {
    const levels = filter.split("/");
    const isHash = levels.at(-1) === "#";
    if (isHash) levels.pop();
    let node = this.#root;
    for (const level of levels) {
      let next = level === "+" ? node.plus : node.children?.get(level);
      if (next === undefined) {
        next = new Node();
        this.#levels++;
        if (level === "+") node.plus = next;
        else (node.children ??= new Map()).set(level, next);
      }
      node = next;
    }
    if (isHash) (node.hash ??= []).push(value);
    else (node.values ??= []).push(value);
    this.#size++;
  }

  /**
   * Removes a value from a filter.
   *
   * @returns false if the filter does not have it
   */
  remove(filter: string, value: T): boolean {
    const levels = filter.split("/");
    const isHash = levels.at(-1) === "#";
    if (isHash) levels.pop();
    const path = [this.#root];
    for (const level of levels) {
      const node: Node<T> = path.at(-1)!;
      const next = level === "+" ? node.plus : node.children?.get(level);
      if (next === undefined) return false;
      path.push(next);
    }
    const node = path.at(-1)!;
    const values = isHash ? node.hash : node.values;
    const index = values?.indexOf(value) ?? -1;
    if (index < 0) return false;
    if (values!.length > 1) values!.splice(index, 1);
    else if (isHash) node.hash = undefined;
    else node.values = undefined;
    this.#size--;
    this.#levels -= prune(path, levels);
    return true;
  }

  /**
   * Appends the values of all filters that match a topic.
   *
   * @param topic a topic name
   * @param found receives the values
   */
  match(topic: string, found: T[]): void {
    const levels = topic.split("/");
    // Wildcards at the first level do not match it (4.7.2).
    const isSystem = topic.startsWith("$");
    collect(this.#root, levels, 0, isSystem, found);
  }
}

function collect<T>(
  node: Node<T>,
  levels: readonly string[],
  depth: number,
  isSystem: boolean,
  found: T[],
): void {
  const hasWildcards = depth > 0 || !isSystem;
  // "a/#" also matches "a" (4.7.1.2).
  if (hasWildcards && node.hash !== undefined) append(node.hash, found);
  if (depth === levels.length) {
    if (node.values !== undefined) append(node.values, found);
    return;
  }
  const child = node.children?.get(levels[depth]!);
  if (child !== undefined) collect(child, levels, depth + 1, isSystem, found);
  if (hasWildcards && node.plus !== undefined) {
    collect(node.plus, levels, depth + 1, isSystem, found);
  }
}

function append<T>(values: readonly T[], found: T[]): void {
  for (let i = 0; i < values.length; i++) found.push(values[i]!);
}

/**
 * Removes nodes that became empty, from the last one of a path upwards.
 *
 * @returns how many
 */
function prune<T>(
  path: readonly Node<T>[],
  levels: readonly string[],
): number {
  let i = levels.length;
  for (; i > 0 && path[i]!.isEmpty; i--) {
    const parent = path[i - 1]!;
    if (levels[i - 1] === "+") parent.plus = undefined;
    else {
      parent.children!.delete(levels[i - 1]!);
      if (parent.children!.size === 0) parent.children = undefined;
    }
  }
  return levels.length - i;
}
