/**
 * What is known of the topics to which a client publishes.
 *
 * @module
 */
import type { Identity } from "../access/access.ts";
import { countLevels } from "../codec/topic_names.ts";
import type { ConnectionContext } from "./context.ts";

/** Topics that are remembered for a connection. */
const MAX_TOPICS = 32;
/** Longer topics are not remembered. */
const MAX_TOPIC_LENGTH = 128;

/** A topic, for one client. */
export interface PublishTopic {
  readonly name: string;
  /** True if it has more levels than the limit. */
  readonly isTooDeep: boolean;
  /** Whether the client may publish to it. */
  readonly isAllowed: boolean;
  /** Whether the server receives its messages. */
  readonly isTapped: boolean;
  /** Whether the server receives them as runs. */
  readonly isRun: boolean;
}

/**
 * The topics of one connection. To check a topic costs about a microsecond, and
 * a client usually publishes to few.
 */
export class PublishTopics {
  readonly #context: ConnectionContext;
  readonly #identity: Identity;
  /** The version of the access rules that were applied. */
  #version = -1;
  #last: PublishTopic | undefined;
  #known: Map<string, PublishTopic> | undefined;

  constructor(context: ConnectionContext, identity: Identity) {
    this.#context = context;
    this.#identity = identity;
  }

  /** Returns what is known of a topic, by the present access rules. */
  of(name: string): PublishTopic {
    const { version } = this.#context.access;
    if (version !== this.#version) {
      this.#version = version;
      this.#last = undefined;
      this.#known = undefined;
    }
    const last = this.#last;
    if (last !== undefined && last.name === name) return last;
    return this.#last = this.#known?.get(name) ?? this.#add(name);
  }

  #add(name: string): PublishTopic {
    const topic = this.#check(name);
    if (name.length > MAX_TOPIC_LENGTH) return topic;
    if (this.#known === undefined || this.#known.size >= MAX_TOPICS) {
      this.#known = new Map();
    }
    this.#known.set(name, topic);
    return topic;
  }

  #check(name: string): PublishTopic {
    const { access, settings, tap } = this.#context;
    const isTooDeep = countLevels(name) > settings.maxTopicLevels;
    return {
      name,
      isTooDeep,
      isAllowed: !isTooDeep && access.mayPublish(this.#identity, name),
      isTapped: tap.receives(name),
      isRun: tap.receivesRuns(name),
    };
  }
}
