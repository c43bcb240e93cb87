/**
 * Does all of a work in one turn of the event loop. Browser code uses it too.
 *
 * @module
 */
import type { Work } from "./turns.ts";

/** Does all steps of a work at once. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
