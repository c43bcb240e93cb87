/**
 * Checks the order of frames: a snapshot in parts, then deltas without a gap.
 *
 * @module
 */
import type { Frame } from "../../feed/frames.ts";
import type { View } from "../../feed/messages.ts";
import { checkStep } from "../../protocol/revision_step.ts";

/** What to do with a frame. */
export type FrameAction =
  /** Apply it. */
  | "apply"
  /** Ignore it: it belongs to an earlier view, or was applied before. */
  | "skip"
  /** Request the view again: a frame before this one is missing. */
  | "gap";

/** Decides which frames of a connection to apply. */
export class FrameSequence {
  #view: View | undefined;
  #revision: number | undefined;
  /** The last part of an incomplete snapshot; 0 if there is none. */
  #part = 0;

  /** The revision of the map; undefined before the first complete snapshot. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** The view that was requested last. */
  get view(): View | undefined {
    return this.#view;
  }

  /** Starts a new view, without a snapshot. */
  start(view: View): void {
    this.#view = view;
    this.#revision = undefined;
    this.#part = 0;
  }

  /** Decides what to do with the next frame. The caller must do it. */
  check(frame: Frame): FrameAction {
    if (frame.layer !== this.#view?.layer) return "skip";
    if (frame.kind === "delta") {
      if (this.#revision === undefined) return "skip";
      if (this.#part > 0) return "gap";
      const step = checkStep(this.#revision, frame);
      if (step === "gap") return "gap";
      if (step === "known") return "skip";
      this.#revision = frame.to;
      return "apply";
    }
    if (!sameRegion(frame.region, this.#view.region)) return "skip";
    if (frame.part !== 1 && frame.part !== this.#part + 1) {
      // No part 1 was received: this part belongs to an older snapshot.
      return this.#part === 0 ? "skip" : "gap";
    }
    this.#part = frame.part;
    if (frame.parts === frame.part) {
      this.#part = 0;
      this.#revision = frame.revision;
    }
    return "apply";
  }
}

function sameRegion(a: View["region"], b: View["region"]): boolean {
  if (a === null || b === null) return a === b;
  return a.x0 === b.x0 && a.y0 === b.y0 && a.x1 === b.x1 && a.y1 === b.y1;
}
