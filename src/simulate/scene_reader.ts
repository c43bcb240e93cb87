import { ReadingBatch } from "../protocol/mod.ts";
import type { Scene } from "./scene.ts";

/**
 * Reads the readings of a scene, by number or by simulated time. The sequence
 * of readings does not depend on how they are read.
 */
export class SceneReader {
  readonly #scene: Scene;
  /** The readings of the last step, and how many of them were read. */
  readonly #step = new ReadingBatch();
  #stepRead = 0;
  #begun = false;
  #elapsedMs = 0;
  #remaining: number;

  /** @param count number of readings after which it ends. Default: no limit */
  constructor(scene: Scene, count = Infinity) {
    this.#scene = scene;
    this.#remaining = count;
  }

  /** True after the last reading. */
  get ended(): boolean {
    return this.#remaining <= 0;
  }

  /** Duration of a step of the scene in simulated time, in ms. */
  get stepMs(): number {
    return this.#scene.stepMs;
  }

  /** Simulated time up to the last step, in ms. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Appends the next `count` readings, or the last ones if fewer remain. */
  read(count: number, out: ReadingBatch): void {
    let missing = Math.min(count, this.#remaining);
    while (missing > 0) {
      if (this.#stepRead === this.#step.length) this.#next();
      missing -= this.#append(missing, out);
    }
  }

  /**
   * Appends the readings up to a simulated time, the first ones included.
   *
   * @param elapsedMs simulated time since the start, in ms
   * @param maxSteps maximum number of steps to simulate
   * @returns true if the time or the end was reached
   */
  readUntil(
    elapsedMs: number,
    out: ReadingBatch,
    maxSteps = Infinity,
  ): boolean {
    if (!this.#begun) this.#next();
    for (;;) {
      this.#append(this.#remaining, out);
      if (this.ended || this.#elapsedMs + this.#scene.stepMs > elapsedMs) {
        return true;
      }
      if (maxSteps-- <= 0) return false;
      this.#next();
    }
  }

  #next(): void {
    this.#step.clear();
    this.#stepRead = 0;
    if (this.#begun) {
      this.#scene.step(this.#step);
      this.#elapsedMs += this.#scene.stepMs;
    } else {
      this.#begun = true;
      this.#scene.begin(this.#step);
    }
  }

  /** Appends up to `max` readings of the last step. Returns their number. */
  #append(max: number, out: ReadingBatch): number {
    const { x, y, value, length } = this.#step;
    const from = this.#stepRead;
    const to = Math.min(length, from + Math.min(max, this.#remaining));
    for (let i = from; i < to; i++) out.push(x[i]!, y[i]!, value[i]!);
    this.#stepRead = to;
    this.#remaining -= to - from;
    return to - from;
  }
}
