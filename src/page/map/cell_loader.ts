/// <reference lib="dom" />
/**
 * Takes in cells as they come, in slices: a snapshot of a million cells must not
 * freeze the page.
 *
 * @module
 */

import type { Region } from "../../grid/mod.ts";
import type { CellColumns, Frame } from "../../feed/frames.ts";
import { contains } from "./regions.ts";
import { World } from "./layer_cells.ts";

/** How long one slice may take, ms: a frame at 60 a second has 16. */
const SLICE_MS = 7;
/** Cells between two looks at the clock. */
const STRIDE = 2000;

/** Puts frames into a {@linkcode World}, a slice a frame of the screen. */
export class CellInbox {
  readonly #shown: (world: World) => void;
  readonly #changed: () => void;
  /** The map that is shown; undefined until a snapshot is whole. */
  #current: World | undefined;
  /** What of the layer it has. */
  #region: Region | null = null;
  /** The snapshot that is being put together: not shown until it is whole. */
  #next: World | undefined;
  #queue: { readonly frame: Frame; readonly taken: () => void }[] = [];
  /** Cells of the first frame of the queue that are taken in. */
  #taken = 0;
  #scheduled = false;

  /**
   * @param shown Called with the map that is to be shown from now on
   * @param changed Called when cells of that map have changed
   */
  constructor(shown: (world: World) => void, changed: () => void) {
    this.#shown = shown;
    this.#changed = changed;
  }

  /** Whether all that the server has of a region is in the map that is shown. */
  knows(region: Region): boolean {
    return this.#current !== undefined &&
      (this.#region === null || contains(this.#region, region));
  }

  /** Forgets all: what comes next is of another layer. */
  clear(): void {
    for (const { taken } of this.#queue.splice(0)) taken();
    this.#taken = 0;
    this.#next = undefined;
    this.#current = undefined;
    this.#shown(new World());
  }

  /**
   * Takes a frame in, after all that came before it.
   *
   * @returns resolves when it is in the map, or no longer of use
   */
  push(frame: Frame): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.push({ frame, taken: resolve });
    // At once, as the server waits for it; only what takes long waits for the screen.
    if (!this.#scheduled) this.#work(SLICE_MS);
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A page that is not seen gets no frames of the screen, and can be blocked.
    if (document.hidden) queueMicrotask(() => this.#work(Infinity));
    else requestAnimationFrame(() => this.#work(SLICE_MS));
  }

  #work(budget: number): void {
    this.#scheduled = false;
    const deadline = performance.now() + budget;
    const before = this.#current;
    const version = before?.version;
    for (let next; (next = this.#queue[0]) !== undefined;) {
      const { frame, taken } = next;
      if (frame.kind === "snapshot" && frame.part === 1 && this.#taken === 0) {
        this.#next = new World();
      }
      const into = frame.kind === "snapshot" ? this.#next : this.#current;
      if (into === undefined) {
        // Left over from a view that was asked for before: its beginning is gone.
        this.#queue.shift();
        taken();
        continue;
      }
      const to = Math.min(this.#taken + STRIDE, frame.cells.length);
      take(into, frame.cells, this.#taken, to);
      this.#taken = to;
      if (to === frame.cells.length) {
        this.#queue.shift();
        this.#taken = 0;
        if (frame.kind === "snapshot" && frame.part === frame.parts) {
          this.#current = this.#next;
          this.#region = frame.region;
          this.#next = undefined;
        }
        taken();
      }
      if (performance.now() > deadline) break;
    }
    if (this.#queue.length > 0) this.#schedule();
    if (this.#current && this.#current !== before) this.#shown(this.#current);
    else if (this.#current?.version !== version) this.#changed();
  }
}

function take(
  world: World,
  cells: CellColumns,
  from: number,
  to: number,
): void {
  const { x, y, value, stale, time } = cells;
  for (let row = from; row < to; row++) {
    world.set(x[row]!, y[row]!, value[row]!, time[row]!, stale[row] === 1);
  }
}
