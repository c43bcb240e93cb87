/**
 * The array of cells, `[[x,y,value],[x,y,value,time],…]`, that ends a JSON batch
 * of readings and a JSON reply, parsed without JSON.parse.
 *
 * Only what JSON.parse would read alike is read; for all else the caller falls
 * back to JSON.parse. That is sound for this reason: if the bytes up to and with
 * the `[` of `"cells":[` make a JSON object once `]}` is put behind them, that
 * array is a member of the top-level object; and if, after the cells, only `]}`
 * follows, the whole is that same object with those cells.
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

const KEY = new TextEncoder().encode('"cells"');
const MOST_HEAD_BYTES = 4096; // what stands before the cells is short

/** The most bytes that writing a cell touches: time, brackets, comma, slack. */
export const MAX_CELL_BYTES = 3 * (MAX_INT_BYTES + 1) + MAX_TIME_BYTES + 3 +
  SLACK_BYTES;

/** A JSON object whose last member, `cells`, is still to be scanned. */
export interface CellsHead {
  /** The object, with `cells` empty. */
  readonly object: Record<string, unknown>;
  /** Behind the `[` of the cells. */
  readonly at: number;
}

/** Shorter payloads than this are sooner parsed by JSON.parse alone. */
const LEAST_BYTES = 256;

/**
 * Reads a JSON object up to its `cells`, if the first `[` in it opens them.
 *
 * @returns undefined if it is not so, or not JSON, or not worth it
 */
export function readCellsHead(
  bytes: Uint8Array,
  from: number,
): CellsHead | undefined {
  if (bytes.length - from < LEAST_BYTES) return undefined;
  const open = bytes.subarray(from, from + MOST_HEAD_BYTES).indexOf(OPEN);
  if (open === -1) return undefined;
  const at = from + open + 1;
  let end = at - 1;
  while (end > from && isBlank(bytes[end - 1]!)) end--;
  if (bytes[--end] !== COLON) return undefined;
  while (end > from && isBlank(bytes[end - 1]!)) end--;
  const start = end - KEY.length;
  if (start < from || !KEY.every((byte, i) => bytes[start + i] === byte)) {
    return undefined;
  }
  const head = new Uint8Array(at - from + 2);
  head.set(bytes.subarray(from, at));
  head[at - from] = CLOSE;
  head[at - from + 1] = CLOSE_BRACE;
  try {
    const object = parseJson(head);
    // The key may be the end of another's, after an escaped quote.
    if (!isJsonObject(object) || !Array.isArray(object.cells)) return undefined;
    return { object, at };
  } catch {
    return undefined;
  }
}

/**
 * Appends the cells from `at` on to a batch.
 *
 * @param bytes The payload
 * @param at Behind the `[` of the cells
 * @param batch Where the cells go; if false is returned, it has some of them
 * @param check Which times are acceptable
 * @param time The time of a cell that has none, or NaN
 * @param source The source index of all of them
 * @returns False if anything is other than expected, up to the payload's end
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

/** @returns Behind the cell, or -1 */
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
    // Nine digits cannot overflow; JSON knows no leading zeros (RFC 8259, 6).
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
 * Writes `[x,y,value]` or `[x,y,value,time]`, and a comma behind it.
 *
 * @param view Has room for {@linkcode MAX_CELL_BYTES} from `at` on
 * @param time Left out if NaN
 * @returns Where it ended
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
