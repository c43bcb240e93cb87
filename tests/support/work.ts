/** Does works of turns without turns. */
import type { WaitingWork } from "../../src/common/turns.ts";

/** Does a work without pauses, except where it waits for something. */
export async function resultOf<T>(work: WaitingWork<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (value !== undefined) await value;
  }
}

/** Does a work at once: it must not wait for anything. */
export function resultNow<T>(work: WaitingWork<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (value !== undefined) throw new Error("the work waits for something");
  }
}
