/**
 * The cells that the page has, in columns: no object is made for a cell.
 *
 * @module
 */

const LEAST = 1024;

/**
 * Cells by coordinate: dense columns, in order of arrival, and an open-addressing
 * index into them. 21 bytes a cell and 8 to 16 for the index, whether cells lie
 * together or scattered. Cells are never taken out: a new snapshot is a new table.
 */
export class CellTable {
  /** How many cells; the first `length` elements of each column count. */
  length = 0;
  x: Int32Array = new Int32Array(LEAST);
  y: Int32Array = new Int32Array(LEAST);
  /** 0 free, above 0 occupied or how many people, below 0 unknown. */
  value: Int32Array = new Int32Array(LEAST);
  /** When it was observed, ms since 1970. */
  time: Float64Array = new Float64Array(LEAST);
  /** 1 where it was observed too long ago, else 0. */
  stale: Uint8Array = new Uint8Array(LEAST);
  /** Row + 1, or 0 where there is none; twice the room of the columns. */
  #index = new Int32Array(2 * LEAST);

  /** The row of a coordinate, or -1 if it was never reported. */
  find(x: number, y: number): number {
    const mask = this.#index.length - 1;
    for (let slot = hash(x, y) & mask;; slot = slot + 1 & mask) {
      const row = this.#index[slot]! - 1;
      if (row < 0 || this.x[row] === x && this.y[row] === y) return row;
    }
  }

  /**
   * Takes a cell in, or its news.
   *
   * @returns its row
   */
  set(
    x: number,
    y: number,
    value: number,
    time: number,
    stale: boolean,
  ): number {
    let row = this.find(x, y);
    if (row < 0) {
      if (this.length === this.x.length) this.#grow(2 * this.length);
      row = this.length++;
      this.x[row] = x;
      this.y[row] = y;
      this.#link(row);
    }
    this.value[row] = value;
    this.time[row] = time;
    this.stale[row] = stale ? 1 : 0;
    return row;
  }

  #grow(room: number): void {
    this.x = longer(this.x, new Int32Array(room));
    this.y = longer(this.y, new Int32Array(room));
    this.value = longer(this.value, new Int32Array(room));
    this.time = longer(this.time, new Float64Array(room));
    this.stale = longer(this.stale, new Uint8Array(room));
    this.#index = new Int32Array(2 * room);
    for (let row = 0; row < this.length; row++) this.#link(row);
  }

  #link(row: number): void {
    const mask = this.#index.length - 1;
    let slot = hash(this.x[row]!, this.y[row]!) & mask;
    while (this.#index[slot] !== 0) slot = slot + 1 & mask;
    this.#index[slot] = row + 1;
  }
}

function longer<Column extends { set(from: Column): void }>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  return to;
}

/** Neighbours must not end up in one run of slots: the finalizer of MurmurHash3. */
function hash(x: number, y: number): number {
  let mixed = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return mixed ^ mixed >>> 16;
}
