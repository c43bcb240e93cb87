import type { ChangesPart } from "../protocol/mod.ts";

/** Cells that may wait for a slow consumer: some 10 MB. */
const MAX_CELLS = 250_000;
/** Parts that may wait, as some have no cells. */
const MAX_PARTS = 10_000;

/**
 * Deltas that wait to be looked at. When too many wait it forgets them all and
 * takes no more: asking what changed meanwhile costs less than keeping it.
 */
export class Inbox {
  #parts: ChangesPart[] = [];
  #next = 0;
  #cells = 0;
  #open = false;

  /** Whether it takes parts; if not, what came is lost. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Takes parts from now on. */
  open(): void {
    this.#open = true;
  }

  /** Forgets all and takes no more. */
  close(): void {
    this.#open = false;
    this.#clear();
  }

  /** Takes a part, unless it is closed; closes if it is one too many. */
  add(part: ChangesPart): void {
    if (!this.#open) return;
    this.#parts.push(part);
    this.#cells += part.cells.length;
    if (this.#cells > MAX_CELLS || this.#parts.length > MAX_PARTS) this.close();
  }

  /** Gives the part that came first and forgets it; undefined if there is none. */
  take(): ChangesPart | undefined {
    const part = this.#parts[this.#next];
    if (part === undefined) return undefined;
    this.#next++;
    this.#cells -= part.cells.length;
    if (this.#next === this.#parts.length) this.#clear();
    return part;
  }

  /** Forgets what is known already to whoever has this revision. */
  dropUpTo(revision: number): void {
    const left = this.#parts.slice(this.#next)
      .filter(({ to }) => to > revision);
    this.#clear();
    for (const part of left) this.add(part);
  }

  #clear(): void {
    this.#parts = [];
    this.#next = 0;
    this.#cells = 0;
  }
}
