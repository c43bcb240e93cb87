/**
 * A client's copy of the map, updated by the events of a watch.
 *
 * @module
 */
import { CellTable } from "../grid/cell_table.ts";
import { wasStale } from "../grid/status.ts";
import type { MapView } from "./map_request.ts";
import type { WatchEvent } from "./watch.ts";

/** The state of one cell. */
export interface CellState {
  /** int32 */
  readonly x: number;
  /** int32 */
  readonly y: number;
  /** 0 free, above 0 occupied or a number of people, below 0 unknown. */
  readonly value: number;
  /**
   * When the cell was observed, ms since 1970; NaN if the server does not send
   * times. A watch does not send later observations of the same value, so the
   * last one may be later.
   */
  readonly time: number;
  /** True if the observation is too old to be trusted; unknown cells are not. */
  readonly stale: boolean;
}

/**
 * A client's copy of a layer, or of a part of it: a reply, updated by the
 * events of a watch.
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
  readonly #table = new CellTable();

  /**
   * Creates a copy of the map.
   *
   * @param view a reply, or the snapshot that a watch begins with
   */
  constructor(view: MapView | WatchEvent) {
    this.layer = view.layer;
    this.#update(view);
  }

  /** The number of cells. */
  get size(): number {
    return this.#table.length;
  }

  /** The revision of the map; undefined if the server does not send one. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /**
   * The server's time when it read the map, ms since 1970; undefined if the
   * server does not send it.
   */
  get time(): number | undefined {
    return this.#time;
  }

  /** Applies the next event of a watch: a snapshot replaces all cells. */
  apply(event: WatchEvent): void {
    if (event.kind === "snapshot") this.#table.clear();
    this.#update(event);
  }

  /** Returns the state of a cell; undefined if it was never reported. */
  get(x: number, y: number): CellState | undefined {
    const row = this.#table.find(x, y);
    return row < 0 ? undefined : this.#stateOf(row);
  }

  /** Iterates over all cells, in no order. Do not call `apply` meanwhile. */
  *[Symbol.iterator](): IterableIterator<CellState> {
    for (let row = 0; row < this.size; row++) yield this.#stateOf(row);
  }

  #stateOf(row: number): CellState {
    const { x, y, value, time, stale } = this.#table;
    return {
      x: x[row]!,
      y: y[row]!,
      value: value[row]!,
      time: time[row]!,
      stale: stale[row] === 1,
    };
  }

  #update(view: MapView): void {
    const { revision, time, cells } = view;
    this.#revision = revision;
    this.#time = time;
    if (this.size === 0) this.#table.reserve(cells.length);
    for (let i = 0; i < cells.length; i++) {
      const observed = cells.time[i]!;
      this.#table.set(
        cells.x[i]!,
        cells.y[i]!,
        cells.value[i]!,
        observed,
        cells.value[i]! >= 0 && wasStale(observed, view),
      );
    }
  }
}
