/// <reference lib="dom" />
/**
 * The time that the history shows: set by the user, or moved by a replay.
 *
 * @module
 */

import { messageOf } from "../../common/errors.ts";

/** The most times that a replay shows in a second. */
const FRAMES_PER_SECOND = 30;
/** The frames of a screen are not even: half of one at 60 Hz, in ms. */
const SLACK_MS = 8;
const MIN_FRAME_MS = 1000 / FRAMES_PER_SECOND - SLACK_MS;
/** A page that was hidden does not jump ahead. */
const MAX_FRAME_MS = 250;
const SECOND_MS = 1000;

/** Options of {@linkcode Player}. */
export interface PlayerOptions {
  /** Returns the first and the last time that can be shown, ms. */
  bounds(): readonly [oldest: number, newest: number];
  /**
   * Shows a time, in whole seconds.
   *
   * @returns false if it is not loaded yet: then the replay waits
   */
  show(ms: number): boolean;
  /** Called after the time or the state of the replay has changed. */
  onChange(): void;
}

/** Plays the past. */
export class Player {
  speed = 60;
  readonly #options: PlayerOptions;
  #time: number;
  #isPlaying = false;
  /** The time between two seconds, for a slow replay. */
  #exact = 0;
  #lastFrame = 0;
  #request = 0;

  constructor(time: number, options: PlayerOptions) {
    this.#options = options;
    this.#time = this.#clamp(time);
  }

  /** ms since 1970, whole seconds. */
  get time(): number {
    return this.#time;
  }

  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** Shows another time; the replay goes on from it. */
  seek(ms: number): void {
    this.#time = this.#exact = this.#clamp(ms);
    this.#options.show(this.#time);
    this.#options.onChange();
  }

  /** Starts the replay; at its end, from the begin of what it can show. */
  play(): void {
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    this.#exact = this.#time;
    this.#lastFrame = performance.now();
    this.#schedule();
    this.#options.onChange();
  }

  pause(): void {
    if (!this.#isPlaying) return;
    cancelAnimationFrame(this.#request);
    this.#isPlaying = false;
    this.#options.onChange();
  }

  #schedule(): void {
    this.#request = requestAnimationFrame(() => {
      try {
        this.#frame();
      } catch (error) {
        this.pause();
        throw new Error(`The replay has failed: ${messageOf(error)}`);
      }
    });
  }

  #frame(): void {
    const now = performance.now();
    const elapsed = now - this.#lastFrame;
    if (elapsed < MIN_FRAME_MS) return this.#schedule();
    this.#lastFrame = now;
    const next = this.#exact + this.speed * Math.min(elapsed, MAX_FRAME_MS);
    const time = this.#clamp(next);
    if (time !== this.#time) {
      if (!this.#options.show(time)) return this.#schedule();
      this.#time = time;
      this.#options.onChange();
    }
    this.#exact = next;
    const [, newest] = this.#options.bounds();
    if (next >= newest) return this.pause();
    this.#schedule();
  }

  #clamp(ms: number): number {
    const [oldest, newest] = this.#options.bounds();
    const within = Math.max(oldest, Math.min(ms, newest));
    return Math.floor(within / SECOND_MS) * SECOND_MS;
  }
}
