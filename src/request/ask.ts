import type { Incoming, Link, LinkHandlers } from "../mqtt/link.ts";
import {
  contains,
  DEFAULT_LAYER,
  encodeRequest,
  type ErrorReply,
  ORIGINAL_REQUEST,
  parseOriginal,
  parseReply,
  parseState,
  ProtocolError,
  ReadingBatch,
  type Region,
  ReplyAssembler,
  type ReplyPart,
  type Topics,
} from "../protocol/mod.ts";
import { NoAnswerError, RefusedError } from "./errors.ts";

/** Whose wire is spoken: ours, or that of the three Python scripts. */
export type Wire = "current" | "original";

/** Which part of the map. */
export interface Question {
  /** Default `default`. */
  readonly layer?: string;
  /** Only these cells, edges included. Default: all. */
  readonly region?: Region;
  /** Only what changed after this revision of an earlier answer. Default: all. */
  readonly since?: number;
  /** The most bytes of a message of the answer. Default 256 KiB. */
  readonly maxBytes?: number;
  /** How long the server may be silent, in ms: before its answer and within it. */
  readonly timeout: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** The map, or the part of it that was asked for. */
export interface MapView {
  readonly layer: string;
  readonly cells: ReadingBatch;
  /** Left out by servers of the original kind, as are the two that follow. */
  readonly revision?: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time?: number;
  /** Cells observed more than this before `time` are stale, ms. */
  readonly staleAfter?: number;
  /** See `MapMoment.began`: revisions compare only where it is the same. */
  readonly began?: number;
}

/** What an {@linkcode Asker} is given. */
export interface AskerOptions {
  readonly topics: Topics;
  /** The MQTT client id; the reply topic of the asker is named after it. */
  readonly name: string;
  /** Default `current`. */
  readonly wire?: Wire;
}

/** A question that waits for its answer. */
interface Pending {
  readonly heard: (reply: ReplyPart | ErrorReply) => void;
  readonly heardOriginal: (cells: ReadingBatch) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Asks a server for its map. The link must have been opened with
 * {@linkcode subscriptions} and {@linkcode handlersFor}. Questions may overlap;
 * on the original wire all that wait get the next answer.
 */
export class Asker {
  /** The MQTT client id. */
  readonly name: string;
  readonly #topics: Topics;
  readonly #wire: Wire;
  readonly #replyTopic: string;
  /** By transaction. */
  readonly #pending = new Map<string, Pending>();
  #serverState: "online" | "offline" | undefined;
  #transactions = 0;

  constructor({ topics, name, wire = "current" }: AskerOptions) {
    this.#topics = topics;
    this.name = name;
    this.#wire = wire;
    this.#replyTopic = wire === "original"
      ? topics.response
      : topics.responseFor(name);
  }

  /** The topics that the link must be subscribed to. */
  get subscriptions(): string[] {
    return [this.#replyTopic, this.#topics.state];
  }

  /** What the link must be opened with. */
  handlersFor(link: Link): LinkHandlers {
    return {
      message: (message) => {
        link.acknowledge([message]);
        if (message.topic === this.#topics.state) this.#noteState(message);
        else if (message.topic === this.#replyTopic && !message.retain) {
          this.#hear(message);
        }
      },
      failed: (error) => this.#fail(error),
    };
  }

  /** What the server says of itself; undefined if it has said nothing. */
  get serverState(): "online" | "offline" | undefined {
    return this.#serverState;
  }

  /**
   * Asks, and waits for the whole answer.
   *
   * @throws {NoAnswerError} if the server is silent for too long
   * @throws {RefusedError} if the server refuses the request
   * @throws {ProtocolError} if the answer is not one
   * @throws {LinkError} if the broker is gone for good
   * @throws What the signal was aborted with
   */
  async ask(link: Link, question: Question): Promise<MapView> {
    const { timeout, signal, region } = question;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<MapView>();
    const transaction = `${this.name}-${++this.#transactions}`;
    const silent = () => reject(this.silence(timeout));
    let timer = setTimeout(silent, timeout);
    const aborted = () => reject(signal!.reason);
    signal?.addEventListener("abort", aborted);
    const assembler = new ReplyAssembler();
    this.#pending.set(transaction, {
      failed: reject,
      heard: (part) => {
        clearTimeout(timer);
        timer = setTimeout(silent, timeout);
        if (part.status === "error") throw refusal(part);
        if (assembler.add(part)) resolve(viewOf(part, assembler.cells()));
      },
      // A server with the original wire always sends all cells.
      heardOriginal: (cells) =>
        resolve({
          layer: DEFAULT_LAYER,
          cells: region === undefined ? cells : cellsWithin(cells, region),
        }),
    });
    try {
      this.#publish(link, question, transaction).catch(reject);
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      this.#pending.delete(transaction);
    }
  }

