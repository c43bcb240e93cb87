/// <reference lib="dom" />
/**
 * Loads the floor plans of the layers.
 *
 * @module
 */

import { fetchPlans, type FloorPlan } from "../feed/requests.ts";

/** The floor plans of all layers, loaded on request. */
export class FloorPlans {
  readonly #plans = new Map<string, FloorPlan>();
  readonly #onLoad: () => void;
  /** Whether the plans are loaded or loading. */
  #requested = false;

  /** @param onLoad called when the plans are loaded, if there are or were any */
  constructor(onLoad: () => void) {
    this.#onLoad = onLoad;
  }

  /** Returns the plan of a layer; undefined if it has none. */
  of(layer: string | undefined): FloorPlan | undefined {
    return layer === undefined ? undefined : this.#plans.get(layer);
  }

  /** Loads the plans, once. After an error the next call tries again. */
  load(): void {
    if (this.#requested) return;
    this.#requested = true;
    this.#fetch().catch(() => this.#requested = false);
  }

  /** Makes the next {@linkcode load} request the plans again. */
  invalidate(): void {
    this.#requested = false;
  }

  async #fetch(): Promise<void> {
    const plans = await fetchPlans();
    const hadPlans = this.#plans.size > 0;
    this.#plans.clear();
    for (const plan of plans) this.#plans.set(plan.layer, plan);
    if (hadPlans || plans.length > 0) this.#onLoad();
  }
}
