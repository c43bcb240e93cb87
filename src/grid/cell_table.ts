/**
 * Stores the latest state of cells by coordinate, in typed arrays. Clients, the
 * terminal and the page hold their copy of a layer in it.
 *
 * @module
 */
import { hashCoordinate } from "./coordinate_hash.ts";
import { contains, type Region } from "../protocol/region.ts";

const MIN_CAPACITY_CELLS = 64;

/**
 * Cells in columns, in the order in which they were added, and a hash table
 * (open addressing, linear probing) from coordinates to rows. A cell takes 21
 * bytes and 8 to 16 for the hash table. Cells cannot be removed one by one.
 *
 * The columns are longer than the table: only the first {@linkcode length}
 * elements count. They are replaced when the table grows, so do not keep a
 * reference to one across {@linkcode set} or {@linkcode insert}.
 *
 * @example
 * ```ts
 * import { CellTable } from "./cell_table.ts";
 *
 * const table = new CellTable();
 * table.set(1, 2, 5, 1_700_000_000_000, false);
 * console.log(table.value[table.find(1, 2)]); // 5
 * ```
 */
export class CellTable {
  /** The number of cells. */
  length = 0;
  x: Int32Array = new Int32Array(MIN_CAPACITY_CELLS);
  y: Int32Array = new Int32Array(MIN_CAPACITY_CELLS);
  /** 0 free, above 0 occupied or a number of people, below 0 unknown. */
  value: Int32Array = new Int32Array(MIN_CAPACITY_CELLS);
  /** When the cell was observed, ms since 1970; NaN if not known. */
  time: Float64Array = new Float64Array(MIN_CAPACITY_CELLS);
  /** 1 if the observation is too old to be trusted, else 0. */
  stale: Uint8Array = new Uint8Array(MIN_CAPACITY_CELLS);
  /** Row + 1, or 0 for an empty slot. Twice as long as the columns. */
  #slots = new Int32Array(2 * MIN_CAPACITY_CELLS);
  #bounds: Region | undefined;

  /** The smallest region that contains all cells; undefined without cells. */
  get bounds(): Region | undefined {
    return this.#bounds;
  }

  /** Returns the row of a coordinate, or -1. */
  find(x: number, y: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hashCoordinate(x, y) & mask;; slot = slot + 1 & mask) {
      const row = slots[slot]! - 1;
      if (row < 0 || this.x[row] === x && this.y[row] === y) return row;
    }
  }

  /**
   * Returns the row of a coordinate. If there is none, adds a row at the end,
   * and the caller sets value, time and stale.
   */
  insert(x: number, y: number): number {
    const row = this.find(x, y);
    return row < 0 ? this.#add(x, y) : row;
  }

  /**
   * Sets the state of a cell, adding it if the table does not have it.
   *
   * @param value int32; below 0 is unknown
   * @param time when it was observed, ms since 1970; NaN if not known
   * @param stale whether the observation is too old to be trusted
   * @returns the row of the cell
   */
  set(
    x: number,
    y: number,
    value: number,
    time: number,
    stale: boolean,
  ): number {
    const row = this.insert(x, y);
    this.value[row] = value;
    this.time[row] = time;
    this.stale[row] = stale ? 1 : 0;
    return row;
  }

  /** Reserves memory for a total number of cells. */
  reserve(cells: number): void {
    let capacity = this.x.length;
    if (cells <= capacity) return;
    while (capacity < cells) capacity *= 2;
    this.x = grown(this.x, new Int32Array(capacity));
    this.y = grown(this.y, new Int32Array(capacity));
    this.value = grown(this.value, new Int32Array(capacity));
    this.time = grown(this.time, new Float64Array(capacity));
    this.stale = grown(this.stale, new Uint8Array(capacity));
    this.#slots = new Int32Array(2 * capacity);
    for (let row = 0; row < this.length; row++) this.#link(row);
  }

  /** Removes all cells and keeps their memory. */
  clear(): void {
    this.length = 0;
    this.#slots.fill(0);
    this.#bounds = undefined;
  }

  #add(x: number, y: number): number {
    if (this.length === this.x.length) this.reserve(this.length + 1);
    const row = this.length++;
    this.x[row] = x;
    this.y[row] = y;
    this.#link(row);
    this.#widen(x, y);
    return row;
  }

  /** Enters a row into the hash table. */
  #link(row: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashCoordinate(this.x[row]!, this.y[row]!) & mask;
    while (slots[slot] !== 0) slot = slot + 1 & mask;
    slots[slot] = row + 1;
  }

  #widen(x: number, y: number): void {
    const old = this.#bounds;
    if (old !== undefined && contains(old, x, y)) return;
    this.#bounds = {
      x0: Math.min(old?.x0 ?? x, x),
      y0: Math.min(old?.y0 ?? y, y),
      x1: Math.max(old?.x1 ?? x, x),
      y1: Math.max(old?.y1 ?? y, y),
    };
  }
}

function grown<Column extends { set(from: Column): void }>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  return to;
}
