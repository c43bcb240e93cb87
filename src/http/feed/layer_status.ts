/**
 * The status of layers in the live feed: counts, bounds, and the history of the
 * counts.
 *
 * @module
 */
import {
  CellRows,
  type Grid,
  type LayerSnapshot,
  NO_CELLS,
  SnapshotLostError,
} from "../../grid/mod.ts";
import { nextTurn } from "../../common/next_turn.ts";
import type { HistoryPoint, LayerStatus } from "../../feed/messages.ts";
import type { RegionTuple } from "../../protocol/region.ts";
import type { HttpContext, ReadableMap } from "../context.ts";
import { LayerRates } from "../metrics/rates.ts";

/** Maximum number of layers in a status message. */
const MAX_LAYERS = 500;
/** Time between two points of the history. */
export const HISTORY_INTERVAL_MS = 5000;
/** Points of a layer: half an hour. */
const MAX_HISTORY_POINTS = 30 * 60_000 / HISTORY_INTERVAL_MS;
/**
 * Maximum number of layers with a history, 9 KiB each; later ones have none.
 */
const MAX_HISTORY_LAYERS = 256;
/** Time of reading the bounds of layers, in a turn of the event loop. */
const BOUNDS_SLICE_MS = 2;
/** Numbers of a point: time, people, occupied. */
const POINT_SIZE = 3;

/** The members of a status message about layers. */
export interface LayersReport {
  readonly layers: readonly LayerStatus[];
  readonly layersOmitted: number;
}

/** Reports the status of all layers. */
export class LayerReporter {
  readonly #context: HttpContext;
  readonly #bounds = new Map<string, LayerBounds>();
  readonly #changes = new LayerRates();
  #isReading = false;
  #closed = false;

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /**
   * Samples how many readings have changed each layer. Call it every second.
   *
   * @param at monotonic time, in ms
   * @param hasViewers false to read only the bounds of layers without any
   */
  sample(at: number, hasViewers: boolean): void {
    const { map, counts: { changedByLayer } } = this.#context;
    this.#changes.begin(at);
    for (const name of this.#bounds.keys()) {
      if (map.layer(name) === undefined) this.#remove(name);
    }
    let layers = 0;
    for (const [name] of map.listed()) {
      if (++layers > MAX_LAYERS) break;
      this.#changes.add(name, changedByLayer.get(name) ?? 0);
    }
    this.#updateBounds(hasViewers);
  }

  /** Ends what runs. Safe to call twice. */
  close(): void {
    this.#closed = true;
    for (const bounds of this.#bounds.values()) bounds.close();
  }

  /**
   * Returns the layers with cells, in the order of `OccupancyMap.listed`, then
   * the layers that have only a floor plan.
   */
  report(): LayersReport {
    const { map, plans } = this.#context;
    const layers: LayerStatus[] = [];
    let layersOmitted = 0;
    const isTimeUp = timeLimit(BOUNDS_SLICE_MS);
    for (const [name, grid] of map.listed()) {
      if (layers.length === MAX_LAYERS) {
        layersOmitted++;
        continue;
      }
      layers.push({
        name,
        ...this.#namesOf(name),
        bounds: this.#boundsOf(name).of(grid, isTimeUp),
        ...grid.counts(),
        changes: this.#changes.perSecond(name),
      });
    }
    for (const name of plans.keys()) {
      if (map.layer(name) !== undefined) continue;
      if (layers.length === MAX_LAYERS) layersOmitted++;
      else {
        layers.push({
          name,
          ...this.#namesOf(name),
          bounds: null,
          ...NO_CELLS,
          changes: 0,
        });
      }
    }
    return { layers, layersOmitted };
  }

  /** Reads large layers in slices, so that a report need not. */
  #updateBounds(all: boolean): void {
    if (this.#isReading || this.#closed) return;
    const isTimeUp = timeLimit(BOUNDS_SLICE_MS);
    let layers = 0;
    for (const [name, grid] of this.#context.map.listed()) {
      if (++layers > MAX_LAYERS) return;
      const bounds = this.#boundsOf(name);
      if (!all && bounds.isKnown) continue;
      bounds.of(grid, isTimeUp);
      if (bounds.isComplete) continue;
      this.#isReading = true;
      nextTurn(() => {
        this.#isReading = false;
        this.#updateBounds(all);
      });
      return;
    }
  }

  #boundsOf(name: string): LayerBounds {
    let bounds = this.#bounds.get(name);
    if (bounds === undefined) {
      bounds = new LayerBounds();
      this.#bounds.set(name, bounds);
    }
    return bounds;
  }

  /** Removes what is known of a layer that was deleted. */
  #remove(name: string): void {
    this.#bounds.get(name)?.close();
    this.#bounds.delete(name);
    this.#changes.remove(name);
  }

  /** Returns what users see of a layer beside its counts. */
  #namesOf(name: string): Pick<LayerStatus, "title" | "display"> {
    const title = this.#context.plans.get(name)?.title;
    const display = this.#context.displayOf(name);
    return {
      ...(title !== undefined && title !== name && { title }),
      ...(display !== undefined && { display }),
    };
  }
}

/** Reused: each tile is read before the next. */
const rows = new CellRows();
/** Tiles between two looks at the clock. */
const TILES_PER_CHECK = 16;

