/**
 * Deletes layers, and removes cells that have been unknown for long.
 *
 * @module
 */
import { doneWithin } from "../common/async.ts";
import { plural } from "../common/plural.ts";
import type { CellCounts, Grid } from "../grid/mod.ts";
import type { UnavailableCode } from "../protocol/submission.ts";
import type { Entry } from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import type { Pipeline } from "./pipeline.ts";

/** The map is searched once in this part of `removeAfter`... */
const SWEEPS_PER_PERIOD = 10;
/** ...but not more often, and not more rarely than this. */
const MIN_SWEEP_INTERVAL_MS = 1000;
const MAX_SWEEP_INTERVAL_MS = 3_600_000;
/** Cells that are removed in one commit, so that it takes milliseconds. */
const MAX_SLICE_CELLS = 4096;
/** Time to search for these cells; readings wait meanwhile. */
const SLICE_BUDGET_MS = 5;
/** Most of the time is for readings: pause between two slices. */
const SLICE_PAUSE_MS = 20;
/** How long a slice waits for readings that are processed in several turns. */
const MAX_WAIT_MS = 1000;
/**
 * After the system clock was set forward, known cells may look forgotten for
 * long: nothing is removed for this time, so that the clock can be corrected.
 */
const CLOCK_STEP_PAUSE_MS = 600_000;

/**
 * How long a deletion waits for its commit before it is reported as failed: a
 * shared store commits it when it works again.
 */
const COMMIT_TIMEOUT_MS = 10_000;

/** The part of the pipeline that {@linkcode LayerRemoval} uses. */
type RemovalPipeline = Pick<
  Pipeline,
  "isBusy" | "flush" | "processed" | "refresh" | "commit"
>;

/** The result of {@linkcode LayerRemoval.delete}: what the layer had. */
export type DeletionResult = CellCounts | "no-layer" | UnavailableCode;

/**
 * Deletes layers on request, and removes cells that have been unknown for
 * longer than `removeAfter`: a layer goes with its last cell. Known values are
 * never removed. All is committed before it is applied, as readings are.
 */
export class LayerRemoval {
  readonly #context: ServerContext;
  readonly #pipeline: RemovalPipeline;
  readonly #commitTimeoutMs: number;
  /** The layers that the running sweep has not searched yet. */
  #layers: string[] = [];
  /** The first tile of the next slice of the last of these layers. */
  #tile = 0;
  #grid: Grid | undefined;
  /** What the running sweep has removed. */
  #removedCells = 0;
  /** No sweep begins before this time, of `performance.now()`. */
  #nextSweepAt = -Infinity;
  /** The next slice does not wait after this time, of `performance.now()`. */
  #waitUntil = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    context: ServerContext,
    pipeline: RemovalPipeline,
    commitTimeoutMs = COMMIT_TIMEOUT_MS,
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#commitTimeoutMs = commitTimeoutMs;
  }

  /**
   * Deletes a layer.
   *
   * @returns the counts of the cells that were deleted, or why none were.
   * `store-failing` after 10 s: they may be deleted later
   */
  async delete(layer: string): Promise<DeletionResult> {
    const { map, clock, log, status } = this.#context;
    if (this.#stopped) return "stopping";
    // Readings that arrived before are of the deleted layer.
    if (!this.#pipeline.flush()) await this.#pipeline.processed();
    const counts = map.layer(layer)?.counts();
    if (status.storeProblem !== undefined) return "store-failing";
    if (counts === undefined) return "no-layer";
    const entry = { kind: "delete", now: clock.now(), layer } as const;
    const done = this.#pipeline.commit([entry], { retry: false });
    if (!await doneWithin(done, this.#commitTimeoutMs) || !await done) {
      return "store-failing";
    }
    const cells = plural(counts.cells, "cell");
    log.warnLimited(
      "layer-deleted",
      `The layer ${layer} with ${cells} was deleted over HTTP`,
    );
    return counts;
  }

  /** Begins a sweep if it is time. Call it every second. */
  tick(): void {
    const { removeAfter } = this.#context;
    if (!Number.isFinite(removeAfter) || this.#timer !== undefined) return;
    const now = performance.now();
    if (now < this.#nextSweepAt) return;
    this.#nextSweepAt = now + Math.min(
      Math.max(removeAfter / SWEEPS_PER_PERIOD, MIN_SWEEP_INTERVAL_MS),
      MAX_SWEEP_INTERVAL_MS,
    );
    const { map, store: { shared } } = this.#context;
    // Of a shared store, each layer is searched by one server.
    this.#layers = [...map.layers()]
      .filter(([layer, grid]) =>
        grid.counts().unknown > 0 &&
        shared?.leases.holds(map.shardOf(layer)) !== false
      )
      .map(([layer]) => layer).reverse();
    this.#tile = 0;
    this.#waitUntil = now + MAX_WAIT_MS;
    this.#schedule();
  }

  /** Call after the system clock was set: no cell is removed for some time. */
  clockStepped(): void {
    this.#layers = [];
    this.#nextSweepAt = performance.now() + CLOCK_STEP_PAUSE_MS;
  }

  /** Ends the running sweep. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#layers.length === 0) {
      this.#timer = undefined;
      this.#logRemoved();
      return;
    }
    this.#timer = setTimeout(async () => {
      // While the store fails, the next sweep removes them.
      if (!await this.#removeSlice()) this.#layers = [];
      if (!this.#stopped) this.#schedule();
    }, SLICE_PAUSE_MS);
  }

  /** Removes the cells of a slice. Returns false if the store fails. */
  async #removeSlice(): Promise<boolean> {
    const { map, telemetry } = this.#context;
    // To complete a large group at once would be a long turn.
    const start = performance.now();
    if (this.#pipeline.isBusy && start < this.#waitUntil) return true;
    this.#waitUntil = start + MAX_WAIT_MS;
    // Readings that arrived before may make cells known.
    this.#pipeline.flush();
    const now = this.#pipeline.refresh();
    if (now === undefined) return false;
    if (this.#pipeline.isBusy) return true; // many cells age, in several turns
    const entries = this.#find(now);
    if (entries.length === 0) return true;
    const before = map.size;
    if (!await this.#pipeline.commit(entries, { retry: false })) return false;
    // Other servers of a shared store may have added cells meanwhile.
    const removed = Math.max(0, before - map.size);
    telemetry.stats.removedCells += removed;
    this.#removedCells += removed;
    return true;
  }

  /** Finds the next cells to remove. */
  #find(now: number): Entry[] {
    const { map, removeAfter } = this.#context;
    const entries: Entry[] = [];
    const start = performance.now();
    for (let cells = 0; cells < MAX_SLICE_CELLS;) {
      const layer = this.#layers.at(-1);
      if (layer === undefined) break;
      const grid = map.layer(layer);
      // After a removal the layer may have other numbers of tiles.
      if (grid !== this.#grid) this.#tile = 0;
      this.#grid = grid;
      const found = grid?.longUnknown(
        this.#tile,
        now,
        map.ageingOf(layer),
        removeAfter,
      );
      if (found !== undefined && found.cells.length > 0) {
        entries.push({ kind: "remove", now, layer, cells: found.cells });
        cells += found.cells.length;
      }
      this.#tile = found?.next ?? 0;
      if (this.#tile === 0) this.#layers.pop();
      if (performance.now() - start > SLICE_BUDGET_MS) break;
    }
    return entries;
  }

  #logRemoved(): void {
    if (this.#removedCells === 0) return;
    this.#context.log.info(
      `Removed ${this.#removedCells} cells that were unknown for longer than --remove-after`,
    );
    this.#removedCells = 0;
  }
}
