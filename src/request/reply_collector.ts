/**
 * Finds the reply to a request among all messages on a reply topic.
 *
 * @module
 */
import { plural } from "../common/plural.ts";
import { ReplyAssembler, type ReplyPart } from "../protocol/mod.ts";

/** Any client can publish parts: of further replies, none is kept. */
const MAX_REPLIES = 4;

/**
 * Collects the parts of a reply. Parts with different headers are of different
 * replies, for example of two servers: the first complete one is the answer.
 */
export class ReplyCollector {
  readonly #replies: ReplyAssembler[] = [];

  /**
   * Adds a part.
   *
   * @returns the reply that has grown by the part; "known" if it had the part;
   * "too-many" if the part is of one reply too many
   */
  add(part: ReplyPart): ReplyAssembler | "known" | "too-many" {
    let reply = this.#replies.find((reply) => reply.accepts(part));
    if (reply === undefined) {
      if (this.#replies.length >= MAX_REPLIES) return "too-many";
      reply = new ReplyAssembler();
      this.#replies.push(reply);
    }
    const before = reply.received;
    reply.add(part);
    return reply.received > before ? reply : "known";
  }
}

/** Counts the messages that were no answer to a request. */
export class IgnoredMessages {
  readonly #topic: string;
  #count = 0;
  #reason = "";

  /** @param topic the reply topic */
  constructor(topic: string) {
    this.#topic = topic;
  }

  /** How many messages were ignored. */
  get count(): number {
    return this.#count;
  }

  /** @param reason why the message is no answer, for people */
  add(reason: string): void {
    this.#count++;
    this.#reason = reason;
  }

  /** Describes them for people; empty if there were none. */
  toString(): string {
    if (this.#count === 0) return "";
    const messages = plural(this.#count, "message");
    return `; ignored ${messages} on ${this.#topic}, the last: ${this.#reason}`;
  }
}
