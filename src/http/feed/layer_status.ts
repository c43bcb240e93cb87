import type { HttpContext } from "../context.ts";
import { LayerBounds } from "./bounds.ts";
import type { LayerStatus } from "../../feed/messages.ts";

/** Layers that are told of; how many more there are is told too. */
const MOST_LAYERS = 500;

/** What the layers of a map say. */
export interface LayersReport {
  readonly layers: readonly LayerStatus[];
  readonly layersOmitted: number;
}

/** Looks at the layers of a map; keeps their bounds. */
export class LayersReporter {
  readonly #context: HttpContext;
  readonly #bounds = new Map<string, LayerBounds>();

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** All layers with cells in the order in which they came, then those that only have a plan. */
  report(): LayersReport {
    const { map, plans } = this.#context;
    const layers: LayerStatus[] = [];
    let layersOmitted = 0;
    for (const [name, grid] of map.layers()) {
      if (layers.length === MOST_LAYERS) {
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
        ...this.#titleOf(name),
        bounds: bounds.of(grid),
        ...grid.counts(),
      });
    }
    for (const name of plans.keys()) {
      if (map.layer(name) !== undefined) continue;
      if (layers.length === MOST_LAYERS) layersOmitted++;
      else layers.push({ name, ...this.#titleOf(name), ...NO_CELLS });
    }
    return { layers, layersOmitted };
  }

  #titleOf(name: string): { title?: string } {
    const title = this.#context.plans.get(name)?.title;
    return title === undefined || title === name ? {} : { title };
  }
}

const NO_CELLS = {
  bounds: null,
  people: 0,
  occupied: 0,
  free: 0,
  stale: 0,
  unknown: 0,
  cells: 0,
} as const;
