/**
 * Sends requests, and collects the parts of each reply.
 *
 * @module
 */
import { messageOf } from "../common/errors.ts";
import type { Incoming, Link, LinkHandlers } from "../mqtt/link.ts";
import {
  type AnyReply,
  contains,
  DEFAULT_LAYER,
  encodeRequest,
  type ErrorReply,
  excerpt,
  type LayerDisplay,
  ORIGINAL_REQUEST,
  parseAnyReply,
  parseOriginal,
  parseState,
  ProtocolError,
  ReadingBatch,
  type Region,
  ReplyAssembler,
  type ReplyPart,
  type RequestFields,
  sortedRegion,
  type Topics,
  ZonesAssembler,
  type ZonesPart,
} from "../protocol/mod.ts";
import { readZoneState } from "../zones/state_json.ts";
import type { ZoneState } from "../zones/zone_state.ts";
import { NoAnswerError, RefusedError } from "./errors.ts";
import {
  type Answer,
  IgnoredMessages,
  ReplyCollector,
} from "./reply_collector.ts";

/** Maximum length of the reason in a reply, in UTF-16 code units. */
const MAX_REASON_LENGTH = 500;

/** The wire format: of this project, or of the original Python scripts. */
export type Wire = "current" | "original";

/** Which part of the map to request, and how long to wait for the reply. */
export interface MapQuery {
  /** Default `default`. */
  readonly layer?: string;
  /** Only the cells of this region. Default: all. */
  readonly region?: Region;
  /**
   * Only the cells that changed after this revision of the same layer. Default:
   * all.
   */
  readonly since?: number;
  /** Maximum size of a message of the reply, in bytes. Default 256 KiB. */
  readonly maxBytes?: number;
  /** Maximum time to the first part of the reply and between parts, in ms. */
  readonly timeout: number;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/** The map, or the requested part of it, at one moment. */
export interface MapView {
  /** The layer. */
  readonly layer: string;
  /** The cells, each with the time of its observation. */
  readonly cells: ReadingBatch;
  /** Undefined on the original wire, as are the members below. */
  readonly revision?: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time?: number;
  /** Cells observed longer ago than this, before `time`, are stale, in ms. */
  readonly staleAfter?: number;
  /**
   * Identifies the map, see `MapMoment.began`. Revisions of different maps
   * cannot be compared.
   */
  readonly began?: number;
  /** How the server wants the layer to be shown. */
  readonly display?: LayerDisplay;
}

/** Options of {@linkcode Requester}. */
export interface RequesterOptions {
  readonly topics: Topics;
  /** The MQTT client id. The reply topic is derived from it. */
  readonly name: string;
  /** Default `current`. */
  readonly wire?: Wire;
}

/** Which zones to request, and how long to wait for the reply. */
export interface ZonesQuery
  extends Pick<MapQuery, "maxBytes" | "timeout" | "signal"> {
  /** The names of the zones. Default: all zones. */
  readonly names?: readonly string[];
}

/** The states of zones at one moment. */
export interface ZonesView {
  /**
   * The revision of the map that the states are of; if servers share a store,
   * the sum over its shards, while each state has the revision of its layer.
   */
  readonly revision: number;
  /** The server's time when it read the states, ms since 1970. */
  readonly time: number;
  /** In the order of the names, or of the server's zones. */
  readonly zones: readonly ZoneState[];
}

/** A request without a complete reply. */
interface PendingRequest {
  /** @throws {ProtocolError} if the reply is not valid */
  readonly onReply: (reply: AnyReply) => void;
  readonly onOriginalReply: (cells: ReadingBatch) => void;
  readonly onError: (error: unknown) => void;
  readonly ignored: IgnoredMessages;
}

/** A request and the meaning of its replies. */
export interface Question<Result> {
  readonly fields: RequestFields;
  readonly read: (part: Exclude<AnyReply, ErrorReply>) => Answer<Result>;
  readonly readOriginal?: (cells: ReadingBatch) => Result;
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
    const { layer = DEFAULT_LAYER, since, maxBytes } = query;
    const region = query.region && sortedRegion(query.region);
    const collector = new ReplyCollector<ReplyPart, ReplyAssembler, MapView>(
      () => new ReplyAssembler(),
      (reply) => viewOf(reply.header!, reply.cells()),
    );
    return await this.ask(link, query, {
      fields: { layer: query.layer, region: query.region, since, maxBytes },
      read: (part) => {
        if (!("layer" in part)) return { ignored: "not of cells" };
        if (part.layer !== layer) return { ignored: "of another layer" };
        return collector.add(part);
      },
      // The original request cannot name a region.
      readOriginal: (cells) => ({
        layer: DEFAULT_LAYER,
        cells: region === undefined ? cells : cellsWithin(cells, region),
      }),
    });
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
    const { names, maxBytes } = query;
    const collector = new ReplyCollector<ZonesPart, ZonesAssembler, ZonesView>(
      () => new ZonesAssembler(),
      (reply) => ({
        revision: reply.header!.revision,
        time: reply.header!.time,
        zones: reply.zones().map(readZoneState),
      }),
    );
    return await this.ask(link, query, {
      fields: { zones: names ?? true, maxBytes },
      read: (part) =>
        "zones" in part ? collector.add(part) : { error: noZonesError() },
    });
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
  const { layer, revision, time, staleAfter, began, display } = part;
  return {
    layer,
    revision,
    time,
    cells,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(began !== undefined && { began }),
    ...(display !== undefined && { display }),
  };
}

/** The reply may come from any program that can publish on the reply topic. */
function refusedError({ code, message }: ErrorReply): RefusedError {
  const reason = excerpt(message, MAX_REASON_LENGTH);
  return new RefusedError(
    excerpt(code),
    `The server refused the request: ${reason}`,
  );
}

function noZonesError(): RefusedError {
  return new RefusedError("no-zones", "The server does not know zones", {
    hint: "Its version is older than zones: update it.",
  });
}
