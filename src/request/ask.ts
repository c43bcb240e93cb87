import type { Incoming, Link, LinkHandlers } from "../mqtt/link.ts";
import {
  DEFAULT_LAYER,
  encodeRequest,
  type ErrorReply,
  ORIGINAL_REQUEST,
  parseOriginal,
  parseReply,
  parseState,
  ProtocolError,
  type ReadingBatch,
  ReplyAssembler,
  type ReplyPart,
  type RequestRegion,
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
  readonly region?: RequestRegion;
  /** How long the server may be silent, in ms: before its answer and within it. */
  readonly timeout: number;
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
}

/** What an {@linkcode Asker} is given. */
export interface AskerOptions {
  readonly topics: Topics;
  /** The MQTT client id; the reply topic of the asker is named after it. */
  readonly name: string;
  /** Default `current`. */
  readonly wire?: Wire;
}

/** The one question that is being asked. */
interface Pending {
  readonly heard: (message: Incoming) => void;
  readonly failed: (error: Error) => void;
}

/**
 * Asks a server for its map. One question at a time; the link must have been
 * opened with {@linkcode subscriptions} and {@linkcode handlersFor}.
 */
export class Asker {
  /** The MQTT client id. */
  readonly name: string;
  readonly #topics: Topics;
  readonly #wire: Wire;
  readonly #replyTopic: string;
  #pending: Pending | undefined;
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
          this.#pending?.heard(message);
        }
      },
      failed: (error) => this.#pending?.failed(error),
    };
  }

  /**
   * Asks, and waits for the whole answer.
   *
   * @throws {NoAnswerError} if the server is silent for too long
   * @throws {RefusedError} if the server refuses the request
   * @throws {ProtocolError} if the answer is not one
   * @throws {LinkError} if the broker is gone for good
   */
  async ask(link: Link, question: Question): Promise<MapView> {
    const { promise, resolve, reject } = Promise.withResolvers<MapView>();
    const { timeout } = question;
    const silent = () => reject(this.#silence(timeout));
    let timer = setTimeout(silent, timeout);
    const stillThere = () => {
      clearTimeout(timer);
      timer = setTimeout(silent, timeout);
    };
    try {
      const payload = this.#wire === "original"
        ? this.#expectOriginal(resolve, reject)
        : this.#expectReply(question, resolve, reject, stillThere);
      link.publish(this.#topics.request, payload, {
        qos: 1,
        ...(this.#wire === "current" && {
          responseTopic: this.#replyTopic,
          contentType: "application/json",
        }),
      }).catch(reject);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending = undefined;
    }
  }

  /** Waits for the parts of our reply; returns the request. */
  #expectReply(
    { layer, region }: Question,
    resolve: (view: MapView) => void,
    reject: (error: unknown) => void,
    stillThere: () => void,
  ): Uint8Array {
    const transaction = `${this.name}-${++this.#transactions}`;
    const assembler = new ReplyAssembler();
    this.#pending = {
      failed: reject,
      heard: (message) => {
        try {
          const part = parseReply(message.payload);
          if (part.transaction !== transaction) return; // an earlier question's
          stillThere();
          if (part.status === "error") throw refusal(part);
          if (assembler.add(part)) resolve(viewOf(part, assembler.cells()));
        } catch (error) {
          reject(error);
        }
      },
    };
    return encodeRequest({
      transaction,
      layer,
      region,
      replyTo: this.#replyTopic,
    });
  }

  /** Waits for the original form, on the topic that all share; returns the request. */
  #expectOriginal(
    resolve: (view: MapView) => void,
    reject: (error: unknown) => void,
  ): Uint8Array {
    this.#pending = {
      failed: reject,
      heard: ({ payload }) => {
        try {
          resolve({ layer: DEFAULT_LAYER, cells: parseOriginal(payload) });
        } catch (error) {
          reject(error);
        }
      },
    };
    return new TextEncoder().encode(ORIGINAL_REQUEST);
  }

  #noteState({ payload }: Incoming): void {
    try {
      this.#serverState = parseState(payload).state;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#serverState = undefined;
    }
  }

  #silence(timeout: number): NoAnswerError {
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
}

function viewOf(part: ReplyPart, cells: ReadingBatch): MapView {
  const { layer, revision, time, staleAfter } = part;
  return {
    layer,
    revision,
    time,
    cells,
    ...(staleAfter !== undefined && { staleAfter }),
  };
}

function refusal({ code, message }: ErrorReply): RefusedError {
  return new RefusedError(code, `The server refused the request: ${message}`);
}
