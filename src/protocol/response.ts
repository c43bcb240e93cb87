/** What replies are made of, and the replies that carry no cells. */

import type { Scalar } from "./request.ts";
import { encodeText } from "./text.ts";

/** What all parts of a reply say alike. */
export interface ReplyHeader extends MapMoment {
  /** The request's transaction; left out if it had none. */
  readonly transaction?: Scalar;
  /** The layer that the cells are of. */
  readonly layer: string;
  /** The revision that the cells are at: one for all parts. */
  readonly revision: number;
}

/** The answer to a request that was refused. */
export interface ErrorReply {
  readonly status: "error";
  /** The request's transaction; left out if it had no valid one. */
  readonly transaction?: Scalar;
  /** What is wrong, in kebab case. */
  readonly code: string;
  /** What is wrong, for people. */
  readonly message: string;
}

/** What {@linkcode encodeErrorReply} writes; a {@linkcode RequestError} fits. */
export interface ErrorReplyFields {
  readonly transaction?: Scalar;
  readonly code: string;
  readonly message: string;
}

/** Writes `{"transaction":…,"status":"error","error":{"code":…,"message":…}}`. */
export function encodeErrorReply(
  { transaction, code, message }: ErrorReplyFields,
): Uint8Array<ArrayBuffer> {
  return encodeText(JSON.stringify({
    transaction, // left out if undefined
    status: "error",
    error: { code, message },
  }));
}

/** What replies and deltas say alike of when and under which rules they were made. */
export interface MapMoment {
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /**
   * A cell is stale if it was observed more than this before `time`, ms; left
   * out if cells do not turn stale.
   */
  readonly staleAfter?: number;
  /**
   * When the server began the map, ms since 1970, if the map ends with the
   * server; left out if it is kept. Where it differs, it is another map, whose
   * revisions do not compare.
   */
  readonly began?: number;
}

/** A moment as it is sent: without what has no value. */
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
