/**
 * Divides the work of all connections into short turns of the event loop.
 *
 * @module
 */
import { nextTurn } from "../../common/next_turn.ts";

/** Work of all connections in one turn. */
const TURN_MS = 5;
/** Work of one connection in one turn. */
const SLICE_MS = 3;
/** Less work in a turn is not worth an event of the loop. */
const NOTICED_MS = 2;

/** A connection. */
export interface Worker {
  /** Works until there is nothing to do, or {@linkcode Turns.isOver}. */
  work(): void;
}

/** Lets connections work in turn. */
export class Turns {
  /** Those that wait for a later turn, the next first. */
  readonly #waiting: Worker[] = [];
  /** True if {@linkcode #next} will be called: it begins the next turn. */
  #isScheduled = false;
  /** Work since the last turn that was noticed, in ms. */
  #spentMs = 0;
  #sliceEnd = 0;

  /** The time at the start of the present slice, ms of `performance.now()`. */
  now = performance.now();

  /** Calls `work` now, or in a later turn if this one is over. */
  enter(worker: Worker): void {
    if (this.#waiting.length > 0 || this.#spentMs >= TURN_MS) {
      this.later(worker);
    } else this.#run(worker);
  }

  /** Calls `work` in a later turn. */
  later(worker: Worker): void {
    this.#waiting.push(worker);
    this.#schedule();
  }

  /** Returns true if the worker should go on in a later turn. */
  isOver(): boolean {
    return performance.now() >= this.#sliceEnd;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    nextTurn(this.#next, this.#waiting.length > 0);
  }

  readonly #next = (): void => {
    this.#isScheduled = false;
    this.#spentMs = 0;
    for (let left = this.#waiting.length; left > 0; left--) {
      this.#run(this.#waiting.shift()!);
      if (this.#spentMs >= TURN_MS) break;
    }
    if (this.#waiting.length > 0) this.#schedule();
  };

  #run(worker: Worker): void {
    this.now = performance.now();
    this.#sliceEnd = this.now + SLICE_MS;
    worker.work();
    this.#spentMs += performance.now() - this.now;
    if (this.#spentMs >= NOTICED_MS) this.#schedule();
  }
}
