/**
 * Parses and writes the array of cells, `[[x,y,value],[x,y,value,time],…]`, at
 * the end of a JSON batch of readings or a JSON reply, without JSON.parse.
 *
 * The result is always that of JSON.parse; for unusual input the parser fails
 * and the caller uses JSON.parse. First it tests that the bytes up to
 * `"cells":[`, followed by `]}`, are a JSON object: so the array is a member of
 * the top-level object. Then it tests that only `]}` follows the cells.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import {
  endOfDigits,
  MAX_INT_BYTES,
  MAX_TIME_BYTES,
  readDigits,
  SLACK_BYTES,
  writeInt,
  writeTime,
} from "./digits.ts";
import { isBlank, isJsonObject, parseJson, skipBlank } from "./text.ts";
import type { TimeCheck } from "./time.ts";

const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CLOSE_BRACE = 0x7d;

const CELLS_KEY = new TextEncoder().encode('"cells"');
/** Maximum length of the JSON text before the cells. */
const MAX_HEAD_BYTES = 4096;

/** Maximum bytes that writing a cell touches: time, brackets, comma, slack. */
export const MAX_CELL_BYTES = 3 * (MAX_INT_BYTES + 1) + MAX_TIME_BYTES + 3 +
  SLACK_BYTES;

/** A JSON object whose last member, `cells`, is still to be parsed. */
export interface CellsHead {
  /** The object, with `cells` empty. */
  readonly object: Record<string, unknown>;
  /** The offset after the `[` of the cells. */
  readonly at: number;
}

/** For shorter payloads, JSON.parse is faster. */
const MIN_SCAN_BYTES = 256;

/**
 * Reads a JSON object up to the `[` of its `cells`, if this is the first `[`.
 *
 * @param bytes the payload
 * @param from offset of the JSON text
 * @returns undefined if the first `[` is another one, if the bytes are not
 * JSON, or if the payload is short
 */
export function readCellsHead(
  bytes: Uint8Array,
  from: number,
): CellsHead | undefined {
  if (bytes.length - from < MIN_SCAN_BYTES) return undefined;
  const open = bytes.subarray(from, from + MAX_HEAD_BYTES).indexOf(OPEN);
  if (open === -1) return undefined;
  const at = from + open + 1;
  let end = at - 1;
  while (end > from && isBlank(bytes[end - 1]!)) end--;
  if (bytes[--end] !== COLON) return undefined;
  while (end > from && isBlank(bytes[end - 1]!)) end--;
  const start = end - CELLS_KEY.length;
  if (
    start < from || !CELLS_KEY.every((byte, i) => bytes[start + i] === byte)
  ) {
    return undefined;
  }
  const head = new Uint8Array(at - from + 2);
  head.set(bytes.subarray(from, at));
  head[at - from] = CLOSE;
  head[at - from + 1] = CLOSE_BRACE;
  try {
    const object = parseJson(head);
    // The bytes may be the end of another key, after an escaped quote.
    if (!isJsonObject(object) || !Array.isArray(object.cells)) return undefined;
    return { object, at };
  } catch {
    return undefined;
  }
}

/**
 * Parses the cells from `at` on and appends them to a batch.
 *
 * @param bytes the payload
 * @param at the offset after the `[` of the cells
 * @param batch receives the cells; if the result is false, some of them
 * @param check which times are valid
 * @param time the time of cells without one, or NaN
 * @param source the source index of all cells
 * @returns false if anything up to the end of the payload is unexpected
 */
export function scanCells(
  bytes: Uint8Array,
  at: number,
  batch: ReadingBatch,
  check: TimeCheck,
  time: number,
  source: number,
): boolean {
  at = skipBlank(bytes, at);
  if (bytes[at] === CLOSE) return endsObject(bytes, at + 1);
  for (;;) {
    at = scanCell(bytes, at, batch, check, time, source);
    if (at === -1) return false;
    at = skipBlank(bytes, at);
    if (bytes[at] === CLOSE) return endsObject(bytes, at + 1);
    if (bytes[at] !== COMMA) return false;
    at = skipBlank(bytes, at + 1);
  }
}

/** @returns the offset after the cell, or -1 */
function scanCell(
  bytes: Uint8Array,
  at: number,
  batch: ReadingBatch,
  check: TimeCheck,
  time: number,
  source: number,
): number {
  if (at >= bytes.length || bytes[at] !== OPEN) return -1;
  let x = 0;
  let y = 0;
  at++;
  for (let field = 0;; field++) {
    at = skipBlank(bytes, at);
    const negative = at < bytes.length && bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let n = 0;
    for (; at < bytes.length; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      n = (n * 10 + digit) | 0;
    }
    // Nine digits cannot overflow; JSON has no leading zeros (RFC 8259, 6).
    const digits = at - first;
    if (digits === 0 || digits > 9) return -1;
    if (digits > 1 && bytes[first] === ZERO) return -1;
    if (negative) n = 0 - n;
    at = skipBlank(bytes, at);
    if (at >= bytes.length) return -1;
    if (field === 2) {
      if (bytes[at] === COMMA) {
        at = skipBlank(bytes, at + 1);
        const start = at;
        at = endOfDigits(bytes, start);
        if (at === start || at - start > MAX_TIME_BYTES) return -1;
        if (at - start > 1 && bytes[start] === ZERO) return -1;
        time = check(readDigits(bytes, start, at));
        if (time !== time) return -1; // NaN: refused
        at = skipBlank(bytes, at);
      }
      if (at >= bytes.length || bytes[at] !== CLOSE) return -1;
      batch.push(x, y, n, time, source);
      return at + 1;
    }
    if (bytes[at] !== COMMA) return -1;
    if (field === 0) x = n;
    else y = n;
    at++;
  }
}

function endsObject(bytes: Uint8Array, at: number): boolean {
  at = skipBlank(bytes, at);
  if (bytes[at] !== CLOSE_BRACE) return false;
  return skipBlank(bytes, at + 1) === bytes.length;
}

/**
 * Writes `[x,y,value]` or `[x,y,value,time]` and a comma.
 *
 * @param view with room for {@linkcode MAX_CELL_BYTES} from `at` on
 * @param at offset of the first byte
 * @param time omitted if NaN
 * @returns the offset after the comma
 */
export function writeCell(
  view: DataView,
  at: number,
  x: number,
  y: number,
  value: number,
  time: number,
): number {
  view.setUint8(at, OPEN);
  at = writeInt(view, at + 1, x);
  view.setUint8(at, COMMA);
  at = writeInt(view, at + 1, y);
  view.setUint8(at, COMMA);
  at = writeInt(view, at + 1, value);
  if (time === time) {
    view.setUint8(at, COMMA);
    at = writeTime(view, at + 1, time);
  }
  view.setUint8(at, CLOSE);
  view.setUint8(at + 1, COMMA);
  return at + 2;
}
