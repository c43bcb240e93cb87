/**
 * Decides whether a receiver at one revision can apply a delta.
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
  /** Apply it. Cells that are already known are in it as they are at `to`. */
  | "apply"
  /** Ignore it: the receiver has all of it. */
  | "known"
  /** Deltas are missing: request the changes since the known revision. */
  | "gap";

/**
 * Decides what a receiver does with a delta.
 *
 * An announcement below the receiver's revision is a gap too: the server may
 * have restored an earlier map. Only a request shows this.
 *
 * @param revision the revision that the receiver has
 */
export function checkStep(revision: number, { from, to }: Step): StepResult {
  if (to <= revision) return from === to && to < revision ? "gap" : "known";
  return from > revision || from === to ? "gap" : "apply";
}
