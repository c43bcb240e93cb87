/**
 * Encodes and decodes text and JSON, and quotes received text in messages.
 *
 * @module
 */

import { excerpt, MAX_EXCERPT_LENGTH } from "../common/printable.ts";
import { ProtocolError } from "./errors.ts";

const encoder = new TextEncoder();
// ignoreBOM keeps a second byte order mark, which JSON refuses.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Encodes text as UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Decodes bytes `from` to `to` (exclusive); invalid UTF-8 becomes U+FFFD. */
export function decodeText(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  return lenient.decode(bytes.subarray(from, to));
}

/** Returns the offset of the text after a UTF-8 byte order mark, if any. */
export function afterByteOrderMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Returns the index of the first byte from `at` on that is not white space. */
export function skipBlank(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && isBlank(bytes[at]!)) at++;
  return at;
}

/** Returns true for white space of JSON (RFC 8259, 2). */
export function isBlank(byte: number): boolean {
  return byte <= 0x20 &&
    (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/**
 * Parses JSON (RFC 8259), with or without a byte order mark.
 *
 * @param bytes the JSON text, UTF-8
 * @throws {ProtocolError} "bad-utf8" or "bad-json"
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = decodeStrictly(bytes, afterByteOrderMark(bytes));
  } catch (cause) {
    throw new ProtocolError("bad-utf8", "the JSON is not valid UTF-8", {
      cause,
      hint: "Encode the payload as UTF-8.",
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // SyntaxError, or RangeError if nesting exhausts the stack.
    const reason = cause instanceof Error ? excerpt(cause.message, 100) : "";
    throw new ProtocolError("bad-json", `the JSON does not parse: ${reason}`, {
      cause,
    });
  }
}

function decodeStrictly(bytes: Uint8Array, from: number): string {
  const whole = from === 0 ? bytes : bytes.subarray(from);
  // A fatal decoder takes three times as long: use it only if necessary.
  const text = lenient.decode(whole);
  return text.includes("\ufffd") ? strict.decode(whole) : text;
}

/** Returns true if a parsed JSON value is an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns true if a parsed JSON value is an integer from 0 to 2^53 - 1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/**
 * Describes a JSON value in a message: a scalar by its value, other values by
 * their kind. The result is short for values of any size.
 */
export function describeJson(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** Quotes an {@linkcode excerpt} of a text. */
export function quote(text: string): string {
  return `"${excerpt(text)}"`;
}

/** Quotes bytes `from` to `to` (exclusive), see {@linkcode quote}. */
export function quoteBytes(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  // At most four bytes for each character; one more shows that it is cut.
  const stop = Math.min(to, from + 4 * (MAX_EXCERPT_LENGTH + 1));
  return quote(decodeText(bytes, from, stop));
}
