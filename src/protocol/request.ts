/**
 * Parses requests: for the map, its past, zones or sources.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import {
  type PastMapQuery,
  readPastMapQuery,
  readSeriesQuery,
  type SeriesQuery,
} from "./past_query.ts";
import type { Region } from "./region.ts";
import {
  readFormat,
  readLayer,
  readMaxBytes,
  readRegion,
  readSince,
  type ReplyFormat,
} from "./request_fields.ts";
import {
  afterByteOrderMark,
  describeJson,
  encodeText,
  isJsonObject,
  parseJson,
  skipBlank,
} from "./text.ts";
import type { Topics } from "./topics.ts";
import { readSourceQuery } from "./source_query.ts";
import type { SourceQuery } from "./sources.ts";
import { readZoneNames } from "./zone_names.ts";

/** A JSON value that is neither object nor array. */
export type Scalar = string | number | boolean | null;

/** Maximum size of a transaction as JSON, in bytes. */
export const MAX_TRANSACTION_BYTES = 256;

const OPEN_BRACE = 0x7b;

/** The topic of a reply, and the data to echo in it. */
export interface ReplyRouting {
  /** The topic of the reply; always a valid one. */
  readonly replyTopic: string;
  /** MQTT 5 Correlation Data, to be echoed. */
  readonly correlationData?: Uint8Array;
}

/** A request of the original clients: any payload that is not a JSON object. */
export interface OriginalMapRequest extends ReplyRouting {
  /** Distinguishes it from a {@linkcode LayerMapRequest}. */
  readonly kind: "original";
  /** The parse error of a payload that starts with `{` and is not JSON. */
  readonly malformed?: ProtocolError;
}

/** A request as a JSON object. */
export interface LayerMapRequest extends ReplyRouting {
  /** Distinguishes it from an {@linkcode OriginalMapRequest}. */
  readonly kind: "map";
  /** A value to echo in the reply; absent if the request has none. */
  readonly transaction?: Scalar;
  /** The requested layer. */
  readonly layer: string;
  /** Only the cells in this region. Default: all. */
  readonly region?: Region;
  /** Only cells that changed after this revision. Default: all. */
  readonly since?: number;
  /** The format of the reply. */
  readonly format: ReplyFormat;
  /** Maximum size of a part, in bytes. */
  readonly maxBytes: number;
}

/** A request for cells. */
export type MapRequest = OriginalMapRequest | LayerMapRequest;

/** A request for the states of zones, as a JSON object. */
export interface ZonesRequest extends ReplyRouting {
  /** Distinguishes it from a {@linkcode MapRequest}. */
  readonly kind: "zones";
  /** A value to echo in the reply; absent if the request has none. */
  readonly transaction?: Scalar;
  /** The names of the zones, each once; absent: all zones. */
  readonly names?: readonly string[];
  /** Maximum size of a part, in bytes. */
  readonly maxBytes: number;
}

/** A request for the sources of readings, as a JSON object. */
export interface SourcesRequest extends ReplyRouting {
  /** Distinguishes it from a {@linkcode MapRequest}. */
  readonly kind: "sources";
  /** A value to echo in the reply; absent if the request has none. */
  readonly transaction?: Scalar;
  /** Which sources. */
  readonly query: SourceQuery;
  /** Maximum size of a part, in bytes. */
  readonly maxBytes: number;
}

/** A request for the map as it was at a time, as a JSON object. */
export interface PastMapRequest extends ReplyRouting, PastMapQuery {
  /** Distinguishes it from a {@linkcode MapRequest}. */
  readonly kind: "past";
  /** A value to echo in the reply; absent if the request has none. */
  readonly transaction?: Scalar;
  /** Maximum size of a part, in bytes. */
  readonly maxBytes: number;
}

/** A request for the counts of a zone or a region, step by step. */
export interface SeriesRequest extends ReplyRouting, SeriesQuery {
  /** Distinguishes it from a {@linkcode MapRequest}. */
  readonly kind: "series";
  /** A value to echo in the reply; absent if the request has none. */
  readonly transaction?: Scalar;
  /** Maximum size of a part, in bytes. */
  readonly maxBytes: number;
}

/** The result of {@linkcode parseRequest}. */
export type ParsedRequest =
  | MapRequest
  | PastMapRequest
  | SeriesRequest
  | ZonesRequest
  | SourcesRequest;

/** A refused request, with everything that the error reply needs. */
export class RequestError extends ProtocolError implements ReplyRouting {
  /** The name of the class. */
  override readonly name = "RequestError";
  /** The transaction of the request, if it is valid. */
  readonly transaction?: Scalar;
  /** The topic of the error reply. */
  readonly replyTopic: string;
  /** MQTT 5 Correlation Data, to be echoed. */
  readonly correlationData?: Uint8Array;

  /**
   * Makes an error for a refused request.
   *
   * @param error why the request is refused
   * @param routing where to send the error reply
   * @param transaction the transaction of the request, if it is valid
   */
  constructor(
    error: ProtocolError,
    routing: ReplyRouting,
    transaction?: Scalar,
  ) {
    super(error.code, error.message, { hint: error.hint, cause: error });
    this.replyTopic = routing.replyTopic;
    if (routing.correlationData !== undefined) {
      this.correlationData = routing.correlationData;
    }
    if (transaction !== undefined) this.transaction = transaction;
  }
}

