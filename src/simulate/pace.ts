/**
 * Decides how many readings of a simulation are due at a time. The caller
 * passes the time and waits between calls.
 *
 * @module
 */
import type { ReadingBatch } from "../protocol/mod.ts";
import type { SceneReader } from "./scene_reader.ts";

/** Decides when readings are due. */
export interface Pace {
  /**
   * Appends the readings that are due.
   *
   * @param elapsedMs real time since the start, in ms
   * @returns ms until more readings are due; 0 if some are due already
   */
  readDue(reader: SceneReader, elapsedMs: number, out: ReadingBatch): number;
}

/** Maximum number of readings in a call. */
const MAX_READINGS = 10_000;
/** Maximum number of steps in a call. */
const MAX_STEPS = 200;
/** A longer delay is skipped: a pace does not catch up after a long pause. */
const MAX_LAG_MS = 1000;

/** A fixed number of readings per second. Simulated time follows from it. */
export class RatePace implements Pace {
  readonly #rate: number;
  /** Number of due readings so far, appended or skipped. */
  #count = 0;

  /** @param rate readings per second, above 0 */
  constructor(rate: number) {
    this.#rate = rate;
  }

  readDue(reader: SceneReader, elapsedMs: number, out: ReadingBatch): number {
    const perMs = this.#rate / 1000;
    const due = Math.floor(elapsedMs * perMs) + 1;
    const skipped = due - this.#count - Math.ceil(MAX_LAG_MS * perMs);
    if (skipped > 0) this.#count += skipped;
    const count = Math.min(due - this.#count, MAX_READINGS);
    reader.read(count, out);
    this.#count += count;
    return Math.max(0, this.#count / perMs - elapsedMs);
  }
}

/** Simulated time passes at a multiple of real time. */
export class SpeedPace implements Pace {
  readonly #speed: number;
  /** Real time that was skipped. */
  #skippedMs = 0;

  /** @param speed 1 for real time; above 0 */
  constructor(speed: number) {
    this.#speed = speed;
  }

  readDue(reader: SceneReader, elapsedMs: number, out: ReadingBatch): number {
    const stepMs = reader.stepMs / this.#speed;
    const lagMs = elapsedMs - this.#skippedMs - reader.elapsedMs / this.#speed;
    if (lagMs > MAX_LAG_MS + stepMs) this.#skippedMs += lagMs - MAX_LAG_MS;
    const nowMs = elapsedMs - this.#skippedMs;
    reader.readUntil(nowMs * this.#speed, out, MAX_STEPS);
    const nextMs = (reader.elapsedMs + reader.stepMs) / this.#speed;
    return Math.max(0, nextMs - nowMs);
  }
}

/** Readings are always due. */
export class UnlimitedPace implements Pace {
  readDue(reader: SceneReader, _elapsedMs: number, out: ReadingBatch): number {
    reader.read(MAX_READINGS, out);
    return 0;
  }
}
