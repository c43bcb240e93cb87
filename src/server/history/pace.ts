/**
 * Divides work in the background into short turns, with pauses between them.
 *
 * @module
 */
import { nextTurn } from "../../common/next_turn.ts";

/** Time for one turn; a step of the work may take some milliseconds more. */
const TURN_MS = 3;

/** Options of {@linkcode Pace}. */
export interface PaceOptions {
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
  /** Returns which part of the time the work may take, above 0, at most 1. */
  readonly share: () => number;
}

/** The pauses of one work. After {@linkcode Pace.stop} they do not end. */
export class Pace {
  readonly #monotonic: () => number;
  readonly #share: () => number;
  #start: number;
  /** Time of this turn before the last {@linkcode Pace.wait}, in ms. */
  #busyMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor({ monotonic, share }: PaceOptions) {
    this.#monotonic = monotonic;
    this.#share = share;
    this.#start = monotonic();
  }

  /** Begins to work. */
  begin(): void {
    this.#start = this.#monotonic();
    this.#busyMs = 0;
  }

  /**
   * Call it between two steps.
   *
   * @returns undefined: go on; else resolves when the next turn begins
   */
  pause(): Promise<void> | undefined {
    if (this.#stopped) return new Promise(() => {});
    const busy = this.#busyMs + this.#monotonic() - this.#start;
    return busy < TURN_MS ? undefined : this.#rest(busy);
  }

  /** Waits for something: that is not time of the work. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    this.#busyMs += this.#monotonic() - this.#start;
    const result = await promise;
    if (this.#stopped) await new Promise(() => {});
    this.#start = this.#monotonic();
    return result;
  }

  /** Ends the work: its promises stay pending. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #rest(busyMs: number): Promise<void> {
    const restMs = busyMs * (1 / this.#share() - 1);
    await new Promise<void>((resolve) => {
      if (restMs < 1) nextTurn(resolve);
      else this.#timer = setTimeout(resolve, restMs);
    });
    if (this.#stopped) await new Promise(() => {});
    this.begin();
  }
}
