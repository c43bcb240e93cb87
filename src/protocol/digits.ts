/**
 * Numbers as ASCII digits, straight out of and into buffers: no string is made.
 *
 * Writing goes through a DataView, four digits a store: half again as fast as
 * byte by byte. A store may reach behind the number, into bytes that the caller
 * fills next or leaves out; hence {@linkcode SLACK_BYTES}.
 */

import { MAX_TIME } from "./time.ts";

/** The most bytes of an int32: `-2147483648`. */
export const MAX_INT_BYTES = 11;

/** The most bytes of a time: {@linkcode MAX_TIME} has 15 digits. */
export const MAX_TIME_BYTES = 15;

/** How many bytes behind the last number may be overwritten. */
export const SLACK_BYTES = 3;

const ZERO = 0x30;
const MINUS = 0x2d;
const COMMA = 0x2c;
const HALF = 1e8; // a time is written in two halves, the lower of eight digits
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/** Four ASCII digits each, the first in the lowest byte: `0007`; and `7000`. */
const RIGHT_ALIGNED = new Int32Array(10000);
const LEFT_ALIGNED = new Int32Array(10000);
// Each from one that is there: worked out digit by digit, they take 4 ms of a start.
RIGHT_ALIGNED[0] = 0x30303030;
for (let n = 1; n < 10000; n++) {
  const front = RIGHT_ALIGNED[Math.trunc(n / 10)]!;
  RIGHT_ALIGNED[n] = front >>> 8 | (ZERO + n % 10) << 24;
}
for (let n = 0; n < 10000; n++) {
  const size = n < 10 ? 1000 : n < 100 ? 100 : n < 1000 ? 10 : 1;
  LEFT_ALIGNED[n] = RIGHT_ALIGNED[n * size]!;
}

/** 0 to 999 with a comma behind it, the first digit in the lowest byte. */
const WITH_COMMA = new Int32Array(1000);
for (let n = 0; n < 1000; n++) {
  const comma = n < 10 ? 8 : n < 100 ? 16 : 24;
  const digits = LEFT_ALIGNED[n]! & ((1 << comma) - 1);
  WITH_COMMA[n] = digits | COMMA << comma;
}

/** The index of the first byte from `at` on that is no digit. */
export function endOfDigits(bytes: Uint8Array, at: number): number {
  for (; at < bytes.length; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
  }
  return at;
}

/**
 * The number that some digits write.
 *
 * @param bytes Digits from `from` to `to`
 * @param from The first digit
 * @param to Behind the last; 15 digits at most
 */
export function readDigits(
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  // Nine digits fit into an int32, which is faster to build than a double.
  const middle = Math.min(to, from + 9);
  let high = 0;
  for (let at = from; at < middle; at++) {
    high = (high * 10 + bytes[at]! - ZERO) | 0;
  }
  if (middle === to) return high;
  let low = 0;
  for (let at = middle; at < to; at++) {
    low = (low * 10 + bytes[at]! - ZERO) | 0;
  }
  return high * POWERS[to - middle]! + low;
}

/**
 * Writes an int32 in decimal.
 *
 * @param view Has room for {@linkcode MAX_INT_BYTES} and the slack from `at` on
 * @param at Where to start
 * @param n int32
 * @returns Where it ended
 */
export function writeInt(view: DataView, at: number, n: number): number {
  if (n >= 0) return writeUnsigned(view, at, n);
  view.setUint8(at, MINUS);
  return writeUnsigned(view, at + 1, 0 - n);
}

/**
 * Writes an int32 in decimal and a comma behind it: as {@linkcode writeInt}, but
 * in one store if it is short, as most coordinates and values are.
 *
 * @param view Has room for {@linkcode MAX_INT_BYTES}, a comma and the slack
 * @param at Where to start
 * @param n int32
 * @returns Where it ended
 */
export function writeField(view: DataView, at: number, n: number): number {
  if (n >= 0 && n < 1000) {
    view.setInt32(at, WITH_COMMA[n]!, true);
    return at + (n < 10 ? 2 : n < 100 ? 3 : 4);
  }
  at = writeInt(view, at, n);
  view.setUint8(at, COMMA);
  return at + 1;
}

/**
 * Writes a time in whole milliseconds; a fraction is cut off.
 *
 * @param view Has room for {@linkcode MAX_TIME_BYTES} and the slack from `at` on
 * @param at Where to start
 * @param ms 0 to 1e14
 * @returns Where it ended
 * @throws {RangeError} If the time is out of range or NaN
 */
export function writeTime(view: DataView, at: number, ms: number): number {
  if (!(ms >= 0 && ms <= MAX_TIME)) {
    throw new RangeError(`Cannot write a time: ${ms} is not in 0..1e14`);
  }
  const high = (ms / HALF) | 0;
  const low = (ms - high * HALF) | 0;
  if (high === 0) return writeUnsigned(view, at, low);
  at = writeUnsigned(view, at, high);
  const front = (low / 10000) | 0;
  view.setInt32(at, RIGHT_ALIGNED[front]!, true);
  view.setInt32(at + 4, RIGHT_ALIGNED[low - front * 10000]!, true);
  return at + 8;
}

/** What {@linkcode TimeWriter} has at hand holds for so many ms. */
const SPAN = 10_000;

/**
 * Writes times as {@linkcode writeTime} does, sooner where one is close to the
 * other: all digits but the last four are kept from the last.
 */
export class TimeWriter {
  /** The first ms for which the digits at hand are right. */
  #start = NaN;
  #length = 0;
  #first = 0;
  #second = 0;
  #third = 0;

  /** As {@linkcode writeTime}. */
  write(view: DataView, at: number, ms: number): number {
    const rest = ms - this.#start;
    if (!(rest >= 0 && rest < SPAN)) return this.#writeAnother(view, at, ms);
    view.setInt32(at, this.#first, true);
    view.setInt32(at + 4, this.#second, true);
    view.setInt32(at + 8, this.#third, true);
    at += this.#length;
    view.setInt32(at, RIGHT_ALIGNED[rest | 0]!, true);
    return at + 4;
  }

  #writeAnother(view: DataView, at: number, ms: number): number {
    const end = writeTime(view, at, ms);
    // Below, there are no digits before the last four; above, not all are times.
    if (ms >= SPAN && ms < MAX_TIME) {
      this.#start = ms - ms % SPAN;
      this.#length = end - 4 - at;
      this.#first = view.getInt32(at, true);
      this.#second = view.getInt32(at + 4, true);
      this.#third = view.getInt32(at + 8, true);
    }
    return end;
  }
}

/** Writes 0 to 2^31. */
function writeUnsigned(view: DataView, at: number, n: number): number {
  if (n < 10000) return writeShort(view, at, n);
  const rest = (n / 10000) | 0;
  if (rest < 10000) at = writeShort(view, at, rest);
  else {
    const front = (rest / 10000) | 0;
    at = writeShort(view, at, front);
    view.setInt32(at, RIGHT_ALIGNED[rest - front * 10000]!, true);
    at += 4;
  }
  view.setInt32(at, RIGHT_ALIGNED[n - rest * 10000]!, true);
  return at + 4;
}

/** Writes 0 to 9999. */
function writeShort(view: DataView, at: number, n: number): number {
  view.setInt32(at, LEFT_ALIGNED[n]!, true);
  if (n < 100) return at + (n < 10 ? 1 : 2);
  return at + (n < 1000 ? 3 : 4);
}
