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
 * consecutive lines. Most payloads need one mark.
 */
export class LineMarks {
  #count = 0;
  /** The index of the reading at each mark, ascending. */
  #index = NONE;
  /** Its line; perhaps with {@linkcode SAME_LINE}. */
  #line = NONE;

  /**
   * Sets the line of a reading; those after it have the lines after it.
   *
   * @param index at least that of the last mark
   * @param line from 1
   */
  mark(index: number, line: number): void {
    this.#mark(index, line);
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
    const last = this.#count - 1;
    if (last >= 0) {
      const at = this.#index[last]!;
      if (at === index) {
        this.#line[last] = line;
        return;
      }
      const before = this.#line[last]!;
      if (before < SAME_LINE && before + index - at === line) return;
    }
    if (this.#count === this.#index.length) this.#grow();
    this.#index[this.#count] = index;
    this.#line[this.#count++] = line;
  }

  /** Returns the line of a reading; undefined if it is not known. */
  lineOf(index: number): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#index[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
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
