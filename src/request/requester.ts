/**
 * Sends requests, and collects the parts of each reply.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import type { Incoming, Link, LinkHandlers } from "../mqtt/link.ts";
import {
  type AnyReply,
  encodeRequest,
  type ErrorReply,
  excerpt,
  ORIGINAL_REQUEST,
  parseAnyReply,
  parseOriginal,
  parseState,
  ProtocolError,
  type ReadingBatch,
  type RequestFields,
  type Topics,
} from "../protocol/mod.ts";
import { NoAnswerError, RefusedError } from "./errors.ts";
import { type MapQuery, mapQuestion, type MapView } from "./map_request.ts";
import { IgnoredMessages, type Question } from "./reply_collector.ts";
import {
  type ZonesQuery,
  zonesQuestion,
  type ZonesView,
} from "./zones_request.ts";

/** Maximum length of the reason in a reply, in UTF-16 code units. */
const MAX_REASON_LENGTH = 500;

/** The wire format: of this project, or of the original Python scripts. */
export type Wire = "current" | "original";

/** Options of {@linkcode Requester}. */
export interface RequesterOptions {
  readonly topics: Topics;
  /** The MQTT client id. The reply topic is derived from it. */
  readonly name: string;
  /** Default `current`. */
  readonly wire?: Wire;
}

/** A request without a complete reply. */
interface PendingRequest {
  /** @throws {ProtocolError} if the reply is not valid */
  readonly onReply: (reply: AnyReply) => void;
  readonly onOriginalReply: (cells: ReadingBatch) => void;
  readonly onError: (error: unknown) => void;
  readonly ignored: IgnoredMessages;
}

/**
 * Requests the map from a server. Open the link with {@linkcode subscriptions}
 * and {@linkcode handlersFor}. Requests may overlap; on the original wire,
 * which has no transactions, the next reply answers all pending requests.
 *
 * Any client may be able to publish on the reply topic: what is not an answer
 * to a request is ignored, and counted in the error if no answer arrives.
 */
export class Requester {
  /** The MQTT client id. */
  readonly name: string;
  readonly #topics: Topics;
  readonly #wire: Wire;
  readonly #replyTopic: string;
  /** By transaction. */
  readonly #pending = new Map<string, PendingRequest>();
  #serverState: "online" | "offline" | undefined;

  /** @throws {ProtocolError} "bad-reply-topic" if a topic cannot have the name */
  constructor({ topics, name, wire = "current" }: RequesterOptions) {
    this.#topics = topics;
    this.name = name;
    this.#wire = wire;
    this.#replyTopic = wire === "original"
      ? topics.response
      : topics.responseFor(name);
  }

