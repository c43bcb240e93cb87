/** What replies are made of, and the replies that carry no cells. */

import type { Scalar } from "./request.ts";
import { encodeText } from "./text.ts";

/** What all parts of a reply say alike. */
export interface ReplyHeader {
  /** The request's transaction; left out if it had none. */
  readonly transaction?: Scalar;
  /** The layer that the cells are of. */
  readonly layer: string;
  /** The revision that the cells are at: one for all parts. */
  readonly revision: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /**
   * A cell is stale if it was observed more than this before `time`, ms; left
   * out if cells do not turn stale.
   */
  readonly staleAfter?: number;
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

/** The start of a part's header, up to and with `"part":`. */
export function headerStart(header: ReplyHeader): string {
  const { transaction, layer, revision, time, staleAfter } = header;
  const start = JSON.stringify({
    transaction,
    status: "ok",
    layer,
    revision,
    time,
    ...(staleAfter !== undefined && Number.isFinite(staleAfter) &&
      { staleAfter }),
  });
  return start.slice(0, -1) + ',"part":';
}
