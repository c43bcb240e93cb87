/**
 * States of cells, in columns, as bytes: a value (int32) and whether it is
 * stale (1 or 0), for each of a number of cells or changes.
 *
 * First a byte: how many different states there are, 1 to 16; 0 for the long
 * form. In the short form, a byte for each different state, then its number for
 * each row in 0, 1, 2 or 4 bits. In the long form, the difference to the value
 * before (zigzag varint), then one bit for each row.
 *
 * @module
 */

import type { BinaryReader, BinaryWriter } from "../feed/binary.ts";

const MAX_SHORT_STATES = 16;
/** Values of states in the short form, a byte each with the bit `stale`. */
const MIN_SHORT_VALUE = -16;
const MAX_SHORT_VALUE = MIN_SHORT_VALUE + 127;

/** 1 + the number of each state in the short form, by its byte; 0: not there. */
const numbers = new Uint8Array(256);
/** The bytes of the states in the short form. */
const shortStates = new Uint8Array(MAX_SHORT_STATES);

/**
 * Writes states.
 *
 * @param writer receives the bytes
 * @param value int32
 * @param stale 1 or 0; ignored where the value is below 0
 * @param length number of rows, 1 or more
 */
export function writeStates(
  writer: BinaryWriter,
  value: Int32Array,
  stale: Uint8Array,
  length: number,
): void {
  const count = findShortStates(value, stale, length);
  writer.reserve(1 + MAX_SHORT_STATES + 6 * length);
  writer.byte(count);
  if (count > 0) writeShort(writer, value, stale, length, count);
  else writeLong(writer, value, stale, length);
}

/** The byte of a state in the short form; an unknown value is never stale. */
function shortState(value: number, stale: number): number {
  return value - MIN_SHORT_VALUE << 1 | (value < 0 ? 0 : stale);
}

/** Returns the number of states for the short form; 0 if it cannot be used. */
function findShortStates(
  value: Int32Array,
  stale: Uint8Array,
  length: number,
): number {
  numbers.fill(0);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const v = value[i]!;
    if (v < MIN_SHORT_VALUE || v > MAX_SHORT_VALUE) return 0;
    const state = shortState(v, stale[i]!);
    if (numbers[state] !== 0) continue;
    if (count === MAX_SHORT_STATES) return 0;
    shortStates[count++] = state;
    numbers[state] = count;
  }
  return count;
}

function writeShort(
  writer: BinaryWriter,
  value: Int32Array,
  stale: Uint8Array,
  length: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) writer.byte(shortStates[i]!);
  const bits = bitsOf(count);
  if (bits === 0) return;
  const { bytes } = writer;
  let at = writer.at;
  let packed = 0;
  let used = 0;
  for (let i = 0; i < length; i++) {
    const state = shortState(value[i]!, stale[i]!);
    packed |= numbers[state]! - 1 << used;
    used += bits;
    if (used === 8) {
      bytes[at++] = packed;
      packed = 0;
      used = 0;
    }
  }
  if (used > 0) bytes[at++] = packed;
  writer.at = at;
}

function writeLong(
  writer: BinaryWriter,
  value: Int32Array,
  stale: Uint8Array,
  length: number,
): void {
  let before = 0;
  for (let i = 0; i < length; i++) {
    writer.int32(value[i]! - before | 0);
    before = value[i]!;
  }
  for (let i = 0; i < length; i += 8) {
    let packed = 0;
    const end = Math.min(i + 8, length);
    for (let row = i; row < end; row++) {
      if (value[row]! >= 0) packed |= stale[row]! << row - i;
    }
    writer.byte(packed);
  }
}

/**
 * Reads states.
 *
 * @param reader of the bytes of {@linkcode writeStates}
 * @param value receives the values, with room for them
 * @param stale receives 1 or 0
 * @param from where the first row goes
 * @param length number of rows, 1 or more
 * @throws {RangeError} if the bytes are not valid
 */
export function readStates(
  reader: BinaryReader,
  value: Int32Array,
  stale: Uint8Array,
  from: number,
  length: number,
): void {
  const count = reader.byte();
  if (count > MAX_SHORT_STATES) {
    throw new RangeError(`it has ${count} states in the short form`);
  }
  if (count > 0) readShort(reader, value, stale, from, length, count);
  else readLong(reader, value, stale, from, length);
}

function readShort(
  reader: BinaryReader,
  value: Int32Array,
  stale: Uint8Array,
  from: number,
  length: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const state = reader.byte();
    checkState((state >> 1) + MIN_SHORT_VALUE, state & 1);
    shortStates[i] = state;
  }
  const bits = bitsOf(count);
  const mask = (1 << bits) - 1;
  let packed = 0;
  let used = 8;
  for (let i = from; i < from + length; i++) {
    if (used === 8 && bits > 0) {
      packed = reader.byte();
      used = 0;
    }
    const number = packed >> used & mask;
    if (number >= count) throw new RangeError(`it has no state ${number}`);
    used += bits;
    value[i] = (shortStates[number]! >> 1) + MIN_SHORT_VALUE;
    stale[i] = shortStates[number]! & 1;
  }
}

function readLong(
  reader: BinaryReader,
  value: Int32Array,
  stale: Uint8Array,
  from: number,
  length: number,
): void {
  let before = 0;
  for (let i = from; i < from + length; i++) {
    before = before + reader.int32() | 0;
    value[i] = before;
  }
  readBits(reader, stale, from, length);
  for (let i = from; i < from + length; i++) checkState(value[i]!, stale[i]!);
}

/** @throws {RangeError} if an unknown value is stale */
function checkState(value: number, stale: number): void {
  if (value < 0 && stale === 1) {
    throw new RangeError(`the unknown value ${value} is stale`);
  }
}

/** The bits of a number of a state, so that none crosses a byte. */
function bitsOf(count: number): number {
  if (count <= 2) return count - 1;
  return count <= 4 ? 2 : 4;
}

/**
 * Writes a bit for each row, eight a byte.
 *
 * @param column 1 or 0
 * @param length number of rows
 */
export function writeBits(
  writer: BinaryWriter,
  column: Uint8Array,
  length: number,
): void {
  for (let i = 0; i < length; i += 8) {
    let packed = 0;
    const end = Math.min(i + 8, length);
    for (let row = i; row < end; row++) packed |= column[row]! << row - i;
    writer.byte(packed);
  }
}

/**
 * Reads what {@linkcode writeBits} wrote.
 *
 * @throws {RangeError} if the bytes end too early
 */
export function readBits(
  reader: BinaryReader,
  column: Uint8Array,
  from: number,
  length: number,
): void {
  for (let i = 0; i < length; i += 8) {
    const packed = reader.byte();
    const end = Math.min(i + 8, length);
    for (let row = i; row < end; row++) {
      column[from + row] = packed >> row - i & 1;
    }
  }
}
