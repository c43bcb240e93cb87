/**
 * Collects changes of cells for a history: states of cells, each from a second
 * on.
 *
 * @module
 */

import type { ReadingColumns } from "./cell.ts";
import { SpareColumns, type StateColumns } from "./state_columns.ts";

/**
 * Returns the second at which the step of a time begins.
 *
 * @param time ms since 1970
 * @param stepSeconds the length of a step
 */
export function stepSecond(time: number, stepSeconds: number): number {
  return Math.floor(time / (stepSeconds * 1000)) * stepSeconds;
}

/** A layer was deleted. */
export interface LayerDeletion {
  readonly layer: string;
  /** The clock, ms since 1970. */
  readonly now: number;
}

/** What {@linkcode ChangeLog.take} returns. */
export interface LoggedChanges {
  /** Deleted before the states began. */
  readonly deletions: readonly LayerDeletion[];
  /** By layer. */
  readonly states: ReadonlyMap<string, StateColumns>;
}

/**
 * The columns of some cells. A log gets these and a row, because a time that is
 * passed on its own is an object each, and these are a million a second.
 */
export type ValueColumns = Pick<ReadingColumns, "value" | "time">;

/**
 * The states that a sample of the map does not have: those that were replaced
 * before the sample by one of another second, and readings that arrive too late
 * for the map. A shard writes them; see `MapShard.log`.
 */
export class ChangeLog {
  /**
   * The states that cells got at a later revision are not in a sample yet.
   * `Infinity`: nothing is logged but late readings.
   */
  sampled = Infinity;
  /**
   * Late readings of calls with a later revision are logged: those before are
   * stored already. They would replace states that are stored after them.
   */
  durable = 0;
  /**
   * Start of the present step, ms since 1970: a state of this step needs no
   * log when it is replaced, because the new one is of the same step.
   */
  stepStart = -Infinity;
  /** States that begin before this second are not logged; see `tooLate`. */
  openFrom = 0;
  /** Number of states that were too late to be logged. */
  tooLate = 0;
  /** Number of states that were dropped because the log was full. */
  dropped = 0;
  /** Number of states in the log. */
  size = 0;
  readonly #stepSeconds: number;
  readonly #maxSize: () => number;
  readonly #spare: SpareColumns;
  #layers = new Map<string, StateColumns>();
  #deletions: LayerDeletion[] = [];
  #layer = "";
  #columns: StateColumns | undefined;
  #latest = 0;

  /**
   * @param stepSeconds states begin at multiples of this number of seconds
   * @param maxSize returns the maximum of `size`
   * @param spare where its columns come from
   */
  constructor(
    stepSeconds: number,
    maxSize: () => number,
    spare: SpareColumns = new SpareColumns(),
  ) {
    this.#stepSeconds = stepSeconds;
    this.#maxSize = maxSize;
    this.#spare = spare;
  }

  /**
   * Call it before the changes of a layer.
   *
   * @param layer its name
   * @param now the clock, ms since 1970: no state begins later
   */
  begin(layer: string, now: number): void {
    if (layer !== this.#layer) {
      this.#layer = layer;
      this.#columns = undefined;
    }
    this.#latest = now;
    this.stepStart = this.secondOf(now) * 1000;
  }

  /** Returns the second at which a state begins that was observed at a time. */
  secondOf(time: number): number {
    return stepSecond(time, this.#stepSeconds);
  }

  /**
   * A cell gets a new reading, and its present value is in no sample yet. Its
   * time is before `stepStart`.
   *
   * @param readings have the new one
   * @param row of the new reading
   * @param cells have the present value
   * @param slot of the cell
   */
  replaced(
    readings: ReadingColumns,
    row: number,
    cells: ValueColumns,
    slot: number,
  ): void {
    const second = this.secondOf(cells.time[slot]!);
    const to = readings.time[row]!;
    if (to < this.stepStart && second >= this.secondOf(to)) return;
    const value = cells.value[slot]!;
    this.#addFrom(second, readings.x[row]!, readings.y[row]!, value);
  }

  /**
   * A reading is older than the value of its cell. The parameters are those of
   * {@linkcode ChangeLog.replaced}.
   */
  late(
    readings: ReadingColumns,
    row: number,
    cells: ValueColumns,
    slot: number,
  ): void {
    const time = readings.time[row]!;
    if (this.secondOf(time) < this.openFrom) {
      this.tooLate++;
      return;
    }
    const x = readings.x[row]!;
    const y = readings.y[row]!;
    this.add(x, y, time, readings.value[row]!);
    this.add(x, y, cells.time[slot]!, cells.value[slot]!);
  }

  /**
   * Adds a fresh state of a cell, unless it begins before `openFrom`.
   *
   * @param time when it was observed, ms since 1970
   */
  add(x: number, y: number, time: number, value: number): void {
    this.#addFrom(this.secondOf(Math.min(time, this.#latest)), x, y, value);
  }

  #addFrom(second: number, x: number, y: number, value: number): void {
    if (second < this.openFrom) this.tooLate++;
    else this.addState(x, y, second, value, 0);
  }

  /** Adds a state of a cell of the layer of {@linkcode ChangeLog.begin}. */
  addState(
    x: number,
    y: number,
    second: number,
    value: number,
    stale: number,
  ): void {
    if (this.size >= this.#maxSize()) {
      this.dropped++;
      return;
    }
    (this.#columns ??= this.#columnsOf(this.#layer))
      .push(x, y, second, value, stale);
    this.size++;
  }

  /** Removes the states of a layer that is deleted. */
  deleted(layer: string, now: number): void {
    this.size -= this.#layers.get(layer)?.length ?? 0;
    this.#layers.delete(layer);
    if (layer === this.#layer) this.#columns = undefined;
    this.#deletions.push({ layer, now });
  }

  /** True if there is nothing to take. */
  get isEmpty(): boolean {
    return this.size === 0 && this.#deletions.length === 0;
  }

  /** Removes all that was logged, and returns it. */
  take(): LoggedChanges {
    const taken = { deletions: this.#deletions, states: this.#layers };
    this.#layers = new Map();
    this.#deletions = [];
    this.#columns = undefined;
    this.size = 0;
    return taken;
  }

  #columnsOf(layer: string): StateColumns {
    let columns = this.#layers.get(layer);
    if (columns === undefined) {
      this.#layers.set(layer, columns = this.#spare.take());
    }
    return columns;
  }
}