  /** The topics to subscribe to. */
  get subscriptions(): string[] {
    return [this.#replyTopic, this.#topics.state];
  }

  /** Returns the handlers to open the link with. */
  handlersFor(link: Link): LinkHandlers {
    return {
      message: (message) => {
        link.acknowledge([message]);
        if (message.topic === this.#topics.state) this.#readState(message);
        else if (message.topic === this.#replyTopic) this.#receive(message);
      },
      failed: (error) => this.#failAll(error),
    };
  }

  /** The last received state of the server; undefined if none was received. */
  get serverState(): "online" | "offline" | undefined {
    return this.#serverState;
  }

  /**
   * Sends a request and waits for the whole reply.
   *
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request
   * @throws {LinkError} if the connection fails permanently
   * @throws the signal's reason if aborted
   */
  async request(link: Link, query: MapQuery): Promise<MapView> {
    return await this.ask(link, query, mapQuestion(query));
  }

  /**
   * Requests the states of zones, all of one moment.
   *
   * @throws {NoAnswerError} if the server does not reply in time
   * @throws {RefusedError} if the server rejects the request, "no-zone" if it
   * has no zone of a name, or "no-zones" if it is of a version without zones
   * @throws {LinkError} if the connection fails permanently
   * @throws the signal's reason if aborted
   */
  async requestZones(link: Link, query: ZonesQuery): Promise<ZonesView> {
    return await this.ask(link, query, zonesQuestion(query));
  }

  /**
   * Sends any request, and waits for the whole reply.
   *
   * @throws as {@linkcode request}
   */
  async ask<Result>(
    link: Link,
    { timeout, signal }: Pick<MapQuery, "timeout" | "signal">,
    { fields, read, readOriginal }: Question<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    // Random, so that a client that does not see the request cannot answer it.
    const transaction = crypto.randomUUID();
    const ignored = new IgnoredMessages(this.#replyTopic);
    const onTimeout = () => reject(this.noAnswerError(timeout, ignored));
    let timer = setTimeout(onTimeout, timeout);
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    this.#pending.set(transaction, {
      ignored,
      onError: reject,
      onReply: (reply) => {
        if (reply.status === "error") return reject(refusedError(reply));
        const answer = read(reply);
        if ("ignored" in answer) return ignored.add(answer.ignored);
        if ("error" in answer) return reject(answer.error);
        if (answer.isKnown) return;
        clearTimeout(timer);
        timer = setTimeout(onTimeout, timeout);
        if (answer.result !== undefined) resolve(answer.result);
      },
      onOriginalReply: (cells) => {
        if (readOriginal !== undefined) resolve(readOriginal(cells));
      },
    });
    try {
      this.#publish(link, fields, transaction).catch(reject);
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#pending.delete(transaction);
    }
  }

  /**
   * Returns the error for a server that did not reply within `timeout` ms.
   *
   * @param ignored the messages that were no answer
   */
  noAnswerError(timeout: number, ignored?: IgnoredMessages): NoAnswerError {
    const within = `within ${timeout / 1000} s`;
    const state = this.#serverState;
    const { prefix } = this.#topics;
    const message = state === "online"
      ? `The server did not answer ${within}`
      : state === "offline"
      ? `The server of "${prefix}" is offline: no answer ${within}`
      : `No server answered for "${prefix}" ${within}`;
    return new NoAnswerError(
      `${message}${ignored ?? ""}`,
      state,
      ignored?.count,
    );
  }

  #publish(
    link: Link,
    fields: RequestFields,
    transaction: string,
  ): Promise<void> {
    const { request } = this.#topics;
    if (this.#wire === "original") {
      const payload = new TextEncoder().encode(ORIGINAL_REQUEST);
      return link.publish(request, payload, { qos: 1 });
    }
    const payload = encodeRequest({
      ...fields,
      transaction,
      replyTo: this.#replyTopic,
    });
    return link.publish(request, payload, {
      qos: 1,
      responseTopic: this.#replyTopic,
      contentType: "application/json",
    });
  }

  /** Passes a reply to its request. Other messages are ignored. */
  #receive({ payload, retain }: Incoming): void {
    if (this.#pending.size === 0) return;
    if (retain) return this.#ignore("retained, so older than the request");
    try {
      if (this.#wire === "original") {
        const cells = parseOriginal(payload);
        for (const { onOriginalReply } of this.#pending.values()) {
          onOriginalReply(cells);
        }
        return;
      }
      const reply = parseAnyReply(payload);
      const request = this.#pending.get(String(reply.transaction));
      if (request === undefined) this.#ignore("a reply to another request");
      else request.onReply(reply);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#ignore(messageOf(error));
    }
  }

  #ignore(reason: string): void {
    for (const { ignored } of this.#pending.values()) ignored.add(reason);
  }

  #failAll(error: unknown): void {
    for (const { onError } of this.#pending.values()) onError(error);
  }

  #readState({ payload }: Incoming): void {
    try {
      this.#serverState = parseState(payload).state;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#serverState = undefined;
    }
  }
}

/** The reply may come from any program that can publish on the reply topic. */
function refusedError({ code, message }: ErrorReply): RefusedError {
  const reason = excerpt(message, MAX_REASON_LENGTH);
  return new RefusedError(
    excerpt(code),
    `The server refused the request: ${reason}`,
  );
}
