/**
 * Divides the work for replies into turns of the event loop, so that everything
 * else continues.
 *
 * @module
 */
import { nextTurn } from "../common/next_turn.ts";

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
  #isScheduled = false;
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
    if (this.#end === undefined) this.#end = now + turnMs;
    else if (now >= this.#end) return;
    this.#isRunning = true;
    try {
      while (step() && performance.now() < this.#end);
    } finally {
      this.#isRunning = false;
      this.#schedule();
    }
    onEnd?.();
  }

  /** Runs no further step. */
  stop(): void {
    this.#isStopped = true;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    nextTurn(() => this.#next(), this.#options.hasWork());
  }

  #next(): void {
    this.#isScheduled = false;
    this.#end = undefined;
    if (this.#isStopped) return;
    if (this.#options.hasWork()) this.run();
    else this.#options.onEnd?.();
  }
}
