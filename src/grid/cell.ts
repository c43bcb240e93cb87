/**
 * The types of readings that the map applies, and of cells that it returns.
 *
 * @module
 */

import type { Freshness } from "./freshness.ts";

/** Columns of readings. The first `length` elements of each column count. */
export interface ReadingColumns {
  /** Number of readings. */
  readonly length: number;
  /** x coordinates */
  readonly x: Int32Array;
  /** y coordinates */
  readonly y: Int32Array;
  /** 0 free, above 0 occupied or the number of people, below 0 unknown */
  readonly value: Int32Array;
  /** Time of observation, ms since 1970. */
  readonly time: Float64Array;
}

/** How the readings of a batch were applied; the four add up to its length. */
export interface ApplyResult {
  /**
   * Readings that created a cell or changed its value or freshness, each
   * compared with the reading before it. An unknown cell has no freshness.
   */
  readonly changed: number;
  /** Readings that changed only the time of their cell. */
  readonly renewed: number;
  /** Readings older than their cell: dropped. */
  readonly late: number;
  /** Dropped readings: more than `maxSkew` ahead of the clock, or time NaN. */
  readonly future: number;
}

/**
 * Receives the index of a reading that was dropped, and why, see
 * {@linkcode ApplyResult}.
 */
export type DroppedListener = (index: number, code: "late" | "future") => void;

/** The latest state of a coordinate with at least one applied reading. */
export interface Cell {
  /** int32 */
  readonly x: number;
  /** int32 */
  readonly y: number;
  /** 0 free, above 0 occupied (or a count), below 0 unknown (or forgotten) */
  readonly value: number;
  /** Time of observation, ms since 1970. */
  readonly time: number;
  /** The revision of the map at the last change of the cell. */
  readonly revision: number;
  /** Whether the value can still be trusted. */
  readonly freshness: Freshness;
}

/** Receives the fields of a {@linkcode Cell}. It must not change the map. */
export type CellVisitor = (
  x: number,
  y: number,
  value: number,
  time: number,
  revision: number,
  freshness: Freshness,
) => void;
