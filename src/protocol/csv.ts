/**
 * Parses and writes readings as CSV: one line for each, `x,y,value` or
 * `x,y,value,time`, without header and quotes. Lines end with LF or CRLF; the
 * last line may end with the payload.
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
import type { Refusals } from "./refusals.ts";
import { decodeText, quoteBytes } from "./text.ts";
import {
  checkReadingTime,
  explainTime,
  explainTimestamp,
  parseTimestamp,
  type TimeCheck,
} from "./time.ts";
import { ByteWriter } from "./byte_writer.ts";

/** Maximum length of a line in bytes, without its end. */
export const MAX_LINE_BYTES = 1024;

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

const NAMES = ["x", "y", "value"] as const;
const MAX_ROW_BYTES = 3 * (MAX_INT_BYTES + 1) + MAX_TIME_BYTES + 1 +
  SLACK_BYTES;

/**
 * Parses lines and appends their readings to a batch. Invalid lines are refused
 * one by one; blank lines are skipped, but counted.
 *
 * @param bytes the payload
 * @param from offset of the first line
 * @param batch receives the valid readings
 * @param refusals receives the invalid lines
 * @param check which times are valid
 * @param firstLine number of the first line
 */
export function parseCsv(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Refusals,
  check: TimeCheck = checkReadingTime,
  firstLine: number = 1,
): void {
  const end = bytes.length;
  let line = firstLine;
  batch.markLine(line);
  for (let at = from; at < end; line++) {
    const next = parsePlainLine(bytes, at, batch, check);
    if (next !== -1) {
      at = next;
      continue;
    }
    const lineEnd = bytes.indexOf(LF, at);
    const stop = lineEnd === -1 ? end : lineEnd;
    const { length } = batch;
    parseLine(bytes, at, stop, batch, refusals, check, line);
    if (batch.length === length) batch.markLine(line + 1);
    at = stop + 1;
  }
}

/**
 * Parses the usual lines: short integers without white space. Accepts only
 * lines for which {@linkcode parseLine} has the same result.
 *
 * @returns the offset of the next line, or -1 if the line is not of this kind
 */
function parsePlainLine(
  bytes: Uint8Array,
  at: number,
  batch: ReadingBatch,
  check: TimeCheck,
): number {
  const end = bytes.length;
  let x = 0;
  let y = 0;
  for (let field = 0;; field++) {
    const negative = at < end && bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let n = 0;
    let byte = LF; // the end of the payload ends a line
    for (; at < end; at++) {
      byte = bytes[at]!;
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9) break;
      n = (n * 10 + digit) | 0;
    }
    if (at === end) byte = LF;
    // Nine digits cannot overflow.
    if (at === first || at - first > 9) return -1;
    if (negative) n = 0 - n;
    if (field === 2) {
      let time = NaN;
      if (byte === COMMA) {
        const start = at + 1;
        at = endOfDigits(bytes, start);
        if (at === start || at - start > MAX_TIME_BYTES) return -1;
        time = check(readDigits(bytes, start, at));
        if (time !== time) return -1; // NaN: refused
      }
      if (at < end && bytes[at] === CR) at++;
      if (at < end && bytes[at] !== LF) return -1;
      batch.push(x, y, n, time);
      return at + 1;
    }
    if (byte !== COMMA) return -1;
    if (field === 0) x = n;
    else y = n;
    at++;
  }
}

/** Parses any line: appends its reading or adds a refusal. */
function parseLine(
  bytes: Uint8Array,
  from: number,
  to: number,
  batch: ReadingBatch,
  refusals: Refusals,
  check: TimeCheck,
  line: number,
): void {
  if (to > from && bytes[to - 1] === CR) to--;
  if (to - from > MAX_LINE_BYTES) {
    const length = to - from;
    refusals.add(
      "line-too-long",
      () =>
        `the line has ${length} bytes, more than ${MAX_LINE_BYTES}: ` +
        quoteBytes(bytes, from, to),
      line,
    );
    return;
  }
  if (skipSpace(bytes, from, to) === to) return;

  const stops: number[] = [];
  for (let at = from; at < to; at++) if (bytes[at] === COMMA) stops.push(at);
  stops.push(to);
  if (stops.length < 3 || stops.length > 4) {
    refusals.add(
      "bad-fields",
      () =>
        `expected x,y,value or x,y,value,time, found ${stops.length} ` +
        `field${stops.length === 1 ? "" : "s"}: ${quoteBytes(bytes, from, to)}`,
      line,
    );
    return;
  }

  const numbers = [0, 0, 0];
  let start = from;
  for (const [index, name] of NAMES.entries()) {
    const first = skipSpace(bytes, start, stops[index]!);
    const last = trimSpace(bytes, first, stops[index]!);
    const number = parseInteger(bytes, first, last);
    if (!(number >= -0x80000000 && number <= 0x7fffffff)) {
      refusals.add(
        `bad-${name}`,
        () => explainInteger(name, number, bytes, first, last),
        line,
      );
      return;
    }
    numbers[index] = number;
    start = stops[index]! + 1;
  }

  let time = NaN;
  if (stops.length === 4) {
    const first = skipSpace(bytes, start, to);
    const last = trimSpace(bytes, first, to);
    time = check(parseTimeField(bytes, first, last));
    if (Number.isNaN(time)) {
      refusals.add(
        "bad-time",
        () => explainTimeField(bytes, first, last),
        line,
      );
      return;
    }
  }
  batch.push(numbers[0]!, numbers[1]!, numbers[2]!, time);
}

/** Parses a decimal integer of any size; NaN if it is not one. */
function parseInteger(bytes: Uint8Array, from: number, to: number): number {
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

function explainInteger(
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
function parseTimeField(bytes: Uint8Array, from: number, to: number): number {
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

function explainTimeField(bytes: Uint8Array, from: number, to: number): string {
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

function skipSpace(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  return at;
}

function trimSpace(bytes: Uint8Array, from: number, to: number): number {
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
