/**
 * Divides long work into short turns of the event loop.
 *
 * @module
 */
import { nextTurn } from "./next_turn.ts";

/** Work is paused after this time, so that other events are handled. */
export const MAX_TURN_MS = 5;

/** Work that pauses by `yield`, every millisecond or so. */
export type Work<Result> = Generator<void, Result, void>;

/** Steps of the works of {@linkcode inTurns}; they return true at the end. */
const waiting: (() => boolean)[] = [];
let isScheduled = false;

/**
 * Does work in as many turns as it needs. Works at the same time share a turn,
 * step by step: together they take as long as one. The first step is done at
 * once.
 */
export function inTurns<Result>(work: Work<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const step = () => {
      try {
        const { done, value } = work.next();
        if (done) resolve(value);
        return done === true;
      } catch (error) {
        reject(error);
        return true;
      }
    };
    if (step()) return;
    waiting.push(step);
    scheduleTurn();
  });
}

function scheduleTurn(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  nextTurn(() => {
    isScheduled = false;
    const end = performance.now() + MAX_TURN_MS;
    do {
      const step = waiting.shift()!;
      if (!step()) waiting.push(step);
    } while (waiting.length > 0 && performance.now() < end);
    scheduleTurn();
  });
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
    const start = performance.now();
    do {
      const step = this.#work.next();
      if (step.done) return this.#end(step.value);
    } while (performance.now() - start < this.#maxTurnMs);
    nextTurn(() => this.run());
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
