/**
 * The frame of all encoded records of the history: the format, and whether the
 * content is deflated (RFC 1951).
 *
 * | bytes | what |
 * |---|---|
 * | 1 | bits 0-6: format; bit 7: deflated |
 * | varint | only if deflated: number of bytes before |
 * | | the content |
 *
 * @module
 */

import { deflateRawSync, inflateRawSync } from "node:zlib";
import { messageOf } from "../common/errors.ts";
import { BinaryReader, BinaryWriter } from "../feed/binary.ts";

const DEFLATED = 0x80;
/** Shorter content does not get shorter. */
const MIN_DEFLATE_BYTES = 40;
/** A longer buffer is not kept for the next record. */
const KEPT_BYTES = 2 ** 20;

let writer = new BinaryWriter();

/**
 * Makes a record. Records are made one after the other: `write` must not call
 * this function.
 *
 * @param format 0 to 127
 * @param write writes the content
 * @param compress deflates the content, if that makes the record smaller; a
 * number: if it then has at most this part of the bytes
 */
export function pack(
  format: number,
  write: (writer: BinaryWriter) => void,
  compress: boolean | number,
): Uint8Array<ArrayBuffer> {
  writer.clear();
  writer.byte(format);
  write(writer);
  const plain = writer.peek();
  const deflated = compress !== false && plain.length > MIN_DEFLATE_BYTES
    ? deflate(plain.subarray(1), format)
    : plain;
  const maxBytes = Number(compress) * plain.length;
  const record = deflated.length < maxBytes ? deflated : plain.slice();
  if (plain.length > KEPT_BYTES) writer = new BinaryWriter();
  return record;
}

function deflate(
  content: Uint8Array,
  format: number,
): Uint8Array<ArrayBuffer> {
  const head = new BinaryWriter();
  head.byte(format | DEFLATED);
  head.uint(content.length);
  head.raw(deflateRawSync(content));
  return head.finish();
}

/**
 * Opens a record.
 *
 * @param bytes of {@linkcode pack}, from any source
 * @param format the one that the reader knows
 * @param maxBytes of the content: more are never inflated
 * @returns a reader of the content
 * @throws {RangeError} if the bytes are not valid
 */
export function unpack(
  bytes: Uint8Array,
  format: number,
  maxBytes: number,
): BinaryReader {
  const head = new BinaryReader(bytes);
  const first = head.byte();
  if ((first & ~DEFLATED) !== format) {
    throw new RangeError(`it has format ${first & ~DEFLATED}, not ${format}`);
  }
  if ((first & DEFLATED) === 0) return head;
  const length = head.uint();
  // No deflated byte makes more than 1032.
  if (length === 0 || length > maxBytes || length > 1032 * head.left) {
    throw new RangeError(`it cannot have ${length} bytes`);
  }
  const content = inflate(bytes.subarray(bytes.length - head.left), length);
  if (content.length !== length) {
    throw new RangeError(`it has ${content.length} bytes, not ${length}`);
  }
  return new BinaryReader(content);
}

function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw new RangeError(`it cannot be inflated: ${messageOf(error)}`);
  }
}

/** @throws {RangeError} if a record has more bytes than its content */
export function expectEnd(reader: BinaryReader): void {
  if (reader.left > 0) {
    throw new RangeError(`${reader.left} bytes follow its end`);
  }
}
