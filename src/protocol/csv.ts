/**
 * The fields of CSV: parses the usual lines and single fields, and writes
 * readings as lines `x,y,value` or `x,y,value,time`.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import { ByteWriter } from "../common/byte_writer.ts";
import {
  endOfDigits,
  MAX_INT_BYTES,
  MAX_TIME_BYTES,
  readDigits,
  SLACK_BYTES,
  writeInt,
  writeTime,
} from "./digits.ts";
import { decodeText, quoteBytes } from "./text.ts";
import {
  explainTime,
  explainTimestamp,
  parseTimestamp,
  type TimeCheck,
} from "./time.ts";

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

const MAX_ROW_BYTES = 3 * (MAX_INT_BYTES + 1) + MAX_TIME_BYTES + 1 +
  SLACK_BYTES;

/**
 * Parses the usual lines: short integers without white space. Accepts only
 * lines for which `#parseLine()` has the same result.
 *
 * @param end offset of the end of the payload
 * @param withTime true if a line may have a fourth field, the time
 * @returns the offset of the next line, or -1 if the line is not of this kind
 */
export function parsePlainLine(
  bytes: Uint8Array,
  at: number,
  end: number,
  batch: ReadingBatch,
  check: TimeCheck,
  withTime: boolean,
): number {
  const x = parseShortInteger(bytes, at, end);
  at = numberEnd;
  if (at === -1 || at === end || bytes[at] !== COMMA) return -1;
  const y = parseShortInteger(bytes, at + 1, end);
  at = numberEnd;
  if (at === -1 || at === end || bytes[at] !== COMMA) return -1;
  const value = parseShortInteger(bytes, at + 1, end);
  at = numberEnd;
  if (at === -1) return -1;
  let time = NaN;
  if (at < end && bytes[at] === COMMA) {
    if (!withTime) return -1;
    time = check(parseDigits(bytes, at + 1, end));
    if (time !== time) return -1; // NaN: refused
    at = numberEnd;
  }
  if (at < end && bytes[at] === CR) at++;
  if (at < end && bytes[at] !== LF) return -1;
  batch.push(x, y, value, time);
  return at + 1;
}

/**
 * The second result of {@linkcode parseShortInteger} and
 * {@linkcode parseDigits}: the offset after the number, or -1 if it is not one.
 * A variable, because an object for each number takes longer than its parsing.
 */
let numberEnd = -1;

/** Parses an integer of at most nine digits, which cannot overflow. */
function parseShortInteger(
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const negative = at < end && bytes[at] === MINUS;
  if (negative) at++;
  const first = at;
  let n = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    n = (n * 10 + digit) | 0;
  }
  numberEnd = at === first || at - first > 9 ? -1 : at;
  return negative ? (0 - n) | 0 : n;
}

/** Parses up to 15 digits, as many as a time has; NaN if there are none. */
function parseDigits(bytes: Uint8Array, from: number, end: number): number {
  const at = numberEnd = endOfDigits(bytes, from, end);
  return at === from || at - from > MAX_TIME_BYTES
    ? NaN
    : readDigits(bytes, from, at);
}

/** Parses a decimal integer of any size; NaN if it is not one. */
export function parseInteger(
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let at = from;
  const negative = at < to && bytes[at] === MINUS;
  if (negative || (at < to && bytes[at] === PLUS)) at++;
  if (at === to) return NaN;
  let number = 0;
  for (; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return negative ? -number : number;
}

export function explainInteger(
  name: string,
  number: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  if (from === to) return `${name} is empty`;
  const shown = quoteBytes(bytes, from, to);
  return Number.isNaN(number)
    ? `${name} is not an integer: ${shown}`
    : `${name} is not a 32-bit integer: ${shown}`;
}

/** Parses milliseconds, with or without a fraction, or RFC 3339. */
export function parseTimeField(
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const dot = bytes.subarray(from, to).indexOf(DOT);
  if (dot === -1) {
    const ms = parseInteger(bytes, from, to);
    if (!Number.isNaN(ms)) return ms;
  } else if (isDigits(bytes, from + dot + 1, to)) {
    const whole = parseInteger(bytes, from, from + dot);
    // A double has no room for the fraction: .9999 would round the time up.
    if (whole >= 0 && bytes[from] !== MINUS) return whole;
    if (!Number.isNaN(whole)) return Number(decodeText(bytes, from, to));
  }
  return parseTimestamp(bytes, from, to);
}

export function explainTimeField(
  bytes: Uint8Array,
  from: number,
  to: number,
): string {
  if (from === to) return "time is empty";
  const ms = parseTimeField(bytes, from, to);
  return Number.isNaN(ms) || !Number.isNaN(parseTimestamp(bytes, from, to))
    ? explainTimestamp(bytes, from, to)
    : explainTime(ms, quoteBytes(bytes, from, to));
}

function isDigits(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return to > from;
}

export function skipSpace(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  return at;
}

export function trimSpace(bytes: Uint8Array, from: number, to: number): number {
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  return to;
}

/**
 * Writes readings as CSV, one line for each, with the time if it is known. CSV
 * has no sources.
 *
 * @param batch the readings
 * @param from index of the first reading
 * @param to index after the last reading
 * @returns the payload, in a separate buffer
 * @throws {RangeError} if a time is out of range
 */
export function encodeCsv(
  batch: ReadingBatch,
  from: number = 0,
  to: number = batch.length,
): Uint8Array<ArrayBuffer> {
  const { x, y, value, time } = batch;
  const out = new ByteWriter();
  for (let i = from; i < to; i++) {
    out.reserve(MAX_ROW_BYTES);
    const { view } = out;
    let at = writeInt(view, out.at, x[i]!);
    view.setUint8(at, COMMA);
    at = writeInt(view, at + 1, y[i]!);
    view.setUint8(at, COMMA);
    at = writeInt(view, at + 1, value[i]!);
    if (!Number.isNaN(time[i]!)) {
      view.setUint8(at, COMMA);
      at = writeTime(view, at + 1, time[i]!);
    }
    view.setUint8(at++, LF);
    out.at = at;
  }
  return out.finish();
}
