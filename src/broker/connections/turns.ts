/**
 * Divides the work of all connections into short turns of the event loop.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Work of all connections in one turn. */
const TURN_MS = 10;
/** Work of one connection in one turn. */
const SLICE_MS = 5;

/** A connection. */
export interface Worker {
  /** Works until there is nothing to do, or {@linkcode Turns.isOver}. */
  work(): void;
}

/** Lets connections work in turn. */
export class Turns {
  /** Those that wait for a later turn, the next first. */
  readonly #waiting: Worker[] = [];
  #isActive = false;
  #turnEnd = 0;
  #sliceEnd = 0;

  /** The time at the start of the present slice, ms of `performance.now()`. */
  now = performance.now();

  /** Calls `work` now, or in a later turn if this one is over. */
  enter(worker: Worker): void {
    this.now = performance.now();
    if (!this.#isActive) this.#begin();
    if (this.#waiting.length > 0 || this.now >= this.#turnEnd) {
      this.#waiting.push(worker);
    } else this.#run(worker);
  }

  /** Calls `work` in a later turn. */
  later(worker: Worker): void {
    this.#waiting.push(worker);
    if (!this.#isActive) this.#begin();
  }

  /** Returns true if the worker should go on in a later turn. */
  isOver(): boolean {
    return performance.now() >= this.#sliceEnd;
  }

  #begin(): void {
    this.#isActive = true;
    this.now = performance.now();
    this.#turnEnd = this.now + TURN_MS;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isActive = false;
    if (this.#waiting.length === 0) return;
    this.#begin();
    for (let left = this.#waiting.length; left > 0; left--) {
      this.#run(this.#waiting.shift()!);
      this.now = performance.now();
      if (this.now >= this.#turnEnd) break;
    }
  };

  #run(worker: Worker): void {
    this.#sliceEnd = this.now + SLICE_MS;
    worker.work();
  }
}
