/** Requests for the map: what a client asks, and where it wants the answer. */

import { ProtocolError } from "./errors.ts";
import { isInt32, type Region, regionFrom } from "./region.ts";
import {
  afterByteOrderMark,
  describeJson,
  encodeText,
  isJsonObject,
  parseJson,
  skipBlank,
} from "./text.ts";
import { assertLayer, DEFAULT_LAYER, type Topics } from "./topics.ts";

/** A JSON value that is neither object nor array. */
export type Scalar = string | number | boolean | null;

/** The form of a reply; "original" is {@linkcode OriginalWriter}'s. */
export type ReplyFormat = "json" | "csv" | "original";

/** The size of a part unless a request says otherwise, bytes. */
export const DEFAULT_MAX_BYTES = 256 * 1024;

/** The smallest part that can be asked for: it holds any header and a cell. */
export const LEAST_MAX_BYTES = 1024;

/**
 * The largest part that can be asked for. An MQTT packet has at most
 * 268,435,455 bytes behind its fixed header (MQTT 3.1.1, 2.2.3); this leaves
 * room for topic and properties.
 */
export const MOST_MAX_BYTES = 268_000_000;

/** The most bytes of a transaction's JSON. */
export const MAX_TRANSACTION_BYTES = 256;

const FORMATS: readonly string[] = ["json", "csv", "original"];
const OPEN_BRACE = 0x7b;

/** Where an answer goes and how the requester will know it. */
export interface ReplyRouting {
  /** The topic of the reply; valid, whatever was asked for. */
  readonly replyTopic: string;
  /** MQTT 5 Correlation Data, to be echoed byte for byte. */
  readonly correlationData?: Uint8Array;
}

/** A request as the original clients send it: any payload but a JSON object. */
export interface OriginalMapRequest extends ReplyRouting {
  readonly kind: "original";
  /** Why the payload is no JSON object though it starts like one. */
  readonly malformed?: string;
}

/** A request as a JSON object. */
export interface LayerMapRequest extends ReplyRouting {
  readonly kind: "map";
  /** To be echoed; left out if the request has none. */
  readonly transaction?: Scalar;
  /** The layer asked for. */
  readonly layer: string;
  /** Only the cells in it; all if left out. */
  readonly region?: Region;
  /** Only what changed after this revision; all if left out. */
  readonly since?: number;
  /** The form of the reply. */
  readonly format: ReplyFormat;
  /** The most bytes of a part. */
  readonly maxBytes: number;
}

/** What {@linkcode parseRequest} returns. */
export type MapRequest = OriginalMapRequest | LayerMapRequest;

/** A request that is refused, with all that the error reply needs. */
export class RequestError extends ProtocolError implements ReplyRouting {
  override readonly name = "RequestError";
  /** The request's transaction, if it has a valid one. */
  readonly transaction?: Scalar;
  readonly replyTopic: string;
  readonly correlationData?: Uint8Array;

  /**
   * @param error What is wrong
   * @param routing Where the error reply goes
   * @param transaction The request's, if it has a valid one
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
  /** MQTT 5 Response Topic (3.3.2.3.5); it wins over `replyTo`. */
  readonly responseTopic?: string | undefined;
  /** MQTT 5 Correlation Data (3.3.2.3.6). */
  readonly correlationData?: Uint8Array | undefined;
}

/**
 * Parses a request. A payload that is not a JSON object, whatever it is, is the
 * request of the original clients.
 *
 * @param payload The application message
 * @param options The topics, and what came beside the payload
 * @throws {RequestError} "bad-transaction", "bad-reply-topic", "bad-layer",
 * "bad-region", "bad-since", "bad-format" or "bad-max-bytes"
 */