/** The smallest region with some cells. */
class Box {
  #x0 = Infinity;
  #y0 = Infinity;
  #x1 = -Infinity;
  #y1 = -Infinity;

  /** Adds the first rows. */
  add({ x, y }: CellRows, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#x0 = Math.min(this.#x0, x[i]!);
      this.#x1 = Math.max(this.#x1, x[i]!);
      this.#y0 = Math.min(this.#y0, y[i]!);
      this.#y1 = Math.max(this.#y1, y[i]!);
    }
  }

  /** The corners; null without cells. */
  get region(): RegionTuple | null {
    if (this.#x0 > this.#x1) return null;
    return [this.#x0, this.#y0, this.#x1, this.#y1];
  }
}

/** A running update of {@linkcode LayerBounds}. */
interface BoundsReading {
  readonly snapshot: LayerSnapshot;
  readonly revision: number;
  readonly removed: number;
  readonly box: Box;
}

/**
 * The smallest region with all cells of a layer. An update reads only the
 * changed cells, or all of them if some were removed. In a large layer it takes
 * several slices; until then the bounds are the last ones, or those of the
 * first cells.
 */
export class LayerBounds {
  #grid: Grid | undefined;
  #box = new Box();
  /** The revision and `Grid.removed` of the last complete update. */
  #revision = 0;
  #removed = 0;
  #reading: BoundsReading | undefined;

  /** True after the first complete update. */
  get isKnown(): boolean {
    return this.#revision > 0;
  }

  /** False while an update is running. */
  get isComplete(): boolean {
    return this.#reading === undefined;
  }

  /**
   * Updates the bounds and returns them; null if the layer has no cells.
   *
   * @param isTimeUp returns true to end the slice. Default: never
   */
  of(grid: Grid, isTimeUp: () => boolean = () => false): RegionTuple | null {
    if (grid !== this.#grid) this.#restart(grid); // also after a deletion
    this.#reading ??= this.#begin(grid);
    if (this.#reading !== undefined) this.#read(this.#reading, isTimeUp);
    return this.#box.region ?? this.#reading?.box.region ?? null;
  }

  /** Ends a running update. Safe to call twice. */
  close(): void {
    this.#reading?.snapshot.close();
    this.#reading = undefined;
  }

  #begin(grid: Grid): BoundsReading | undefined {
    const { revision, removed } = grid;
    if (removed !== this.#removed) {
      return { snapshot: grid.snapshot(), revision, removed, box: new Box() };
    }
    if (revision <= this.#revision) return undefined;
    const snapshot = grid.snapshot({ since: this.#revision });
    return { snapshot, revision, removed, box: this.#box };
  }

  #read(reading: BoundsReading, isTimeUp: () => boolean): void {
    const { snapshot, box } = reading;
    try {
      for (let tiles = 1;; tiles++) {
        const count = snapshot.readTile(rows);
        if (count === undefined) break;
        box.add(rows, count);
        if (tiles % TILES_PER_CHECK === 0 && isTimeUp()) return;
      }
      this.#box = box;
      this.#revision = reading.revision;
      this.#removed = reading.removed;
    } catch (error) {
      // The next update reads the same cells again.
      if (!(error instanceof SnapshotLostError)) throw error;
    }
    this.#reading = undefined;
  }

  #restart(grid: Grid): void {
    this.close();
    this.#grid = grid;
    this.#box = new Box();
    this.#revision = 0;
    this.#removed = grid.removed;
  }
}

/**
 * The counts of the layers of the last half hour; lost when the server ends.
 */
export class CountHistory {
  readonly #layers = new Map<string, PointRing>();

  /**
   * Adds a point to each layer.
   *
   * @param time ms since 1970
   */
  sample(map: ReadableMap, time: number): void {
    for (const name of this.#layers.keys()) {
      if (map.layer(name) === undefined) this.#layers.delete(name);
    }
    for (const [name, grid] of map.layers()) {
      let ring = this.#layers.get(name);
      if (ring === undefined) {
        if (this.#layers.size === MAX_HISTORY_LAYERS) continue;
        ring = new PointRing();
        this.#layers.set(name, ring);
      }
      const { people, occupied } = grid.counts();
      ring.push([time, people, occupied]);
    }
  }

  /** Returns the points of a layer, the oldest first. */
  points(layer: string): HistoryPoint[] {
    return this.#layers.get(layer)?.all() ?? [];
  }
}

/** A ring buffer of points. */
class PointRing {
  readonly #numbers = new Float64Array(MAX_HISTORY_POINTS * POINT_SIZE);
  #count = 0;

  push(point: HistoryPoint): void {
    this.#numbers.set(point, this.#count++ % MAX_HISTORY_POINTS * POINT_SIZE);
  }

  all(): HistoryPoint[] {
    const points: HistoryPoint[] = [];
    for (
      let i = Math.max(0, this.#count - MAX_HISTORY_POINTS);
      i < this.#count;
      i++
    ) {
      const at = i % MAX_HISTORY_POINTS * POINT_SIZE;
      const [time, people, occupied] = this.#numbers.subarray(
        at,
        at + POINT_SIZE,
      );
      points.push([time!, people!, occupied!]);
    }
    return points;
  }
}

/** Returns a function that returns true after a time, in ms. */
function timeLimit(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() > end;
}
