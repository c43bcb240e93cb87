/**
 * Checks that bytes are UTF-8, in steps.
 *
 * @module
 */

import type { Work } from "../common/turns.ts";

/** About a quarter of a millisecond, and few enough to search one by one. */
const BYTES_PER_STEP = 64 * 1024;

/**
 * Returns the offset of the first byte at which it is clear that bytes are not
 * UTF-8; undefined if they are.
 *
 * @param bytes the bytes
 * @param from offset of the text
 */
export function* findBadUtf8(
  bytes: Uint8Array,
  from: number,
): Work<number | undefined> {
  let decoder = strictDecoder();
  for (let at = from; at < bytes.length; at += BYTES_PER_STEP) {
    const end = Math.min(at + BYTES_PER_STEP, bytes.length);
    try {
      decoder.decode(bytes.subarray(at, end), { stream: true });
    } catch {
      // The decoder has lost what came before; a character has up to 4 bytes.
      decoder = strictDecoder();
      let start = Math.max(from, at - 3);
      while (start < at && isContinuation(bytes[start]!)) start++;
      for (let byte = start; byte < end; byte++) {
        try {
          decoder.decode(bytes.subarray(byte, byte + 1), { stream: true });
        } catch {
          return byte;
        }
      }
      return end;
    }
    yield;
  }
  try {
    decoder.decode();
    return undefined;
  } catch {
    return bytes.length;
  }
}

function strictDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
