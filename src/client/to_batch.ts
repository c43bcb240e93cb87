/**
 * Converts readings from objects or columns to a batch.
 *
 * @module
 */
import {
  checkReadingTime,
  explainTime,
  isInt32,
  ReadingBatch,
  UNKNOWN,
} from "../protocol/mod.ts";

/** The observation of one cell. */
export interface Reading {
  /** int32 */
  readonly x: number;
  /** int32 */
  readonly y: number;
  /**
   * int32. 0 or false is free; above 0, or true, is occupied; below 0, or null,
   * is unknown.
   */
  readonly value: number | boolean | null;
  /** When it was observed, ms since 1970. Default: when it is received. */
  readonly time?: number | Date;
}

/** Readings as columns, for example a {@linkcode ReadingBatch}. */
export interface ReadingTable {
  /** The number of readings. */
  readonly length: number;
  /** int32 */
  readonly x: ArrayLike<number>;
  /** int32 */
  readonly y: ArrayLike<number>;
  /** int32: 0 free, above 0 occupied, below 0 unknown. */
  readonly value: ArrayLike<number>;
  /** ms since 1970. NaN, or no column: when the server receives the reading. */
  readonly time?: ArrayLike<number>;
}

/**
 * Converts readings to a batch.
 *
 * @param readings objects or columns
 * @throws {RangeError} if a field is out of range
 *
 * @example
 * ```ts
 * import { toBatch } from "./to_batch.ts";
 *
 * console.log(toBatch([{ x: 1, y: 2, value: true }]).value[0]); // 1
 * ```
 */
export function toBatch(
  readings: Iterable<Reading> | ReadingTable,
): ReadingBatch {
  return Symbol.iterator in readings
    ? fromObjects(readings)
    : fromTable(readings);
}

function fromObjects(readings: Iterable<Reading>): ReadingBatch {
  const batch = new ReadingBatch();
  for (const { x, y, value, time } of readings) {
    const ms = time === undefined ? NaN : Number(time);
    if (time !== undefined && Number.isNaN(ms)) {
      throw fieldError(batch, "time", time, "a time in ms since 1970");
    }
    push(batch, x, y, value === null ? UNKNOWN : Number(value), ms);
  }
  return batch;
}

function fromTable(table: ReadingTable): ReadingBatch {
  const { length, x, y, value, time } = table;
  const batch = new ReadingBatch(length);
  for (let i = 0; i < length; i++) {
    push(batch, x[i]!, y[i]!, value[i]!, time === undefined ? NaN : time[i]!);
  }
  return batch;
}

function push(
  batch: ReadingBatch,
  x: number,
  y: number,
  value: number,
  time: number,
): void {
  if (!isInt32(x)) throw fieldError(batch, "x", x);
  if (!isInt32(y)) throw fieldError(batch, "y", y);
  if (!isInt32(value)) throw fieldError(batch, "value", value);
  if (!Number.isNaN(time) && Number.isNaN(checkReadingTime(time))) {
    throw new RangeError(
      `Cannot send reading ${batch.length + 1}: ${explainTime(time)}`,
    );
  }
  batch.push(x, y, value, Math.trunc(time));
}

function fieldError(
  batch: ReadingBatch,
  name: string,
  value: unknown,
  expected = "a 32-bit integer",
): RangeError {
  return new RangeError(
    `Cannot send reading ${
      batch.length + 1
    }: ${name} is ${value}, not ${expected}`,
  );
}
