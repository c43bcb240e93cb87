/**
 * Writes replies with cells, and error replies.
 *
 * @module
 */

import type { LayerDisplay } from "./display.ts";
import {
  encodeHeaderStart,
  type MapMoment,
  momentFields,
  PartWriter,
} from "./part_writer.ts";
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
  /** How to show the layer. Absent also if a part is too small for it. */
  readonly display?: LayerDisplay;
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

/** The reply to a refused request, as {@linkcode parseReply} returns it. */
export interface ErrorReply extends ErrorReplyFields {
  /** Distinguishes it from a reply with cells. */
  readonly status: "error";
}

/**
 * Encodes an error reply as JSON.
 *
 * @param fields transaction, code and message
 * @returns the payload
 */
export function encodeErrorReply(
  { transaction, code, message }: ErrorReplyFields,
): Uint8Array<ArrayBuffer> {
  return encodeText(JSON.stringify({
    transaction, // omitted if undefined
    status: "error",
    error: { code, message },
  }));
}

/** The bytes of a part without the start of the header, for one cell. */
const PART_RESERVE_BYTES = 160;

/** Options of {@linkcode ReplyWriter}. */
export interface ReplyWriterOptions extends ReplyHeader {
  /** JSON, or CSV after a header line that starts with `#`. */
  readonly format: "json" | "csv";
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/**
 * Writes a reply cell by cell, directly into the parts to publish.
 *
 * @example
 * ```ts
 * import { ReplyWriter } from "./reply_writer.ts";
 *
 * const writer = new ReplyWriter({
 *   layer: "default",
 *   revision: 812,
 *   time: 1700000000000,
 *   format: "json",
 *   maxBytes: 262144,
 * });
 * writer.cell(1, 2, 1, 1699999999000);
 * const parts = writer.finish();
 * console.log(new TextDecoder().decode(parts[0]));
 * // {"status":"ok","layer":"default",…,"cells":[[1,2,1,1699999999000]]}
 * ```
 */
export class ReplyWriter extends PartWriter {
  /**
   * Starts a reply.
   *
   * @param options header, format and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header and a cell
   */
  constructor(options: ReplyWriterOptions) {
    const { format, maxBytes } = options;
    const form = format === "json" ? "cells" : format;
    super({ headerStart: encodeReplyHeader(options), form, maxBytes });
  }
}

/**
 * Encodes the header of a reply up to the number of the part.
 *
 * @param options header, format and maximum size of parts
 */
export function encodeReplyHeader(options: ReplyWriterOptions): string {
  const { transaction, layer, revision, display, maxBytes } = options;
  const header = {
    transaction, // omitted if undefined
    status: "ok",
    layer,
    revision,
    ...momentFields(options),
  };
  const headerStart = encodeHeaderStart({ ...header, display });
  return display !== undefined &&
      encodeText(headerStart).length + PART_RESERVE_BYTES > maxBytes
    ? encodeHeaderStart(header)
    : headerStart;
}
