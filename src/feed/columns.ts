/**
 * Cells in columns, as the live feed has them at both of its ends.
 *
 * @module
 */

/** The first `length` elements of each column count. */
export interface CellColumns {
  /** How many cells. */
  length: number;
  /** The coordinate. */
  x: Int32Array;
  /** The coordinate. */
  y: Int32Array;
  /** 0 free, above 0 occupied or how many people, below 0 unknown. */
  value: Int32Array;
  /** A {@linkcode Status}, plus {@linkcode STALE}. */
  status: Uint8Array;
  /** When it was observed, ms since 1970. */
  time: Float64Array;
}

/** What a cell said when it was observed. */
export const Status = { Free: 0, Occupied: 1, Unknown: 2 } as const;

/** One of the numbers of {@linkcode Status}. */
export type Status = typeof Status[keyof typeof Status];

/** Set if a cell was observed too long ago to tell; never with unknown. */
export const STALE = 4;

/**
 * The status of a cell.
 *
 * @param value of the cell; below 0 is unknown, stale or not
 * @param stale whether it was observed too long ago
 */
export function statusOf(value: number, stale: boolean): number {
  if (value < 0) return Status.Unknown;
  const status = value === 0 ? Status.Free : Status.Occupied;
  return stale ? status | STALE : status;
}

/** Whether a status has {@linkcode STALE}. */
export function isStale(status: number): boolean {
  return (status & STALE) !== 0;
}

/** Columns with room for so many cells; their length is 0. */
export function newColumns(capacity: number): CellColumns {
  return {
    length: 0,
    x: new Int32Array(capacity),
    y: new Int32Array(capacity),
    value: new Int32Array(capacity),
    status: new Uint8Array(capacity),
    time: new Float64Array(capacity),
  };
}
