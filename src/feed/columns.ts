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
  /** A {@linkcode Status}, plus {@linkcode STALE}. */
  status: Uint8Array;
  /** When it was observed, ms since 1970. */
  time: Float64Array;
}

/** The status of a cell when it was observed. */
export const Status = { Free: 0, Occupied: 1, Unknown: 2 } as const;

/** One of the numbers of {@linkcode Status}. */
export type Status = typeof Status[keyof typeof Status];

/** Flag of a stale cell; never set with unknown. */
export const STALE = 4;

/**
 * Returns the number in the status column.
 *
 * @param value of the cell; below 0 is unknown, stale or not
 * @param stale whether the cell is stale
 */
export function statusOf(value: number, stale: boolean): number {
  if (value < 0) return Status.Unknown;
  const status = value === 0 ? Status.Free : Status.Occupied;
  return stale ? status | STALE : status;
}

/** Returns true if a status has the flag {@linkcode STALE}. */
export function isStale(status: number): boolean {
  return (status & STALE) !== 0;
}

/** The status of a cell in one word. */
export type StatusName = "free" | "occupied" | "unknown" | "stale";

/** Returns the word for a number of the status column. */
export function statusName(status: number): StatusName {
  if (isStale(status)) return "stale";
  if (status === Status.Unknown) return "unknown";
  return status === Status.Free ? "free" : "occupied";
}

/** Returns empty columns with room for a number of cells. */
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
