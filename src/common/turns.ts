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

/** The same; a promise pauses it until the promise resolves. */
export type WaitingWork<Result> = Generator<
  void | Promise<void>,
  Result,
  void
>;

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

/** Work in turns that can also be ended at once, unless it waits. */
export class TurnTask<Result> {
  readonly #work: WaitingWork<Result>;
  readonly #onDone: (result: Result) => void;
  readonly #maxTurnMs: number;
  #isDone = false;
  /** True while a promise of the work is pending. */
  #isWaiting = false;

  /**
   * @param work begins with the first turn; its promises must not reject
   * @param onDone called once, after the work
   * @param maxTurnMs about the time of one turn, in ms
   */
  constructor(
    work: WaitingWork<Result>,
    onDone: (result: Result) => void,
    maxTurnMs = MAX_TURN_MS,
  ) {
    this.#work = work;
    this.#onDone = onDone;
    this.#maxTurnMs = maxTurnMs;
  }

  /** Works for one turn, and if necessary for others later. */
  run(): void {
    if (this.#isDone || this.#isWaiting) return;
    const start = performance.now();
    do {
      if (!this.#step()) return;
    } while (performance.now() - start < this.#maxTurnMs);
    nextTurn(() => this.run());
  }

  /**
   * Does the rest of the work at once, or what comes before its next promise;
   * then it continues by itself.
   */
  finish(): void {
    if (this.#isDone || this.#isWaiting) return;
    while (this.#step());
  }

  /** Returns false if the work is done, or waits. */
  #step(): boolean {
    const { done, value } = this.#work.next();
    if (done) {
      this.#isDone = true;
      this.#onDone(value);
      return false;
    }
    if (value === undefined) return true;
    this.#isWaiting = true;
    void value.then(() => {
      this.#isWaiting = false;
      this.run();
    });
    return false;
  }
}
