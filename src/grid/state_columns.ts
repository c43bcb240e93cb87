/**
 * Columns of states of cells, each from a second on.
 *
 * @module
 */

const FIRST_CAPACITY = 64;
/** Spare columns, and the smallest and largest number of rows of each. */
const MAX_SPARE = 2;
const MIN_SPARE_ROWS = 1 << 10;
const MAX_SPARE_ROWS = 1 << 18;

/** Columns of states of cells, in the order in which they were added. */
export class StateColumns {
  /** Number of states. */
  length = 0;
  /** int32 */
  x: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** int32 */
  y: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** The cell has the state from here on; seconds since 1970, uint32. */
  second: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** int32: 0 free, above 0 occupied, below 0 unknown */
  value: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** 1 if the value is too old to be trusted, else 0. */
  stale: Uint8Array = new Uint8Array(FIRST_CAPACITY);

  /** Adds a state. */
  push(
    x: number,
    y: number,
    second: number,
    value: number,
    stale: number,
  ): void {
    const at = this.length++;
    if (at === this.x.length) this.#grow();
    this.x[at] = x;
    this.y[at] = y;
    this.second[at] = second;
    this.value[at] = value;
    this.stale[at] = stale;
  }

  #grow(): void {
    const capacity = 2 * this.x.length;
    const { x, y, second, value, stale } = this;
    (this.x = new Int32Array(capacity)).set(x);
    (this.y = new Int32Array(capacity)).set(y);
    (this.second = new Uint32Array(capacity)).set(second);
    (this.value = new Int32Array(capacity)).set(value);
    (this.stale = new Uint8Array(capacity)).set(stale);
  }
}

/**
 * Columns for further states: new ones are memory outside of the heap, which
 * costs a garbage collection every few megabytes.
 */
export class SpareColumns {
  readonly #spare: StateColumns[] = [];

  /** Returns columns without states. */
  take(): StateColumns {
    return this.#spare.pop() ?? new StateColumns();
  }

  /** Keeps columns whose states are not needed any more. */
  put(columns: StateColumns): void {
    const rows = columns.x.length;
    if (rows < MIN_SPARE_ROWS || rows > MAX_SPARE_ROWS) return;
    if (this.#spare.length === MAX_SPARE) return;
    columns.length = 0;
    this.#spare.push(columns);
  }
}
