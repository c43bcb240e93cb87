/**
 * Divides long work into short turns of the event loop.
 *
 * @module
 */
import type { Soon } from "./async.ts";
import { nextTurn } from "./next_turn.ts";

/** Work is paused after this time, so that other events are handled. */
export const MAX_TURN_MS = 5;

/** Work that pauses by `yield`, every millisecond or so. */
export type Work<Result> = Generator<void, Result, void>;

/** The same; a promise pauses it until the promise resolves. None rejects. */
export type WaitingWork<Result> = Generator<
  void | Promise<void>,
  Result,
  void
>;

/**
 * Waits within a work: `yield* settled(result)`. What is there already takes no
 * time.
 *
 * @returns the result
 * @throws its error
 */
export function* settled<T>(result: Soon<T>): WaitingWork<T> {
  if (!(result instanceof Promise)) return result;
  let take!: () => T;
  yield result.then(
    (value) => {
      take = () => value;
    },
    (error) => {
      take = () => {
        throw error;
      };
    },
  );
  return take();
}

/** Steps of the works of {@linkcode inTurns}, in order. */
const waiting: (() => void)[] = [];
let isScheduled = false;

/**
 * Does work in as many turns as it needs. Works at the same time share a turn,
 * step by step: together they take as long as one. The first step is done at
 * once.
 */
export function inTurns<Result>(work: WaitingWork<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stepLater = () => {
      waiting.push(step);
      scheduleTurn();
    };
    const step = () => {
      try {
        const { done, value } = work.next();
        if (done) resolve(value);
        else if (value === undefined) stepLater();
        else void value.then(stepLater);
      } catch (error) {
        reject(error);
      }
    };
    step();
  });
}

function scheduleTurn(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  nextTurn(() => {
    const end = performance.now() + MAX_TURN_MS;
    do {
      waiting.shift()!();
    } while (waiting.length > 0 && performance.now() < end);
    isScheduled = false;
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
