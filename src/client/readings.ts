import {
  checkReadingTime,
  explainTime,
  isInt32,
  ReadingBatch,
  UNKNOWN,
} from "../protocol/mod.ts";

/** One observation of one coordinate. */
export interface Reading {
  /** int32 */
  readonly x: number;
  /** int32 */
  readonly y: number;
  /** int32: 0 or false free, above 0 or true occupied; below 0 or null unknown. */
  readonly value: number | boolean | null;
  /** When it was observed, ms since 1970; when the server receives it if left out. */
  readonly time?: number | Date;
}

/** Many observations, a column a field. A {@linkcode ReadingBatch} is one too. */
export interface ReadingTable {
  /** How many there are. */
  readonly length: number;
  /** int32 */
  readonly x: ArrayLike<number>;
  /** int32 */
  readonly y: ArrayLike<number>;
  /** int32: 0 free, above 0 occupied, below 0 unknown. */
  readonly value: ArrayLike<number>;
  /** ms since 1970; NaN, or no column, for when the server receives it. */
  readonly time?: ArrayLike<number>;
}

/**
 * Readings in the form in which they are sent.
 *
 * @param readings One by one, or as columns
 * @throws {RangeError} If a field is not what it must be; nothing is left out
 *
 * @example
 * ```ts
 * import { toBatch } from "./readings.ts";
 *
 * console.log(toBatch([{ x: 1, y: 2, value: true }]).value[0]); // 1
 * ```
 */
export function toBatch(
  readings: Iterable<Reading> | ReadingTable,
): ReadingBatch {
  return Symbol.iterator in readings ? fromEach(readings) : fromTable(readings);
}

function fromEach(readings: Iterable<Reading>): ReadingBatch {
  const batch = new ReadingBatch();
  for (const { x, y, value, time } of readings) {
    const ms = time === undefined ? NaN : Number(time);
    if (time !== undefined && Number.isNaN(ms)) {
      throw wrong(batch, "time", time);
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
  if (!isInt32(x)) throw wrong(batch, "x", x);
  if (!isInt32(y)) throw wrong(batch, "y", y);
  if (!isInt32(value)) throw wrong(batch, "value", value);
  if (!Number.isNaN(time) && Number.isNaN(checkReadingTime(time))) {
    throw new RangeError(
      `Cannot send reading ${batch.length + 1}: ${explainTime(time)}`,
    );
  }
  batch.push(x, y, value, Math.trunc(time));
}

function wrong(batch: ReadingBatch, name: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot send reading ${
      batch.length + 1
    }: ${name} is ${value}, not a 32-bit integer`,
  );
}
