/**
 * Divides the work for replies into turns of the event loop, so that everything
 * else continues.
 *
 * @module
 */
import { clearImmediate, setImmediate } from "node:timers";

/** The work of {@linkcode ReplyTurns}. */
export interface ReplyTurnsOptions {
  /** Time for the work in one turn of the event loop, in ms. */
  readonly turnMs: number;
  /**
   * Does a small part of the work, of about a millisecond. Returns false if
   * there is nothing to do.
   */
  readonly step: () => boolean;
  /** Returns true if the next turn has something to do. */
  readonly hasWork: () => boolean;
  /** Called after the work of a turn. */
  readonly onEnd?: () => void;
}

/** Runs the steps of some work, for a limited time in each turn. */
export class ReplyTurns {
  readonly #options: ReplyTurnsOptions;
  /** When the time in the present turn ends, by `performance.now()`. */
  #end: number | undefined;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #isRunning = false;
  #isStopped = false;

  constructor(options: ReplyTurnsOptions) {
    this.#options = options;
  }

  /**
   * Works now if there is time left in this turn, and continues in the next
   * turns. The call is cheap, and may come from a step.
   */
  run(): void {
    if (this.#isRunning || this.#isStopped) return;
    const { turnMs, step, onEnd } = this.#options;
    const now = performance.now();
    if (this.#end === undefined) {
      this.#end = now + turnMs;
      this.#immediate = setImmediate(() => this.#next());
    } else if (now >= this.#end) return;
    this.#isRunning = true;
    try {
      while (step() && performance.now() < this.#end);
    } finally {
      this.#isRunning = false;
    }
    onEnd?.();
  }

  /** Runs no further step. */
  stop(): void {
    this.#isStopped = true;
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
  }

  #next(): void {
    this.#end = undefined;
    if (this.#options.hasWork()) this.run();
    else this.#options.onEnd?.();
  }
}
