import { ReadingBatch } from "../protocol/mod.ts";
import type { MapView } from "./ask.ts";
import type { WatchEvent } from "./watch.ts";

/** What is known of one coordinate. */
export interface CellState {
  readonly x: number;
  readonly y: number;
  /** 0 free, above 0 occupied (or how many), below 0 unknown. */
  readonly value: number;
  /**
   * When it was observed, ms since 1970; NaN if the server does not say. In a
   * map that is being watched it may have been renewed since without a change.
   */
  readonly time: number;
  /** True if it was observed so long ago that it may be wrong. */
  readonly stale: boolean;
}

const FIRST_SLOTS = 64;

/**
 * A map in the hands of a client: what was answered, and what changed since.
 *
 * @example
 * ```ts
 * import { CellMap } from "./cell_map.ts";
 * import { ReadingBatch } from "../protocol/mod.ts";
 *
 * const cells = new ReadingBatch();
 * cells.push(1, 2, 1, 1_700_000_000_000);
 * const map = new CellMap({ layer: "default", cells });
 * console.log(map.get(1, 2)?.value, map.get(3, 4)); // 1 undefined
 * ```
 */
export class CellMap implements Iterable<CellState> {
  /** The layer. */
  readonly layer: string;
  #revision: number | undefined;
  #time: number | undefined;
  #cells = new ReadingBatch();
  /** 1 for each cell that is stale. */
  #stale = new Uint8Array(0);
  /** Open addressing: one above the index of a cell, or 0. Half are 0 at the least. */
  #slots = new Int32Array(FIRST_SLOTS);

  /** @param view An answer, or the snapshot with which watching begins */
  constructor(view: MapView | WatchEvent) {
    this.layer = view.layer;
    this.#take(view);
  }

  /** How many coordinates it has. */
  get size(): number {
    return this.#cells.length;
  }

  /** The revision that it is at; undefined if the server does not say. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** The server's time when it was so, ms since 1970; undefined if it does not say. */
  get time(): number | undefined {
    return this.#time;
  }

  /** Takes what was told next: changes, or a snapshot that replaces all. */
  apply(event: WatchEvent): void {
    if (event.kind === "snapshot") {
      this.#cells = new ReadingBatch();
      this.#slots = new Int32Array(FIRST_SLOTS);
    }
    this.#take(event);
  }

  /** What is known of a coordinate; undefined if it was never reported. */
  get(x: number, y: number): CellState | undefined {
    const index = this.#slots[this.#slotOf(x, y)]! - 1;
    return index < 0 ? undefined : this.#state(index);
  }

  /** All cells, in no particular order. Do not change the map meanwhile. */
  *[Symbol.iterator](): IterableIterator<CellState> {
    for (let index = 0; index < this.size; index++) yield this.#state(index);
  }

  #state(index: number): CellState {
    const { x, y, value, time } = this.#cells;
    return {
      x: x[index]!,
      y: y[index]!,
      value: value[index]!,
      time: time[index]!,
      stale: this.#stale[index] === 1,
    };
  }

  #take({ revision, time, staleAfter = Infinity, cells }: MapView): void {
    this.#revision = revision;
    this.#time = time;
    this.#reserve(cells.length);
    for (let i = 0; i < cells.length; i++) {
      const observed = cells.time[i]!;
      const index = this.#put(
        cells.x[i]!,
        cells.y[i]!,
        cells.value[i]!,
        observed,
      );
      this.#stale[index] = time !== undefined && time > observed + staleAfter
        ? 1
        : 0;
    }
  }

  #put(x: number, y: number, value: number, time: number): number {
    const slot = this.#slotOf(x, y);
    const index = this.#slots[slot]! - 1;
    if (index < 0) {
      this.#cells.push(x, y, value, time);
      return (this.#slots[slot] = this.size) - 1;
    }
    this.#cells.value[index] = value;
    this.#cells.time[index] = time;
    return index;
  }

  /** Makes room for so many more. */
  #reserve(more: number): void {
    const most = this.size + more;
    if (most > this.#stale.length) {
      const grown = new Uint8Array(Math.max(most, 2 * this.#stale.length));
      grown.set(this.#stale);
      this.#stale = grown;
    }
    let slots = this.#slots.length;
    while (slots < 2 * most) slots *= 2;
    if (slots === this.#slots.length) return;
    this.#slots = new Int32Array(slots);
    const { x, y, length } = this.#cells;
    for (let i = 0; i < length; i++) {
      this.#slots[this.#slotOf(x[i]!, y[i]!)] = i + 1;
    }
  }

  /** Where a coordinate is, or would be. */
  #slotOf(x: number, y: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash(x, y) & mask;
    for (;; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1;
      if (index < 0) return slot;
      if (this.#cells.x[index] === x && this.#cells.y[index] === y) return slot;
    }
  }
}

/** Mixes well enough that neighbours do not collide (multiplicative hashing, Knuth 6.4). */
function hash(x: number, y: number): number {
  const mixed = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