export function parseRequest(
  payload: Uint8Array,
  options: ParseRequestOptions,
): MapRequest {
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
    return {
      kind: "map",
      ...routing,
      ...(transaction !== undefined && { transaction }),
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
): { body?: Record<string, unknown>; malformed?: string } {
  const first = skipBlank(payload, afterByteOrderMark(payload));
  if (payload[first] !== OPEN_BRACE) return {};
  try {
    return { body: parseJson(payload) as Record<string, unknown> };
  } catch (error) {
    return { malformed: (error as ProtocolError).message };
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
      `transaction ${scalar} is a number that would not be echoed exactly`,
      { hint: "Send it as a string." },
    );
  }
  // A code unit is at least a byte: the long need no encoding.
  const json = JSON.stringify(scalar);
  if (
    json.length > MAX_TRANSACTION_BYTES ||
    encodeText(json).length > MAX_TRANSACTION_BYTES
  ) {
    throw new ProtocolError(
      "bad-transaction",
      `transaction takes over ${MAX_TRANSACTION_BYTES} bytes`,
    );
  }
  return scalar;
}

/** Of the integers, those that a double holds exactly (RFC 8259, 6). */
function isEchoable(number: number): boolean {
  return Number.isInteger(number)
    ? Number.isSafeInteger(number)
    : Number.isFinite(number);
}

/** Where an answer goes; with a fault, where the answer that tells it goes. */
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

function readLayer(value: unknown): string {
  if (value === undefined || value === null) return DEFAULT_LAYER;
  if (typeof value !== "string") {
    throw new ProtocolError(
      "bad-layer",
      `layer is not a string: ${describeJson(value)}`,
    );
  }
  assertLayer(value);
  return value;
}

function readRegion(value: unknown): { region?: Region } {
  if (value === undefined || value === null) return {};
  const problem = regionProblem(value);
  if (problem !== undefined) {
    throw new ProtocolError("bad-region", problem, {
      hint: "Send [x0,y0,x1,y1], the edges included.",
    });
  }
  return { region: regionFrom(value)! };
}

function regionProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) {
    return `region is not an array: ${describeJson(value)}`;
  }
  if (value.length !== 4) {
    return `region has ${value.length} numbers, not four`;
  }
  for (const [index, name] of ["x0", "y0", "x1", "y1"].entries()) {
    const number: unknown = value[index];
    if (!isInt32(number)) {
      const shown = describeJson(number);
      return `${name} of the region is not a 32-bit integer: ${shown}`;
    }
  }
  const [x0, y0, x1, y1] = value as [number, number, number, number];
  if (x0 > x1) return `x0 of the region (${x0}) is greater than x1 (${x1})`;
  if (y0 > y1) return `y0 of the region (${y0}) is greater than y1 (${y1})`;
  return undefined;
}

function readSince(value: unknown): { since?: number } {
  if (value === undefined || value === null) return {};
  if (!Number.isSafeInteger(value) || value as number < 0) {
    throw new ProtocolError(
      "bad-since",
      `since is not a revision (an integer of 0 or more): ${
        describeJson(value)
      }`,
    );
  }
  return { since: value as number + 0 };
}

function readFormat(value: unknown): ReplyFormat {
  if (value === undefined || value === null) return "json";
  if (typeof value !== "string" || !FORMATS.includes(value)) {
    throw new ProtocolError(
      "bad-format",
      `format is none of json, csv and original: ${describeJson(value)}`,
    );
  }
  return value as ReplyFormat;
}

function readMaxBytes(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_MAX_BYTES;
  if (
    !Number.isInteger(value) ||
    value as number < LEAST_MAX_BYTES || value as number > MOST_MAX_BYTES
  ) {
    throw new ProtocolError(
      "bad-max-bytes",
      `maxBytes is not an integer from ${LEAST_MAX_BYTES} to ` +
        `${MOST_MAX_BYTES}: ${describeJson(value)}`,
    );
  }
  return value as number;
}

/** What a client may ask for; all of it optional. */
export interface RequestFields {
  readonly transaction?: Scalar | undefined;
  readonly layer?: string | undefined;
  readonly region?: Region | undefined;
  readonly since?: number | undefined;
  readonly format?: ReplyFormat | undefined;
  /** The reply topic, for those who cannot send an MQTT 5 Response Topic. */
  readonly replyTo?: string | undefined;
  readonly maxBytes?: number | undefined;
}

/** Writes a request as JSON. It is the server that checks it. */
export function encodeRequest(
  fields: RequestFields = {},
): Uint8Array<ArrayBuffer> {
  const { region, ...rest } = fields;
  return encodeText(JSON.stringify({
    ...rest,
    ...(region && { region: [region.x0, region.y0, region.x1, region.y1] }),
  }));
}
