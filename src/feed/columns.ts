/**
 * Cells in columns, one typed array per property: the form that server and page
 * share.
 *
 * @module
 */

/** Cells in columns; only the first `length` elements are used. */
export interface CellColumns {
  /** The number of cells. */
  length: number;
  /** The x coordinate. */
  x: Int32Array;
  /** The y coordinate. */
  y: Int32Array;
  /** 0 free, above 0 occupied or the number of people, below 0 unknown. */
  value: Int32Array;
  /** 1 for a stale cell, else 0; unknown cells have 0. */
  stale: Uint8Array;
  /** When the cell was observed, ms since 1970. */
  time: Float64Array;
}

/**
 * Returns empty columns.
 *
 * @param capacity maximum number of cells
 */
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
