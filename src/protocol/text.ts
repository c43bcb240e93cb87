/** Text in and out of bytes, and excerpts of strangers' bytes for messages. */

import { ProtocolError } from "./errors.ts";

const encoder = new TextEncoder();
// A second byte order mark is a character like any other: JSON refuses it.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** The most characters of somebody's payload that a message quotes. */
export const MAX_EXCERPT = 40;

/** Controls, format characters (bidi among them), lone surrogates, separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

const SHORT_ESCAPES: Record<string, string> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/** `text` as UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Bytes `from` to `to` (exclusive) as text; what is not UTF-8 becomes U+FFFD. */
export function decodeText(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  return lenient.decode(bytes.subarray(from, to));
}

/** The index of the first byte after a UTF-8 byte order mark, if there is one. */
export function afterByteOrderMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** The index of the first byte from `at` on that is not white space. */
export function skipBlank(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && isBlank(bytes[at]!)) at++;
  return at;
}

/** True for JSON's white space: space, tab, line feed, carriage return (RFC 8259, 2). */
export function isBlank(byte: number): boolean {
  return byte <= 0x20 &&
    (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/**
 * Parses JSON (RFC 8259), a byte order mark before it allowed.
 *
 * @param bytes The JSON text, UTF-8
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
    // Not only SyntaxError: nesting may exhaust the stack (RangeError).
    const reason = cause instanceof Error ? excerpt(cause.message, 100) : "";
    throw new ProtocolError("bad-json", `the JSON does not parse: ${reason}`, {
      cause,
    });
  }
}

function decodeStrictly(bytes: Uint8Array, from: number): string {
  const whole = from === 0 ? bytes : bytes.subarray(from);
  // A fatal decoder takes thrice as long: ask it only if there is a doubt.
  const text = lenient.decode(whole);
  return text.includes("\ufffd") ? strict.decode(whole) : text;
}

/** True for what a JSON object parses to. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What a JSON value is, for a message: itself if it is short and harmless,
 * else its kind. Never walks into it, so deep nesting costs nothing.
 */
export function describeJson(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** {@linkcode excerpt} in double quotes. */
export function quote(text: string): string {
  return `"${excerpt(text)}"`;
}

/** Bytes `from` to `to` (exclusive), decoded leniently, as {@linkcode quote}. */
export function quoteBytes(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  // Four bytes a character at most, and one character more shows that it is cut.
  const stop = Math.min(to, from + 4 * (MAX_EXCERPT + 1));
  return quote(decodeText(bytes, from, stop));
}

/**
 * The start of `text`, safe to log and to show in a terminal: control and
 * format characters are escaped, what is too long ends in "…".
 *
 * @param text Anything
 * @param max The most UTF-16 code units of the result
 */
export function excerpt(text: string, max = MAX_EXCERPT): string {
  let shown = "";
  let room = 0; // how much of `shown` leaves room for the ellipsis
  for (const character of text.slice(0, max + 1)) {
    const next = UNPRINTABLE.test(character) ? escape(character) : character;
    if (shown.length + next.length > max) return shown.slice(0, room) + "…";
    shown += next;
    if (shown.length < max) room = shown.length;
  }
  return shown;
}

function escape(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  return code <= 0xff
    ? "\\x" + code.toString(16).padStart(2, "0")
    : `\\u{${code.toString(16)}}`;
}
