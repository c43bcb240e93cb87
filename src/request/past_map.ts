/**
 * The map as it was at a time.
 *
 * @module
 */
import { CellTable } from "../grid/cell_table.ts";
import type {
  LayerDisplay,
  PastCell,
  PastReplyHeader,
} from "../protocol/mod.ts";

/** The state that a cell had. */
export interface PastCellState {
  /** int32 */
  readonly x: number;
  /** int32 */
  readonly y: number;
  /** 0 free, above 0 occupied or a number of people, below 0 unknown. */
  readonly value: number;
  /**
   * When this state began, ms since 1970; NaN if that was many days before
   * the time of the map.
   */
  readonly since: number;
  /** True if the value was too old to be trusted; unknown cells are not. */
  readonly stale: boolean;
}

/**
 * A layer, or a part of it, as it was at a time.
 *
 * @example
 * ```ts
 * import { PastCellMap } from "./past_map.ts";
 *
 * const at = 1_700_000_000_000;
 * const map = new PastCellMap(
 *   { layer: "default", at, gap: false, time: at + 5000 },
 *   [[1, 2, 1, at - 1000, 0]],
 * );
 * console.log(map.get(1, 2)?.value, map.get(3, 4)); // 1 undefined
 * ```
 */
export class PastCellMap implements Iterable<PastCellState> {
  /** The layer. */
  readonly layer: string;
  /** The time of the map, ms since 1970. */
  readonly at: number;
  /**
   * True if nothing was recorded at that time, because the server was not
   * running: the cells are as they were last known before.
   */
  readonly gap: boolean;
  /**
   * True if a part of the history is damaged: the cells whose state is not known
   * for that reason are unknown.
   */
  readonly damaged: boolean;
  /** How the server wants the layer to be shown; undefined for the defaults. */
  readonly display: LayerDisplay | undefined;
  readonly #table = new CellTable();

  /**
   * Creates a map.
   *
   * @param header that of a reply
   * @param cells those of all its parts
   */
  constructor(
    { layer, at, gap, damaged, display }: PastReplyHeader,
    cells: readonly PastCell[],
  ) {
    this.layer = layer;
    this.at = at;
    this.gap = gap;
    this.damaged = damaged === true;
    this.display = display;
    this.#table.reserve(cells.length);
    for (const [x, y, value, since, stale] of cells) {
      this.#table.set(x, y, value, since ?? NaN, stale === 1);
    }
  }

  /** The number of cells. */
  get size(): number {
    return this.#table.length;
  }

  /** Returns the state of a cell; undefined if it was not in the map. */
  get(x: number, y: number): PastCellState | undefined {
    const row = this.#table.find(x, y);
    return row < 0 ? undefined : this.#stateOf(row);
  }

  /** Iterates over all cells, in no order. */
  *[Symbol.iterator](): IterableIterator<PastCellState> {
    for (let row = 0; row < this.size; row++) yield this.#stateOf(row);
  }

  #stateOf(row: number): PastCellState {
    const { x, y, value, time, stale } = this.#table;
    return {
      x: x[row]!,
      y: y[row]!,
      value: value[row]!,
      since: time[row]!,
      stale: stale[row] === 1,
    };
  }
}
