/**
 * The retained messages of the broker (3.3.1.3).
 *
 * @module
 */
import { Deadlines } from "../../common/deadlines.ts";
import type { Message } from "../message.ts";
import type { Persistence } from "../persistence/persistence.ts";
import { type Retained, RetainedTree } from "./retained_tree.ts";

export type { Retained } from "./retained_tree.ts";

/** The limits of retained messages. */
export interface RetainedLimits {
  /** Messages, i.e. topics. */
  readonly maxMessages: number;
  /**
   * Bytes of all messages with their topics and overhead. The messages of the
   * server count, but it is not refused: clients must not be able to keep it
   * from publishing its state.
   */
  readonly maxBytes: number;
}

/** The defaults of {@linkcode RetainedLimits}. */
export const RETAINED_LIMITS: RetainedLimits = {
  maxMessages: 100_000,
  maxBytes: 128 * 1024 * 1024,
};

/** Options of {@linkcode RetainedStore}. */
export interface RetainedOptions {
  /** Returns the time, in ms since 1970. */
  readonly clock: () => number;
  readonly persistence: Persistence;
  readonly limits: RetainedLimits;
  /** Called for each message that is not stored because of a limit. */
  readonly onRefused: (message: Message) => void;
}

/** Of a message: its objects. */
const OVERHEAD_BYTES = 450;
/** Of a level of the tree. */
const LEVEL_BYTES = 250;
/** Expired messages that are removed in one call. */
const MAX_EXPIRED = 1_000;

/** The last message with RETAIN of each topic. */
export class RetainedStore {
  readonly #options: RetainedOptions;
  readonly #tree = new RetainedTree();
  readonly #expiries = new Deadlines<string>();
  #bytes = 0;
  #sequence = 0;

  constructor(options: RetainedOptions) {
    this.#options = options;
  }

  /** The number of messages. */
  get size(): number {
    return this.#tree.size;
  }

  /** The bytes in use, approximately. */
  get bytes(): number {
    return this.#bytes + LEVEL_BYTES * this.#tree.levels;
  }

  /** The number of the message that was set last. */
  get sequence(): number {
    return this.#sequence;
  }

  /** When the next message expires, ms since 1970; undefined: none does. */
  get nextDue(): number | undefined {
    return this.#expiries.next;
  }

  /** Returns the message of a topic, if it has not expired. */
  get(topic: string): Message | undefined {
    const message = this.#tree.get(topic)?.message;
    return message === undefined || this.#hasExpired(message)
      ? undefined
      : message;
  }

  /**
   * Returns true if a message could be stored. A new topic needs room for one
   * message more; a replacement needs room only for the bytes that are added.
   * One of the server always has room.
   */
  hasRoom(message: Message): boolean {
    const { topic, payload, publisher } = message;
    if (payload.length === 0 || publisher === undefined) return true;
    const { maxMessages, maxBytes } = this.#options.limits;
    const before = this.#tree.get(topic);
    if (before === undefined && this.size >= maxMessages) return false;
    const added = costOf(message) +
      (before === undefined
        ? LEVEL_BYTES * this.#tree.newLevels(topic)
        : -costOf(before.message));
    return added <= 0 || this.bytes + added <= maxBytes;
  }

  /**
   * Sets the message of its topic. An empty payload removes it. If there is no
   * room, the former message is removed too: it would be outdated.
   *
   * @returns false if there is no room
   */
  set(message: Message): boolean {
    const { topic, payload, publisher } = message;
    if (payload.length === 0) {
      this.#remove(topic);
      return true;
    }
    if (!this.hasRoom(message)) {
      this.#remove(topic);
      this.#options.onRefused(message);
      return false;
    }
    this.#put(message);
    // Those of the server are not kept: $SYS and its state describe this
    // process, and it publishes them again at each start. After a crash an old
    // state would look like the present one, permanently if the prefix of the
    // topics is another one then.
    const kept = publisher === undefined ? undefined : message;
    this.#options.persistence.setRetained(topic, kept);
    return true;
  }

  /** Restores a message at the start. */
  restore(message: Message): void {
    this.#put(message);
  }

  /**
   * Searches messages. See {@linkcode RetainedTree.matching}; expired messages
   * are left out.
   *
   * @param filter a valid filter, without `$share/<group>/`
   */
  *matching(filter: string): Generator<Retained | undefined, void> {
    for (const retained of this.#tree.matching(filter)) {
      if (retained === undefined || !this.#hasExpired(retained.message)) {
        yield retained;
      }
    }
  }

  /** Removes messages that have expired. */
  tick(now: number): void {
    for (let i = 0; i < MAX_EXPIRED; i++) {
      const topic = this.#expiries.takeDue(now);
      if (topic === undefined) return;
      this.#remove(topic);
    }
  }

  #hasExpired({ expiresAt }: Message): boolean {
    return expiresAt !== undefined && expiresAt <= this.#options.clock();
  }

  #put(message: Message): void {
    const { topic, expiresAt } = message;
    const before = this.#tree.get(topic);
    if (before !== undefined) this.#bytes -= costOf(before.message);
    this.#bytes += costOf(message);
    this.#tree.set({ message, sequence: ++this.#sequence, isCurrent: true });
    if (expiresAt === undefined) this.#expiries.delete(topic);
    else this.#expiries.set(topic, expiresAt);
  }

  #remove(topic: string): void {
    const before = this.#tree.delete(topic);
    if (before === undefined) return;
    this.#bytes -= costOf(before.message);
    this.#expiries.delete(topic);
    this.#options.persistence.setRetained(topic, undefined);
  }
}

function costOf(message: Message): number {
  return OVERHEAD_BYTES + 2 * message.topic.length + message.payload.length +
    (message.properties?.length ?? 0);
}
