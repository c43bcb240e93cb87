/**
 * Readings as columns of typed arrays.
 *
 * @module
 */

import { LineMarks } from "./line_marks.ts";

/** The value of a JSON `null`. Every value below 0 means unknown. */
export const UNKNOWN: -1 = -1;

const FIRST_CAPACITY_READINGS = 16;

/**
 * Readings as columns: one typed array for each field. It grows when necessary
 * and is reusable after {@linkcode clear}. Only the first {@linkcode length}
 * elements of a column are readings. Growing replaces the columns, so do not
 * keep a reference to one across {@linkcode push}.
 *
 * @example
 * ```ts
 * import { ReadingBatch } from "./batch.ts";
 *
 * const batch = new ReadingBatch();
 * batch.push(1, 2, 1);
 * console.log(batch.length, batch.x[0]); // 1 1
 * ```
 */
export class ReadingBatch {
  /** Number of readings. */
  length = 0;
  /** x coordinates, int32. */
  x: Int32Array<ArrayBuffer>;
  /** y coordinates, int32. */
  y: Int32Array<ArrayBuffer>;
  /** 0 free, above 0 occupied (or the number of people), below 0 unknown. */
  value: Int32Array<ArrayBuffer>;
  /** Time of observation, whole ms since 1970; NaN if the reading has none. */
  time: Float64Array<ArrayBuffer>;
  /** The sender: an index into {@linkcode sources}. */
  sourceIndex: Uint32Array<ArrayBuffer>;
  /** The names of sources; the first one, "", means none. */
  readonly sources: string[] = [""];

  readonly #indexes = new Map<string, number>([["", 0]]);
  #lines = new LineMarks();

  /**
   * Makes an empty batch.
   *
   * @param capacity number of readings to allocate memory for
   */
  constructor(capacity: number = FIRST_CAPACITY_READINGS) {
    this.x = new Int32Array(capacity);
    this.y = new Int32Array(capacity);
    this.value = new Int32Array(capacity);
    this.time = new Float64Array(capacity);
    this.sourceIndex = new Uint32Array(capacity);
  }

  /**
   * Adds a reading. The arguments are stored as they are, not checked.
   *
   * @param x int32
   * @param y int32
   * @param value int32
   * @param time whole ms since 1970, or NaN if not known
   * @param sourceIndex the result of {@linkcode source}, or 0
   */
  push(
    x: number,
    y: number,
    value: number,
    time: number = NaN,
    sourceIndex: number = 0,
  ): void {
    const at = this.length;
    if (at === this.x.length) this.#grow(at + 1);
    this.x[at] = x;
    this.y[at] = y;
    this.value[at] = value;
    this.time[at] = time;
    this.sourceIndex[at] = sourceIndex;
    this.length = at + 1;
  }

  /** Starts a payload: its readings have the lines from 1 on. */
  startPayload(): void {
    this.#lines.start(this.length);
  }

  /**
   * Sets the line of the next reading; those after it have the lines after it.
   *
   * @param line the line or element of the payload, from 1
   */
  markLine(line: number): void {
    this.#lines.mark(this.length, line);
  }

  /** Sets the line of the next reading and of those after it. */
  markSameLine(line: number): void {
    this.#lines.markSame(this.length, line);
  }

  /**
   * Returns the line or element of a reading in its payload, from 1; undefined
   * if it is not known.
   *
   * @param index index of the reading
   * @param start index of the first reading of the payload, see
   * {@linkcode startPayload}; default: not known
   */
  lineOf(index: number, start?: number): number | undefined {
    return this.#lines.lineOf(index, start);
  }

  /**
   * Adds all readings of another batch. Their lines are not known.
   *
   * @param other the readings; not changed
   */
  append(other: ReadingBatch): void {
    const at = this.length;
    const length = at + other.length;
    this.#lines.markUnknown(at);
    if (length > this.x.length) this.#grow(length);
    this.x.set(other.x.subarray(0, other.length), at);
    this.y.set(other.y.subarray(0, other.length), at);
    this.value.set(other.value.subarray(0, other.length), at);
    this.time.set(other.time.subarray(0, other.length), at);
    const indexes = other.sources.map((name) => this.source(name));
    for (let i = 0; i < other.length; i++) {
      this.sourceIndex[at + i] = indexes[other.sourceIndex[i]!]!;
    }
    this.length = length;
  }

  /**
   * Returns the index of a source in {@linkcode sources}; adds it if it is new.
   *
   * @param name the name of the source; "" for none
   */
  source(name: string): number {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = this.sources.push(name) - 1;
      this.#indexes.set(name, index);
    }
    return index;
  }

  /**
   * Removes the readings from `length` on, and the sources from `sources` on.
   *
   * @param length number of readings to keep
   * @param sources number of sources to keep, at least 1; default: all
   */
  truncate(length: number, sources: number = this.sources.length): void {
    this.length = length;
    this.#lines.truncate(length);
    while (this.sources.length > sources) {
      this.#indexes.delete(this.sources.pop()!);
    }
  }

  /**
   * Removes single readings. The others keep their order and their lines.
   *
   * @param indexes indexes of the readings to remove, ascending
   * @param starts the index of the first reading of each payload, from 0,
   * ascending; set to the new indexes
   */
  remove(indexes: readonly number[], starts: number[] | Uint32Array): void {
    const { x, y, value, time, sourceIndex } = this;
    const lines = new LineMarks();
    let to = 0;
    let removed = 0;
    for (let payload = 0; payload < starts.length; payload++) {
      const start = starts[payload]!;
      const end = starts[payload + 1] ?? this.length;
      lines.start(to);
      starts[payload] = to;
      for (let i = start; i < end; i++) {
        if (indexes[removed] === i) {
          removed++;
          continue;
        }
        const line = this.#lines.lineOf(i, start);
        if (line === undefined) lines.markUnknown(to);
        else lines.mark(to, line);
        x[to] = x[i]!;
        y[to] = y[i]!;
        value[to] = value[i]!;
        time[to] = time[i]!;
        sourceIndex[to] = sourceIndex[i]!;
        to++;
      }
    }
    this.#lines = lines;
    this.length = to;
  }

  /** Removes all readings and sources, and keeps the memory. */
  clear(): void {
    this.truncate(0, 1);
  }

  #grow(needed: number): void {
    const capacity = Math.max(
      needed,
      2 * this.x.length,
      FIRST_CAPACITY_READINGS,
    );
    this.x = grown(this.x, new Int32Array(capacity));
    this.y = grown(this.y, new Int32Array(capacity));
    this.value = grown(this.value, new Int32Array(capacity));
    this.time = grown(this.time, new Float64Array(capacity));
    this.sourceIndex = grown(this.sourceIndex, new Uint32Array(capacity));
  }
}

function grown<T extends Int32Array | Uint32Array | Float64Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}
