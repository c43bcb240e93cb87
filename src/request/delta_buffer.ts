/**
 * Buffers deltas for the consumer of a watch, up to a limit.
 *
 * @module
 */
import type { ChangesPart } from "../protocol/mod.ts";

/** The buffer drops all deltas above this: about 10 MB. */
const MAX_CELLS = 250_000;
/** A second limit, because parts may have no cells. */
const MAX_PARTS = 10_000;

/**
 * Parts of deltas in order of arrival. If a slow consumer leaves too many, the
 * buffer drops all of them and closes: a later request for the changes costs
 * less than to store them.
 */
export class DeltaBuffer {
  #parts: ChangesPart[] = [];
  /** Index of the first part that was not taken. */
  #next = 0;
  #cells = 0;
  #isOpen = false;

  /** False while the buffer drops parts. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True if {@linkcode take} returns undefined. */
  get isEmpty(): boolean {
    return this.#next === this.#parts.length;
  }

  /** Stores parts from now on. */
  open(): void {
    this.#isOpen = true;
  }

  /** Drops all parts, also those that are added later. */
  close(): void {
    this.#isOpen = false;
    this.#clear();
  }

  /** Adds a part. Closes the buffer if it exceeds a limit. */
  add(part: ChangesPart): void {
    if (!this.#isOpen) return;
    this.#parts.push(part);
    this.#cells += part.cells.length;
    if (this.#cells > MAX_CELLS || this.#parts.length > MAX_PARTS) this.close();
  }

  /** Removes and returns the oldest part; undefined if the buffer is empty. */
  take(): ChangesPart | undefined {
    const part = this.#parts[this.#next];
    if (part === undefined) return undefined;
    this.#next++;
    this.#cells -= part.cells.length;
    if (this.#next === this.#parts.length) this.#clear();
    return part;
  }

  /** Drops the parts of deltas to this revision or an earlier one. */
  dropUpTo(revision: number): void {
    const remaining = this.#parts.slice(this.#next)
      .filter(({ to }) => to > revision);
    this.#clear();
    for (const part of remaining) this.add(part);
  }

  #clear(): void {
    this.#parts = [];
    this.#next = 0;
    this.#cells = 0;
  }
}
