/**
 * Cells in columns, as server and page have them.
 *
 * @module
 */

/** Cells in columns; only the first `length` elements are used. */
export interface CellColumns {
  /** The number of cells. */
  length: number;
  /** The coordinate. */
  x: Int32Array;
  /** The coordinate. */
  y: Int32Array;
  /** 0 free, above 0 occupied or the number of people, below 0 unknown. */
  value: Int32Array;
  /** 1 for a stale cell, else 0; unknown cells have 0. */
  stale: Uint8Array;
  /** When it was observed, ms since 1970. */
  time: Float64Array;
}

/** Returns empty columns with room for a number of cells. */
export function newColumns(capacity: number): CellColumns {
  return {
    length: 0,
    x: new Int32Array(capacity),
    y: new Int32Array(capacity),
    value: new Int32Array(capacity),
    stale: new Uint8Array(capacity),
    time: new Float64Array(capacity),
  };
}
