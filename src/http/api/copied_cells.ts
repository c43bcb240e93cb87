import type { Freshness, Grid, ScanOptions } from "../../grid/mod.ts";

/** The most room made at first: what a region holds is known only at its end. */
const FIRST_CAPACITY = 4096;

/**
 * A copy of some cells of a layer at one revision, in columns of 21 bytes a
 * cell. The map may go on while it is sent.
 */
export class CopiedCells {
  /** How many there are; the columns may be longer. */
  length = 0;
  x: Int32Array;
  y: Int32Array;
  value: Int32Array;
  time: Float64Array;
  freshness: Uint8Array;

  /**
   * @param grid the layer; undefined for one that has no cells
   * @param options which of its cells
   */
  constructor(grid: Grid | undefined, options: ScanOptions = {}) {
    const all = options.region === undefined && !options.since;
    const capacity = all ? grid?.size ?? 0 : FIRST_CAPACITY;
    this.x = new Int32Array(capacity);
    this.y = new Int32Array(capacity);
    this.value = new Int32Array(capacity);
    this.time = new Float64Array(capacity);
    this.freshness = new Uint8Array(capacity);
    if (grid !== undefined) this.#copy(grid, options);
  }

  /** Whether a cell is still to be trusted. */
  freshnessAt(i: number): Freshness {
    return this.freshness[i] as Freshness;
  }

  #copy(grid: Grid, options: ScanOptions): void {
    let at = 0;
    for (const cell = grid.cells(options); cell.next(); at++) {
      if (at === this.x.length) this.#grow();
      this.x[at] = cell.x;
      this.y[at] = cell.y;
      this.value[at] = cell.value;
      this.time[at] = cell.time;
      this.freshness[at] = cell.freshness;
    }
    this.length = at;
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, 2 * this.x.length);
    this.x = grown(this.x, new Int32Array(capacity));
    this.y = grown(this.y, new Int32Array(capacity));
    this.value = grown(this.value, new Int32Array(capacity));
    this.time = grown(this.time, new Float64Array(capacity));
    this.freshness = grown(this.freshness, new Uint8Array(capacity));
  }
}

function grown<T extends Int32Array | Float64Array | Uint8Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}
