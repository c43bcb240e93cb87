/**
 * What the server publishes in answer to a request.
 *
 * @module
 */
import { encodeErrorReply, type RequestError } from "../protocol/mod.ts";

/** The payloads of a reply. All have the same revision. */
export interface ReplyBody {
  /** Number of parts. */
  readonly length: number;
  /** Memory that the reply needs until its last part is sent, in bytes. */
  readonly bytes: number;
  /** Replies with the same owner share this memory. Default: the body. */
  readonly owner?: object;
  /**
   * Returns a part.
   *
   * @param index from 0
   */
  part(index: number): Uint8Array;
}

/** A reply to publish. */
export interface Reply {
  readonly topic: string;
  readonly body: ReplyBody;
  readonly correlationData: Uint8Array | undefined;
  readonly contentType: string | undefined;
}

/** Returns a body of one part. */
export function singlePart(payload: Uint8Array): ReplyBody {
  return { length: 1, bytes: payload.length, part: () => payload };
}

/** Writes the reply to a request that is invalid or cannot be answered. */
export function writeErrorReply(error: RequestError): Reply {
  return {
    topic: error.replyTopic,
    body: singlePart(encodeErrorReply(error)),
    correlationData: error.correlationData,
    contentType: "application/json",
  };
}
