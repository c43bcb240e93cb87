/**
 * The topics to which only the server may publish.
 *
 * @module
 */
import { covers, type Levels } from "./filters.ts";

/** Options of {@linkcode ServerTopics}. */
export interface ServerTopicsOptions {
  /** Filters of the topics that only the server may publish to. */
  readonly reserved?: readonly string[];
  /**
   * One of the `reserved` topics to which clients may publish all the same: the
   * broker passes such a message to the server, but to no client.
   */
  readonly peerTopic?: string | undefined;
}

/** Distinguishes the topics of the server from those open to clients. */
export class ServerTopics {
  readonly #reserved: readonly Levels[];
  readonly #peerTopic: string | undefined;

  /** @param options the topics */
  constructor({ reserved = [], peerTopic }: ServerTopicsOptions) {
    this.#reserved = reserved.map((filter) => filter.split("/"));
    this.#peerTopic = peerTopic;
  }

  /**
   * Returns true if clients may publish to a topic, as far as the server is
   * concerned. Topics that begin with `$` are the broker's (MQTT 3.1.1, 4.7.2).
   *
   * @param topic a topic name
   */
  isOpen(topic: string): boolean {
    if (topic === this.#peerTopic) return true;
    if (topic.startsWith("$")) return false;
    const levels = topic.split("/");
    return !this.#reserved.some((filter) => covers(filter, levels));
  }
}
