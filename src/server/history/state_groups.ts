/**
 * Groups logged states by tile and hour, in typed arrays: where no two cells
 * share a tile, the groups are as many as the states.
 *
 * @module
 */
import { KeyTable, type StateColumns } from "../../grid/mod.ts";
import { TILE_BITS } from "../../grid/tiles.ts";
import { hourOf } from "../../history/hour.ts";

/** States that are grouped together: about 3 MB if no two share a tile. */
export const MAX_GROUPED_STATES: number = 1 << 16;
/** States that are grouped in one step: about a millisecond. */
const STATES_PER_STEP = 8192;
/** The end of a list of states. */
const NONE = -1;

/** Groups of states, each a linked list in the order of the states. */
export class StateGroups {
  /** Tile and hour of each group. */
  readonly #keys = new KeyTable();
  /** By group: its first and last state, counted from the first of all. */
  #first = new Int32Array(0);
  #last = new Int32Array(0);
  /** By state: the next of its group. */
  #next = new Int32Array(0);
  /** The row of the first state. */
  #from = 0;

  /** The number of groups. */
  get length(): number {
    return this.#keys.length;
  }

  /** Returns the row of the first state of a group. */
  firstOf(group: number): number {
    return this.#from + this.#first[group]!;
  }

  /** Returns the row of the next state of the same group; below 0: none. */
  nextOf(row: number): number {
    const next = this.#next[row - this.#from]!;
    return next === NONE ? NONE : this.#from + next;
  }

  /**
   * Replaces the groups by those of some states.
   *
   * @param from the row of the first state
   * @param to the row after the last one, at most
   * {@linkcode MAX_GROUPED_STATES} rows later
   * @returns groups some states each step
   */
  *group(
    { x, y, second }: StateColumns,
    from: number,
    to: number,
  ): Generator<undefined, void, void> {
    this.#from = from;
    const count = to - from;
    this.#reserve(count);
    const keys = this.#keys;
    keys.clear();
    const [first, last, next] = [this.#first, this.#last, this.#next];
    let [tx, ty, hour, group] = [NaN, NaN, NaN, NONE];
    for (let i = 0; i < count; i++) {
      if (i % STATES_PER_STEP === STATES_PER_STEP - 1) yield undefined;
      next[i] = NONE;
      const txHere = x[from + i]! >> TILE_BITS;
      const tyHere = y[from + i]! >> TILE_BITS;
      const hourHere = hourOf(second[from + i]!);
      // Most states are in the tile of the one before.
      if (txHere !== tx || tyHere !== ty || hourHere !== hour) {
        [tx, ty, hour] = [txHere, tyHere, hourHere];
        const { length } = keys;
        group = keys.insert(tx, ty, hour);
        if (group === length) {
          first[group] = last[group] = i;
          continue;
        }
      }
      next[last[group]!] = i;
      last[group] = i;
    }
  }

  #reserve(states: number): void {
    if (states <= this.#next.length) return;
    const capacity = Math.min(
      MAX_GROUPED_STATES,
      Math.max(states, 2 * this.#next.length),
    );
    this.#first = new Int32Array(capacity);
    this.#last = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
  }
}
