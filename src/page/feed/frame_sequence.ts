import type { Frame } from "../../feed/frames.ts";
import type { View } from "../../feed/messages.ts";
import { checkStep } from "../../protocol/sequence.ts";

/**
 * What to do with a frame: `take` it in; `skip` it, for it is of a view that is no
 * longer wanted; or ask again, for one before it is missing (`hole`).
 */
export type Verdict = "take" | "skip" | "hole";

/** Holds that frames follow each other: a snapshot in parts, then deltas without a hole. */
export class Follower {
  #view: View | undefined;
  /** The revision that is known; undefined until there is a whole snapshot. */
  #revision: number | undefined;
  /** The last part that came of a snapshot that is not whole. */
  #part = 0;

  /** The revision that is known; undefined until there is a whole snapshot. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** What was asked for last. */
  get view(): View | undefined {
    return this.#view;
  }

  /** Begins with another view: nothing is known of it. */
  ask(view: View): void {
    this.#view = view;
    this.#revision = undefined;
    this.#part = 0;
  }

  /** Looks at the next frame. */
  judge(frame: Frame): Verdict {
    if (frame.layer !== this.#view?.layer) return "skip";
    if (frame.kind === "delta") {
      if (this.#revision === undefined) return "skip";
      if (this.#part > 0) return "hole";
      const step = checkStep(this.#revision, frame);
      if (step === "gap") return "hole";
      if (step === "known") return "skip";
      this.#revision = frame.to;
      return "take";
    }
    if (!sameRegion(frame.region, this.#view.region)) return "skip";
    if (frame.part !== 1 && frame.part !== this.#part + 1) {
      // The rest of a snapshot whose beginning was for another time.
      return this.#part === 0 ? "skip" : "hole";
    }
    this.#part = frame.part;
    if (frame.parts === frame.part) {
      this.#part = 0;
      this.#revision = frame.revision;
    }
    return "take";
  }
}

function sameRegion(a: View["region"], b: View["region"]): boolean {
  if (a === null || b === null) return a === b;
  return a.x0 === b.x0 && a.y0 === b.y0 && a.x1 === b.x1 && a.y1 === b.y1;
}
