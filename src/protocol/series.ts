/**
 * Counts of a zone or a region over time, step by step.
 *
 * @module
 */

import type { Region } from "./region.ts";

/** The lengths of steps. */
export const STEPS = ["15m", "1h", "1d", "1w"] as const;

/** The length of the steps of a series. */
export type Step = (typeof STEPS)[number];

/** A time without records, ms since 1970, without its end. */
export type GapMs = readonly [from: number, to: number];

/**
 * How many were there, step by step. All columns have one element a step; a
 * step of which nothing is known has null.
 */
export interface Series {
  /** ms since 1970. */
  readonly from: number;
  /** ms since 1970, exclusive. */
  readonly to: number;
  /** The length of the steps. */
  readonly step: Step;
  /** The time zone in which days and weeks are cut: an IANA name. */
  readonly timezone: string;
  /** The zone, with its title; undefined for a region. */
  readonly zone?: { readonly name: string; readonly title: string } | undefined;
  /** The layer of the zone or the region. */
  readonly layer: string;
  /** The region; undefined for a zone, or a whole layer. */
  readonly region?: Region | undefined;
  /** Of the zone, if it has one. */
  readonly capacity?: number | undefined;
  /** The start of each step, ms since 1970. */
  readonly start: readonly number[];
  /** The smallest count: the sum of the values of fresh occupied cells. */
  readonly least: readonly (number | null)[];
  /**
   * The mean count over the known time; of a region before the kept changes, of
   * which only the mean is known, the mean number of occupied cells.
   */
  readonly mean: readonly (number | null)[];
  /** The largest count. */
  readonly most: readonly (number | null)[];
  /** The part of the known time in which it was occupied, 0 to 1. */
  readonly occupied: readonly (number | null)[];
  /** The part of the step that is known, 0 to 1; of a region the mean of cells. */
  readonly known: readonly number[];
  /** How often it became occupied. */
  readonly entries: readonly (number | null)[];
  /** Times in which nothing was recorded; a reply over MQTT has the last 100. */
  readonly gaps: readonly GapMs[];
  /**
   * Times of which a part of the history is damaged: what is not known for that
   * reason is unknown, as in a gap. Undefined: none.
   */
  readonly damaged?: readonly GapMs[] | undefined;
}
