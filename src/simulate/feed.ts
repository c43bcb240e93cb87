import { ReadingBatch } from "../protocol/mod.ts";
import type { Scene } from "./scene.ts";

/**
 * The readings of a scene, taken by number or by time. How they are taken makes
 * no difference to what they are: the sequence is that of the scene.
 */
export class Feed {
  readonly #scene: Scene;
  /** What the last step reported, and how far it is taken. */
  readonly #step = new ReadingBatch();
  #taken = 0;
  #begun = false;
  #elapsed = 0;
  #left: number;

  /** @param count Readings after which it ends. Default: never */
  constructor(scene: Scene, count = Infinity) {
    this.#scene = scene;
    this.#left = count;
  }

  /** True once the last reading has been taken. */
  get ended(): boolean {
    return this.#left <= 0;
  }

  /** How much of its time a step of the scene takes, ms. */
  get stepMs(): number {
    return this.#scene.stepMs;
  }

  /** Time of the scene that has gone by in what was stepped through, ms. */
  get elapsed(): number {
    return this.#elapsed;
  }

  /** Pushes the next `count` readings, fewer only if it ends. */
  take(count: number, out: ReadingBatch): void {
    let wanted = Math.min(count, this.#left);
    while (wanted > 0) {
      if (this.#taken === this.#step.length) this.#next();
      wanted -= this.#give(wanted, out);
    }
  }

  /**
   * Pushes what is reported until the scene is `elapsed` ms old, its beginning
   * included; at most `steps` steps of it, so that others have their turn.
   *
   * @returns True if it came so far, or has ended
   */
  advance(elapsed: number, out: ReadingBatch, steps = Infinity): boolean {
    if (!this.#begun) this.#next();
    for (;;) {
      this.#give(this.#left, out);
      if (this.ended || this.#elapsed + this.#scene.stepMs > elapsed) {
        return true;
      }
      if (steps-- <= 0) return false;
      this.#next();
    }
  }

  #next(): void {
    this.#step.clear();
    this.#taken = 0;
    if (this.#begun) {
      this.#scene.step(this.#step);
      this.#elapsed += this.#scene.stepMs;
    } else {
      this.#begun = true;
      this.#scene.begin(this.#step);
    }
  }

  /** Pushes at most so many of the present step's readings; returns how many. */
  #give(most: number, out: ReadingBatch): number {
    const { x, y, value, length } = this.#step;
    const to = Math.min(length, this.#taken + Math.min(most, this.#left));
    const given = to - this.#taken;
    for (let i = this.#taken; i < to; i++) out.push(x[i]!, y[i]!, value[i]!);
    this.#taken = to;
    this.#left -= given;
    return given;
  }
}
