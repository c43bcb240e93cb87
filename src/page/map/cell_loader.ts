/// <reference lib="dom" />
/**
 * Applies frames of the live feed in short slices of time: a snapshot of a
 * million cells must not block the page.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";
import type { CellColumns } from "../../feed/columns.ts";
import type { Frame } from "../../feed/frames.ts";
import { LayerCells } from "./layer_cells.ts";
import { containsRegion } from "./regions.ts";

/** Maximum time of a slice, ms. A screen frame at 60 Hz has 16 ms. */
const SLICE_MS = 7;
/** Cells applied between two checks of the clock. */
const BATCH_CELLS = 2000;

interface QueuedFrame {
  readonly frame: Frame;
  /** Resolves the promise of {@linkcode CellLoader.push}. */
  readonly done: () => void;
}

/** Applies frames to {@linkcode LayerCells}, one slice per screen frame. */
export class CellLoader {
  readonly #onReplace: (cells: LayerCells) => void;
  readonly #onChange: () => void;
  /** The cells that are shown; undefined until a snapshot is complete. */
  #current: LayerCells | undefined;
  /** The region of {@linkcode #current}; null for the whole layer. */
  #region: Region | null = null;
  /** A snapshot that is not complete yet. */
  #next: LayerCells | undefined;
  #queue: QueuedFrame[] = [];
  /** Cells of the first queued frame that are applied. */
  #applied = 0;
  #scheduled = false;

  /**
   * @param onReplace called with the cells to show from now on
   * @param onChange called when those cells have changed
   */
  constructor(onReplace: (cells: LayerCells) => void, onChange: () => void) {
    this.#onReplace = onReplace;
    this.#onChange = onChange;
  }

  /** Whether the cells of a region are loaded. */
  hasLoaded(region: Region): boolean {
    return this.#current !== undefined &&
      (this.#region === null || containsRegion(this.#region, region));
  }

  /** Discards all cells and queued frames, as for another layer. */
  clear(): void {
    for (const { done } of this.#queue.splice(0)) done();
    this.#applied = 0;
    this.#next = undefined;
    this.#current = undefined;
    this.#onReplace(new LayerCells());
  }

  /**
   * Queues a frame.
   *
   * @returns a promise that resolves when the frame is applied or discarded
   */
  push(frame: Frame): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.push({ frame, done: resolve });
    // The first slice at once, so that small frames are acknowledged at once.
    if (!this.#scheduled) this.#run(SLICE_MS);
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A hidden page gets no animation frames, and may be blocked.
    if (document.hidden) queueMicrotask(() => this.#run(Infinity));
    else requestAnimationFrame(() => this.#run(SLICE_MS));
  }

  #run(sliceMs: number): void {
    this.#scheduled = false;
    const deadline = performance.now() + sliceMs;
    const before = this.#current;
    const version = before?.version;
    for (let first; (first = this.#queue[0]) !== undefined;) {
      this.#applyBatch(first);
      if (performance.now() > deadline) break;
    }
    if (this.#queue.length > 0) this.#schedule();
    if (this.#current && this.#current !== before) {
      this.#onReplace(this.#current);
    } else if (this.#current?.version !== version) this.#onChange();
  }

  /** Applies the next cells of the first queued frame. */
  #applyBatch({ frame, done }: QueuedFrame): void {
    const isSnapshot = frame.kind === "snapshot";
    if (isSnapshot && frame.part === 1 && this.#applied === 0) {
      this.#next = new LayerCells();
    }
    const target = isSnapshot ? this.#next : this.#current;
    if (target === undefined) {
      // The frame belongs to an earlier view, whose first part was discarded.
      this.#queue.shift();
      done();
      return;
    }
    const end = Math.min(this.#applied + BATCH_CELLS, frame.cells.length);
    applyCells(target, frame.cells, this.#applied, end);
    this.#applied = end;
    if (end < frame.cells.length) return;
    this.#queue.shift();
    this.#applied = 0;
    if (isSnapshot && frame.part === frame.parts) {
      this.#current = this.#next;
      this.#region = frame.region;
      this.#next = undefined;
    }
    done();
  }
}

function applyCells(
  cells: LayerCells,
  { x, y, value, stale, time }: CellColumns,
  from: number,
  to: number,
): void {
  for (let row = from; row < to; row++) {
    cells.set(x[row]!, y[row]!, value[row]!, time[row]!, stale[row] === 1);
  }
}
