import type { ReadingBatch } from "../protocol/mod.ts";
import type { Feed } from "./feed.ts";

/** How fast readings come. */
export interface Pace {
  /**
   * Pushes what is due.
   *
   * @param elapsed Since it began, ms
   * @returns ms until more is due; 0 if some is already
   */
  take(feed: Feed, elapsed: number, out: ReadingBatch): number;
}

/** Readings taken at once, at most: others want their turn. */
const PORTION = 10_000;
/** Steps of a scene taken at once, at most. */
const STEPS = 200;
/** What is overdue by more than this is not made up for, ms. */
const PATIENCE = 1000;

/** As many readings a second as are wanted; the scene's time follows. */
export class RatePace implements Pace {
  readonly #rate: number;
  #given = 0;

  /** @param rate Readings a second, above 0 */
  constructor(rate: number) {
    this.#rate = rate;
  }

  take(feed: Feed, elapsed: number, out: ReadingBatch): number {
    const perMs = this.#rate / 1000;
    const due = Math.floor(elapsed * perMs) + 1;
    const missed = due - this.#given - Math.ceil(PATIENCE * perMs);
    if (missed > 0) this.#given += missed;
    const count = Math.min(due - this.#given, PORTION);
    feed.take(count, out);
    this.#given += count;
    return Math.max(0, this.#given / perMs - elapsed);
  }
}

/** The scene's time goes as the clock, or so many times as fast. */
export class SpeedPace implements Pace {
  readonly #speed: number;
  /** How much of the time was missed, ms of the clock. */
  #missed = 0;

  /** @param speed 1 for real time; above 0 */
  constructor(speed: number) {
    this.#speed = speed;
  }

  take(feed: Feed, elapsed: number, out: ReadingBatch): number {
    const behind = elapsed - this.#missed - feed.elapsed / this.#speed;
    if (behind > PATIENCE + feed.stepMs / this.#speed) {
      this.#missed += behind - PATIENCE;
    }
    const now = elapsed - this.#missed;
    feed.advance(now * this.#speed, out, STEPS);
    const next = (feed.elapsed + feed.stepMs) / this.#speed;
    return Math.max(0, next - now);
  }
}

/** As fast as they are taken. */
export class FullPace implements Pace {
  take(feed: Feed, _elapsed: number, out: ReadingBatch): number {
    feed.take(PORTION, out);
    return 0;
  }
}
