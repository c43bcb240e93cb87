/**
 * Finds the reply to a request among all messages on a reply topic.
 *
 * @module
 */
import { plural } from "../common/plural.ts";
import type {
  AnyReply,
  ErrorReply,
  PartAssembler,
  PastPart,
  ReadingBatch,
  ReplyPart,
  RequestFields,
  SeriesPart,
  SourcesPart,
  ZonesPart,
} from "../protocol/mod.ts";

/** Any client can publish parts: of further replies, none is kept. */
const MAX_REPLIES = 4;

/** What a message on the reply topic is for a request. */
export type Answer<Result> =
  /** No answer; the text is the reason. */
  | { readonly ignored: string }
  /** The answer of a server that cannot reply as requested. */
  | { readonly error: Error }
  | {
    /** True for a part that arrived before: QoS 1 may deliver it twice. */
    readonly isKnown: boolean;
    /** Undefined if other parts are missing. */
    readonly result?: Result;
  };

/** A request and the meaning of its replies. */
export interface Question<Result> {
  readonly fields: RequestFields;
  readonly read: (part: Exclude<AnyReply, ErrorReply>) => Answer<Result>;
  readonly readOriginal?: (cells: ReadingBatch) => Result;
}

/**
 * Collects the parts of a reply. Parts with different headers are of different
 * replies, for example of two servers: the first complete one is the answer.
 */
export class ReplyCollector<
  Part extends PastPart | ReplyPart | SeriesPart | SourcesPart | ZonesPart,
  Assembler extends PartAssembler<Part>,
  Result,
> {
  readonly #create: () => Assembler;
  readonly #read: (reply: Assembler) => Result;
  readonly #replies: Assembler[] = [];

  /**
   * @param create makes what joins the parts of one reply
   * @param read reads a complete reply
   */
  constructor(create: () => Assembler, read: (reply: Assembler) => Result) {
    this.#create = create;
    this.#read = read;
  }

  /**
   * Adds a part.
   *
   * @throws {ProtocolError} if the reply is complete and not valid
   */
  add(part: Part): Answer<Result> {
    let reply = this.#replies.find((reply) => reply.accepts(part));
    if (reply === undefined) {
      if (this.#replies.length >= MAX_REPLIES) {
        return { ignored: "of too many replies" };
      }
      reply = this.#create();
      this.#replies.push(reply);
    }
    const before = reply.received;
    reply.add(part);
    if (reply.received === before) return { isKnown: true };
    return reply.complete
      ? { isKnown: false, result: this.#read(reply) }
      : { isKnown: false };
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
