/**
 * The status of layers in the live feed: counts, bounds, and the history of the
 * counts.
 *
 * @module
 */
import { type Grid, NO_CELLS } from "../../grid/mod.ts";
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

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /**
   * Samples how many readings have changed each layer. Call it every second.
   *
   * @param at monotonic time, in ms
   */
  sample(at: number): void {
    const { map, counts: { changedByLayer } } = this.#context;
    this.#changes.begin(at);
    for (const name of this.#bounds.keys()) {
      if (map.layer(name) === undefined) this.#remove(name);
    }
    let layers = 0;
    for (const [name] of map.layers()) {
      if (++layers > MAX_LAYERS) break;
      this.#changes.add(name, changedByLayer.get(name) ?? 0);
    }
  }

  /**
   * Returns the layers with cells, in the order of their first reading, then
   * the layers that have only a floor plan.
   */
  report(): LayersReport {
    const { map, plans } = this.#context;
    const layers: LayerStatus[] = [];
    let layersOmitted = 0;
    for (const [name, grid] of map.layers()) {
      if (layers.length === MAX_LAYERS) {
        layersOmitted++;
        continue;
      }
      let bounds = this.#bounds.get(name);
      if (bounds === undefined) {
        bounds = new LayerBounds();
        this.#bounds.set(name, bounds);
      }
      layers.push({
        name,
        ...this.#namesOf(name),
        bounds: bounds.of(grid),
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

  /** Removes what is known of a layer that was deleted. */
  #remove(name: string): void {
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

/**
 * A layer with more cells than this keeps its bounds when cells are removed:
 * reading all of them takes too long.
 */
const MAX_REREAD_CELLS = 1_000_000;

/**
 * The smallest region with all cells of a layer. An update reads only the
 * changed cells, or all of them if some were removed.
 */
export class LayerBounds {
  #grid: Grid | undefined;
  /** `Grid.removed` at the last update. */
  #removed = 0;
  #x0 = Infinity;
  #y0 = Infinity;
  #x1 = -Infinity;
  #y1 = -Infinity;
  /** The revision of the last update. */
  #revision = 0;

  /** Returns the bounds of the layer; null if it has no cells. */
  of(grid: Grid): RegionTuple | null {
    if (
      grid !== this.#grid || // the layer is new, or was deleted
      grid.removed !== this.#removed && grid.size <= MAX_REREAD_CELLS
    ) this.#restart(grid);
    if (grid.revision > this.#revision) {
      for (const cell = grid.cells({ since: this.#revision }); cell.next();) {
        const x = cell.x;
        const y = cell.y;
        if (x < this.#x0) this.#x0 = x;
        if (x > this.#x1) this.#x1 = x;
        if (y < this.#y0) this.#y0 = y;
        if (y > this.#y1) this.#y1 = y;
      }
      this.#revision = grid.revision;
    }
    if (this.#x0 > this.#x1) return null;
    return [this.#x0, this.#y0, this.#x1, this.#y1];
  }

  #restart(grid: Grid): void {
    this.#grid = grid;
    this.#removed = grid.removed;
    this.#x0 = this.#y0 = Infinity;
    this.#x1 = this.#y1 = -Infinity;
    this.#revision = 0;
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
