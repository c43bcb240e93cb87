/**
 * Divides long work into short turns of the event loop.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Work is paused after this time, so that other events are handled. */
export const MAX_TURN_MS = 10;

/** Work that pauses by `yield`, every millisecond or so. */
export type Work<Result> = Generator<void, Result, void>;

/**
 * Does work until it ends or the turn is over.
 *
 * @returns the result; undefined if the turn is over
 */
function workForOneTurn<Result>(
  work: Work<Result>,
  maxTurnMs = MAX_TURN_MS,
): IteratorReturnResult<Result> | undefined {
  const start = performance.now();
  do {
    const step = work.next();
    if (step.done) return step;
  } while (performance.now() - start < maxTurnMs);
  return undefined;
}

/** Does work in as many turns as it needs. The first one begins at once. */
export async function inTurns<Result>(work: Work<Result>): Promise<Result> {
  for (;;) {
    const step = workForOneTurn(work);
    if (step !== undefined) return step.value;
    await nextTurn();
  }
}

/** Work in turns that can also be ended at once. */
export class TurnTask<Result> {
  readonly #work: Work<Result>;
  readonly #onDone: (result: Result) => void;
  readonly #maxTurnMs: number;
  #isDone = false;

  /**
   * @param work begins with the first turn
   * @param onDone called once, after the work
   * @param maxTurnMs about the time of one turn, in ms
   */
  constructor(
    work: Work<Result>,
    onDone: (result: Result) => void,
    maxTurnMs = MAX_TURN_MS,
  ) {
    this.#work = work;
    this.#onDone = onDone;
    this.#maxTurnMs = maxTurnMs;
  }

  /** Works for one turn, and if necessary for others later. */
  run(): void {
    if (this.#isDone) return;
    const step = workForOneTurn(this.#work, this.#maxTurnMs);
    if (step === undefined) setImmediate(() => this.run());
    else this.#end(step.value);
  }

  /** Does the rest of the work at once. */
  finish(): void {
    if (this.#isDone) return;
    for (;;) {
      const step = this.#work.next();
      if (step.done) return this.#end(step.value);
    }
  }

  #end(result: Result): void {
    this.#isDone = true;
    this.#onDone(result);
  }
}
