/**
 * The headers of replies, and error replies.
 *
 * @module
 */

import type { Scalar } from "./request.ts";
import { encodeText } from "./text.ts";

/** The header that all parts of a reply share. */
export interface ReplyHeader extends MapMoment {
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
  /** The layer of the cells. */
  readonly layer: string;
  /** The revision of the map; equal in all parts. */
  readonly revision: number;
}

/** The reply to a refused request. */
export interface ErrorReply {
  /** Distinguishes it from a reply with cells. */
  readonly status: "error";
  /** The transaction of the request; absent if it had no valid one. */
  readonly transaction?: Scalar;
  /** What is wrong, in kebab case. */
  readonly code: string;
  /** What is wrong, for people. */
  readonly message: string;
}

/** The fields of an error reply; a {@linkcode RequestError} has them. */
export interface ErrorReplyFields {
  /** The transaction of the request, if it is valid. */
  readonly transaction?: Scalar;
  /** What is wrong, in kebab case. */
  readonly code: string;
  /** What is wrong, for people. */
  readonly message: string;
}

/** Encodes `{"transaction":…,"status":"error","error":{"code":…,"message":…}}`. */
export function encodeErrorReply(
  { transaction, code, message }: ErrorReplyFields,
): Uint8Array<ArrayBuffer> {
  return encodeText(JSON.stringify({
    transaction, // omitted if undefined
    status: "error",
    error: { code, message },
  }));
}

/** The moment of a reply or delta, and the rules that applied. */
export interface MapMoment {
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /**
   * Cells observed more than this before `time` are stale, in ms. Absent if cells
   * never become stale.
   */
  readonly staleAfter?: number;
  /**
   * The start of the map, ms since 1970, if the server does not store it; absent if
   * it does. Maps with different starts are different maps: their revisions are not
   * comparable.
   */
  readonly began?: number;
}

/** Returns the JSON fields of a moment. */
export function sharedFields(
  { time, staleAfter, began }: MapMoment,
): Record<string, unknown> {
  return {
    time,
    ...(staleAfter !== undefined && Number.isFinite(staleAfter) &&
      { staleAfter }),
    ...(began !== undefined && { began }),
  };
}
