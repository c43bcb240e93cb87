/**
 * Decides whether a delta follows what a receiver has.
 *
 * @module
 */

/** A step from one revision of a map to a later one. */
export interface Step {
  /** The delta has all cells that changed after this revision … */
  readonly from: number;
  /** … as they are at this one. Equal to `from`: no cells, an announcement. */
  readonly to: number;
}

/** What a receiver does with a delta. */
export type StepResult =
  /** Apply it. Cells that are known already do no harm: they are as at `to`. */
  | "apply"
  /** Ignore it: the receiver has all of it. */
  | "known"
  /** Changes before it are missing: request what changed since its revision. */
  | "gap";

/**
 * Decides what a receiver does with a delta.
 *
 * An announcement below the receiver's revision is a gap too: the map may have
 * been restored to an earlier state, which only a request can show.
 *
 * @param revision the revision that the receiver has
 */
export function checkStep(revision: number, { from, to }: Step): StepResult {
  if (to <= revision) return from === to && to < revision ? "gap" : "known";
  return from > revision || from === to ? "gap" : "apply";
}
