/**
 * The line of each reading of a batch, at almost no cost for readings of
 * consecutive lines.
 *
 * @module
 */

const NONE = new Uint32Array(0);
/** Set in a line: the readings after the mark have the same line. */
const SAME_LINE = 2 ** 31;
/** Stored if the lines after a mark are not known. */
const NO_LINE = SAME_LINE;
const FIRST_CAPACITY_MARKS = 4;

/**
 * Marks in a sequence of readings: from a mark on, the readings have
 * consecutive lines. A payload without refused lines needs no mark.
 */
export class LineMarks {
  #count = 0;
  /** The index of the reading at each mark, ascending. */
  #index = NONE;
  /** Its line; perhaps with {@linkcode SAME_LINE}. */
  #line = NONE;
  /** The line of the next reading minus its index; NaN if it is not known. */
  #offset = NaN;

  /**
   * Starts a payload: without a mark, its readings have the lines from 1 on.
   *
   * @param index the index of its first reading
   */
  start(index: number): void {
    this.truncate(index);
    this.#offset = 1 - index;
  }

  /**
   * Sets the line of a reading; those after it have the lines after it.
   *
   * @param index at least that of the last mark
   * @param line from 1
   */
  mark(index: number, line: number): void {
    const offset = line - index;
    if (offset === this.#offset) return;
    this.#mark(index, line);
    this.#offset = offset;
  }

  /** Like {@linkcode mark}, but the readings after it have the same line. */
  markSame(index: number, line: number): void {
    this.#mark(index, line + SAME_LINE);
  }

  /** The lines from a reading on are not known. */
  markUnknown(index: number): void {
    this.#mark(index, NO_LINE);
  }

  #mark(index: number, line: number): void {
    this.#offset = NaN;
    const last = this.#count - 1;
    if (last >= 0 && this.#index[last] === index) {
      this.#line[last] = line;
      return;
    }
    if (this.#count === this.#index.length) this.#grow();
    this.#index[this.#count] = index;
    this.#line[this.#count++] = line;
  }

  /**
   * Returns the line of a reading; undefined if it is not known.
   *
   * @param start the index of the first reading of its payload, as given to
   * {@linkcode start}; default: not known
   */
  lineOf(index: number, start?: number): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#index[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    if (low === 0 || this.#index[low - 1]! < (start ?? 0)) {
      return start === undefined ? undefined : index - start + 1;
    }
    const line = this.#line[low - 1]!;
    if (line === NO_LINE) return undefined;
    return line > NO_LINE
      ? line - SAME_LINE
      : line + index - this.#index[low - 1]!;
  }

  /** Removes the marks of the readings from `index` on. */
  truncate(index: number): void {
    while (this.#count > 0 && this.#index[this.#count - 1]! >= index) {
      this.#count--;
    }
    this.#offset = NaN;
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY_MARKS, 2 * this.#count);
    const index = new Uint32Array(capacity);
    const line = new Uint32Array(capacity);
    index.set(this.#index);
    line.set(this.#line);
    this.#index = index;
    this.#line = line;
  }
}
