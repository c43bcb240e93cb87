import type { CellCounts, Region } from "../../../grid/mod.ts";
import type { ReadingBatch } from "../../../protocol/mod.ts";
import { Level, levelOf, LEVELS, wasStale } from "./level.ts";

const FIRST_CAPACITY = 64;

/** Cells as they were told at one time: an answer, or an event of a watch. */
export interface ToldCells {
  readonly cells: ReadingBatch;
  /** The server's time when it read the map, ms since 1970. */
  readonly time?: number;
  /** Cells observed more than this before `time` are stale, ms. */
  readonly staleAfter?: number;
}

/**
 * The latest of every cell that was told, in columns, and their counts. Cells
 * are only ever added; one that is forgotten is unknown. Takes 29 to 58 bytes a cell,
 * as it grows by doubling.
 */
export class KnownCells {
  /** How many cells there are: the length that counts of all columns. */
  size = 0;
  x: Int32Array = new Int32Array(FIRST_CAPACITY);
  y: Int32Array = new Int32Array(FIRST_CAPACITY);
  value: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** When it was observed, ms since 1970; NaN if not known. */
  time: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** See {@linkcode Level}. */
  level: Uint8Array = new Uint8Array(FIRST_CAPACITY);

  /** Open addressing, linear probing; twice the capacity; 0 is empty, else index + 1. */
  #slots = new Int32Array(2 * FIRST_CAPACITY);
  readonly #ofLevel = new Float64Array(LEVELS);
  #people = 0;
  #bounds: Region | undefined;

  /** Takes what was told, over what was told before. */
  add(told: ToldCells): void {
    const { cells } = told;
    for (let i = 0; i < cells.length; i++) {
      const value = cells.value[i]!;
      const time = cells.time[i]!;
      const level = levelOf(value, wasStale(told, time));
      this.#put(cells.x[i]!, cells.y[i]!, value, time, level);
    }
  }

  /** Forgets all. */
  clear(): void {
    this.size = 0;
    this.#slots.fill(0);
    this.#ofLevel.fill(0);
    this.#people = 0;
    this.#bounds = undefined;
  }

  /** The least rectangle that holds all cells; undefined if there are none. */
  get bounds(): Region | undefined {
    return this.#bounds;
  }

  /** Where the cell is in the columns; -1 if it was never told. */
  indexOf(x: number, y: number): number {
    return this.#slots[this.#slotOf(x, y)]! - 1;
  }

  /** What the cells say. */
  counts(): CellCounts {
    const of = this.#ofLevel;
    const free = of[Level.Free]!;
    const unknown = of[Level.Unknown]!;
    const stale = of[Level.StaleFree]! + of[Level.StaleOccupied]!;
    return {
      cells: this.size,
      free,
      unknown,
      stale,
      occupied: this.size - free - unknown - stale,
      people: this.#people,
    };
  }

  #put(x: number, y: number, value: number, time: number, level: number): void {
    const slot = this.#slotOf(x, y);
    let at = this.#slots[slot]! - 1;
    if (at === -1) {
      at = this.size++;
      this.#slots[slot] = at + 1;
      if (at === this.x.length) this.#grow();
      this.x[at] = x;
      this.y[at] = y;
      this.#widen(x, y);
    } else {
      this.#count(this.level[at]!, this.value[at]!, -1);
    }
    this.value[at] = value;
    this.time[at] = time;
    this.level[at] = level;
    this.#count(level, value, 1);
  }

  #count(level: number, value: number, cells: 1 | -1): void {
    this.#ofLevel[level]! += cells;
    if (level >= Level.Occupied) this.#people += cells * value;
  }

  #widen(x: number, y: number): void {
    const { x0, y0, x1, y1 } = this.#bounds ?? { x0: x, y0: y, x1: x, y1: y };
    if (this.#bounds && x >= x0 && x <= x1 && y >= y0 && y <= y1) return;
    this.#bounds = {
      x0: Math.min(x0, x),
      y0: Math.min(y0, y),
      x1: Math.max(x1, x),
      y1: Math.max(y1, y),
    };
  }

  /** Where the cell is in the slots, or where it would be. */
  #slotOf(x: number, y: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash(x, y) & mask;
    for (;;) {
      const at = slots[slot]! - 1;
      if (at === -1 || this.x[at] === x && this.y[at] === y) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const capacity = 2 * this.x.length;
    this.x = grown(this.x, new Int32Array(capacity));
    this.y = grown(this.y, new Int32Array(capacity));
    this.value = grown(this.value, new Int32Array(capacity));
    this.time = grown(this.time, new Float64Array(capacity));
    this.level = grown(this.level, new Uint8Array(capacity));
    const old = this.#slots;
    this.#slots = new Int32Array(2 * capacity);
    const mask = this.#slots.length - 1;
    for (const entry of old) {
      if (entry === 0) continue;
      let slot = hash(this.x[entry - 1]!, this.y[entry - 1]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry;
    }
  }
}

/** Spreads neighbours and rows over all bits (the finaliser of MurmurHash3). */
function hash(x: number, y: number): number {
  let h = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return (h ^ h >>> 16) >>> 0;
}

function grown<T extends Int32Array | Float64Array | Uint8Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}