  /** What to say of a server that has not answered for so many ms. */
  silence(timeout: number): NoAnswerError {
    const within = `within ${timeout / 1000} s`;
    if (this.#serverState === "online") {
      return new NoAnswerError(`The server did not answer ${within}`, {
        hint: "It may be busy: wait longer with --timeout 30s.",
      });
    }
    const { prefix } = this.#topics;
    return new NoAnswerError(
      this.#serverState === "offline"
        ? `The server of "${prefix}" is offline: no answer ${within}`
        : `No server answered for "${prefix}" ${within}`,
      {
        hint:
          `Start one with "occupancy server", or check --broker and --prefix.`,
      },
    );
  }

  #publish(
    link: Link,
    { layer, region, since, maxBytes }: Question,
    transaction: string,
  ): Promise<void> {
    const { request } = this.#topics;
    if (this.#wire === "original") {
      const payload = new TextEncoder().encode(ORIGINAL_REQUEST);
      return link.publish(request, payload, { qos: 1 });
    }
    const payload = encodeRequest({
      transaction,
      layer,
      region,
      since,
      maxBytes,
      replyTo: this.#replyTopic,
    });
    return link.publish(request, payload, {
      qos: 1,
      responseTopic: this.#replyTopic,
      contentType: "application/json",
    });
  }

  /** Gives an answer to the question that it answers. */
  #hear({ payload }: Incoming): void {
    if (this.#pending.size === 0) return;
    let asked: Pending | undefined;
    try {
      if (this.#wire === "original") {
        const cells = parseOriginal(payload);
        for (const { heardOriginal } of this.#pending.values()) {
          heardOriginal(cells);
        }
        return;
      }
      const reply = parseReply(payload);
      asked = this.#pending.get(String(reply.transaction));
      asked?.heard(reply); // if it is not there: an earlier question's
    } catch (error) {
      if (asked !== undefined) asked.failed(error);
      else this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    for (const { failed } of this.#pending.values()) failed(error);
  }

  #noteState({ payload }: Incoming): void {
    try {
      this.#serverState = parseState(payload).state;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#serverState = undefined;
    }
  }
}

/** Returns the cells of a batch that are in a region. */
export function cellsWithin(
  { length, x, y, value, time }: ReadingBatch,
  region: Region,
): ReadingBatch {
  const inside = new ReadingBatch();
  for (let i = 0; i < length; i++) {
    if (contains(region, x[i]!, y[i]!)) {
      inside.push(x[i]!, y[i]!, value[i]!, time[i]);
    }
  }
  return inside;
}

function viewOf(part: ReplyPart, cells: ReadingBatch): MapView {
  const { layer, revision, time, staleAfter, began } = part;
  return {
    layer,
    revision,
    time,
    cells,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(began !== undefined && { began }),
  };
}

function refusal({ code, message }: ErrorReply): RefusedError {
  return new RefusedError(code, `The server refused the request: ${message}`);
}