/** Options of {@linkcode parseRequest}. */
export interface ParseRequestOptions {
  /** The topics of this server. */
  readonly topics: Topics;
  /** MQTT 5 Response Topic (3.3.2.3.5); overrides `replyTo`. */
  readonly responseTopic?: string | undefined;
  /** MQTT 5 Correlation Data (3.3.2.3.6). */
  readonly correlationData?: Uint8Array | undefined;
}

/**
 * Parses a request. Any payload that is not a JSON object is a request of the
 * original clients.
 *
 * @param payload the application message
 * @param options the topics, and the MQTT 5 properties of the message
 * @throws {RequestError} "bad-transaction", "bad-reply-topic",
 * "bad-sources", "bad-zones", "bad-zone", "bad-layer", "bad-region",
 * "bad-since", "bad-format", "bad-time", "bad-step", "bad-timezone" or
 * "bad-max-bytes"
 */
export function parseRequest(
  payload: Uint8Array,
  options: ParseRequestOptions,
): ParsedRequest {
  const { body, malformed } = readObject(payload);
  const { routing, fault: badTopic } = readRouting(body?.replyTo, options);
  let transaction: Scalar | undefined;
  try {
    transaction = readTransaction(body?.transaction);
    if (badTopic !== undefined) throw badTopic;
    if (body === undefined) {
      return {
        kind: "original",
        ...routing,
        ...(malformed !== undefined && { malformed }),
      };
    }
    const echo = transaction === undefined ? {} : { transaction };
    const query = readSourceQuery(body);
    if (query !== undefined) {
      const maxBytes = readMaxBytes(body.maxBytes);
      return { kind: "sources", ...routing, ...echo, query, maxBytes };
    }
    const zones = readZoneNames(body);
    if (zones !== undefined) {
      const maxBytes = readMaxBytes(body.maxBytes);
      const names = zones === "all" ? {} : { names: zones };
      return { kind: "zones", ...routing, ...echo, ...names, maxBytes };
    }
    const past = readPastMapQuery(body);
    if (past !== undefined) {
      const maxBytes = readMaxBytes(body.maxBytes);
      return { kind: "past", ...routing, ...echo, ...past, maxBytes };
    }
    const series = readSeriesQuery(body);
    if (series !== undefined) {
      const maxBytes = readMaxBytes(body.maxBytes);
      return { kind: "series", ...routing, ...echo, ...series, maxBytes };
    }
    return {
      kind: "map",
      ...routing,
      ...echo,
      layer: readLayer(body.layer),
      ...readRegion(body.region),
      ...readSince(body.since),
      format: readFormat(body.format),
      maxBytes: readMaxBytes(body.maxBytes),
    };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new RequestError(error, routing, transaction);
  }
}

function readObject(
  payload: Uint8Array,
): { body?: Record<string, unknown>; malformed?: ProtocolError } {
  const first = skipBlank(payload, afterByteOrderMark(payload));
  if (payload[first] !== OPEN_BRACE) return {};
  try {
    return { body: parseJson(payload) as Record<string, unknown> };
  } catch (error) {
    return { malformed: error as ProtocolError };
  }
}

function readTransaction(value: unknown): Scalar | undefined {
  if (value === undefined) return undefined;
  if (isJsonObject(value) || Array.isArray(value)) {
    throw new ProtocolError(
      "bad-transaction",
      `transaction is ${
        describeJson(value)
      }, not a string, number, boolean or null`,
    );
  }
  const scalar = value as Scalar;
  if (typeof scalar === "number" && !isEchoable(scalar)) {
    throw new ProtocolError(
      "bad-transaction",
      `transaction ${scalar} is a number that cannot be echoed exactly`,
      { hint: "Send it as a string." },
    );
  }
  // A UTF-16 code unit takes at least one byte: do not encode a long text.
  const json = JSON.stringify(scalar);
  if (
    json.length > MAX_TRANSACTION_BYTES ||
    encodeText(json).length > MAX_TRANSACTION_BYTES
  ) {
    throw new ProtocolError(
      "bad-transaction",
      `transaction has over ${MAX_TRANSACTION_BYTES} bytes`,
    );
  }
  return scalar;
}

/** Returns true if a double holds the number exactly (RFC 8259, 6). */
function isEchoable(number: number): boolean {
  return Number.isInteger(number)
    ? Number.isSafeInteger(number)
    : Number.isFinite(number);
}

/** Returns the topic of the reply, or of the error reply if it is invalid. */
function readRouting(
  replyTo: unknown,
  { topics, responseTopic, correlationData }: ParseRequestOptions,
): { routing: ReplyRouting; fault?: ProtocolError } {
  const echo = correlationData === undefined ? {} : { correlationData };
  let replyTopic = topics.response;
  try {
    if (responseTopic !== undefined) {
      topics.assertReplyTopic(responseTopic);
      replyTopic = responseTopic;
    }
    if (replyTo !== undefined && replyTo !== null) {
      if (typeof replyTo !== "string") {
        throw new ProtocolError(
          "bad-reply-topic",
          `replyTo is not a string: ${describeJson(replyTo)}`,
        );
      }
      topics.assertReplyTopic(replyTo);
      if (responseTopic === undefined) replyTopic = replyTo;
    }
    return { routing: { replyTopic, ...echo } };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { routing: { replyTopic, ...echo }, fault: error };
  }
}
