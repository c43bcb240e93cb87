/**
 * Retained messages by topic.
 *
 * @module
 */
import type { Message } from "../message.ts";

/** The retained message of a topic. */
export interface Retained {
  readonly message: Message;
  /** Rises with each message that is set. */
  readonly sequence: number;
  /** False after it was replaced or removed. */
  isCurrent: boolean;
}

class Node {
  children: Map<string, Node> | undefined;
  retained: Retained | undefined;

  constructor(
    readonly parent: Node | undefined,
    readonly level: string,
  ) {}
}

/** Nodes whose children a search visits. */
interface Step {
  readonly nodes: Iterator<Node>;
  /** The index of the level of the filter that comes next. */
  readonly depth: number;
  /** True if a wildcard led to the nodes. */
  readonly isWild: boolean;
}

/** A search takes a break after this many levels of topics. */
const VISITED_IN_SLICE = 64;

/** A tree of topics: a search for a filter visits only what can match. */
export class RetainedTree {
  readonly #root = new Node(undefined, "");
  /** The nodes with a message, by topic. */
  readonly #byTopic = new Map<string, Node>();
  #levels = 0;

  /** The number of messages. */
  get size(): number {
    return this.#byTopic.size;
  }

  /** The number of levels of all topics; common ones count once. */
  get levels(): number {
    return this.#levels;
  }

  /** Returns the message of a topic. */
  get(topic: string): Retained | undefined {
    return this.#byTopic.get(topic)?.retained;
  }

  /** Returns how many levels the message of a topic would add. */
  newLevels(topic: string): number {
    const levels = topic.split("/");
    let node: Node | undefined = this.#root;
    for (let i = 0; i < levels.length; i++) {
      node = node.children?.get(levels[i]!);
      if (node === undefined) return levels.length - i;
    }
    return 0;
  }

  /** Sets the message of a topic, and marks a former one as not current. */
  set(retained: Retained): void {
    const { topic } = retained.message;
    let node = this.#byTopic.get(topic);
    if (node?.retained !== undefined) node.retained.isCurrent = false;
    else {
      node = this.#nodeOf(topic);
      this.#byTopic.set(topic, node);
    }
    node.retained = retained;
  }

  /** Removes the message of a topic. Returns it. */
  delete(topic: string): Retained | undefined {
    let node = this.#byTopic.get(topic);
    if (node?.retained === undefined) return undefined;
    const { retained } = node;
    retained.isCurrent = false;
    node.retained = undefined;
    this.#byTopic.delete(topic);
    while (
      node.parent !== undefined && node.children === undefined &&
      node.retained === undefined
    ) {
      const parent: Node = node.parent;
      parent.children!.delete(node.level);
      this.#levels--;
      if (parent.children!.size === 0) parent.children = undefined;
      node = parent;
    }
    return retained;
  }

  /**
   * Searches the messages whose topics match a filter. The tree may change
   * while the search is suspended.
   *
   * @param filter a valid filter, without `$share/<group>/`
   * @returns yields messages, and undefined now and then if none was found
   */
  *matching(filter: string): Generator<Retained | undefined, void> {
    const levels = filter.split("/");
    const steps: Step[] = [step([this.#root].values(), 0)];
    let visited = 0;
    while (steps.length > 0) {
      const { nodes, depth, isWild } = steps.at(-1)!;
      const next = nodes.next();
      if (next.done) {
        steps.pop();
        continue;
      }
      if (++visited % VISITED_IN_SLICE === 0) yield undefined;
      const node = next.value;
      // Wildcards at the first level do not match "$…" (4.7.2).
      if (isWild && node.parent === this.#root && node.level.startsWith("$")) {
        continue;
      }
      const level = levels[depth];
      if (level === undefined) {
        if (node.retained !== undefined) yield node.retained;
      } else if (level === "#") {
        // "a/#" also matches "a" (4.7.1.2).
        if (node.retained !== undefined) yield node.retained;
        if (node.children) {
          steps.push(step(node.children.values(), depth, true));
        }
      } else if (level === "+") {
        if (node.children) {
          steps.push(step(node.children.values(), depth + 1, true));
        }
      } else {
        const child = node.children?.get(level);
        if (child) steps.push(step([child].values(), depth + 1));
      }
    }
  }

  /** Returns the node of a topic. Creates it if there is none. */
  #nodeOf(topic: string): Node {
    let node = this.#root;
    for (const level of topic.split("/")) {
      const children: Map<string, Node> = node.children ??= new Map();
      let child = children.get(level);
      if (child === undefined) {
        children.set(level, child = new Node(node, level));
        this.#levels++;
      }
      node = child;
    }
    return node;
  }
}

function step(nodes: Iterator<Node>, depth: number, isWild = false): Step {
  return { nodes, depth, isWild };
}
