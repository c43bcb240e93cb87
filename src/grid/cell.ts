/**
 * What goes into the map and what comes out of it.
 *
 * @module
 */

import type { Freshness } from "./freshness.ts";

/** Columns of readings. The first `length` elements of each column count. */
export interface ReadingColumns {
  /** How many readings. */
  readonly length: number;
  /** The coordinate. */
  readonly x: Int32Array;
  /** The coordinate. */
  readonly y: Int32Array;
  /** 0 free, above 0 occupied or how many people, below 0 unknown. */
  readonly value: Int32Array;
  /** When it was observed, ms since 1970. */
  readonly time: Float64Array;
}

/** What became of the readings of a batch; the four add up to its length. */
export interface ApplyResult {
  /** New cells, and other values or freshness than before: these have the new revision. */
  readonly changed: number;
  /** Readings that said again what was known: only the time was renewed. */
  readonly renewed: number;
  /** Readings observed before the one that is stored: dropped. */
  readonly late: number;
  /** Readings observed more than `maxSkew` ahead of the clock, or at NaN: dropped. */
  readonly future: number;
}

/** What is known of one coordinate. */
export interface Cell {
  /** The coordinate. */
  readonly x: number;
  /** The coordinate. */
  readonly y: number;
  /** 0 free, above 0 occupied or how many people, below 0 unknown; -1 when forgotten. */
  readonly value: number;
  /** When it was observed, ms since 1970. */
  readonly time: number;
  /** The revision of the map that last changed it. */
  readonly revision: number;
  /** Whether it is still to be trusted. */
  readonly freshness: Freshness;
}

/** Is given the fields of a {@linkcode Cell} one by one. It must not change the map. */
export type CellVisitor = (
  x: number,
  y: number,
  value: number,
  time: number,
  revision: number,
  freshness: Freshness,
) => void;
