/// <reference lib="dom" />
/**
 * The floor plans of the layers, as the server has them.
 *
 * @module
 */

import type { Plan } from "./plan_layer.ts";

/** What is known of how a layer lies in the world. */
export interface KnownPlan {
  /** The image under it, if there is one. */
  readonly image: Plan | undefined;
  /** Metres a cell, if that is known. */
  readonly metres: number | undefined;
}

/** The floor plans; none until they have been asked for. */
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

  /** Asks for the plans. */
  look(): void {
    if (this.#asked) return;
    this.#asked = true;
    // They are fixed when the server starts; if it starts again, the page may ask again.
    this.#ask().catch(() => this.#asked = false);
  }

  /** The server may be another now: its plans too. */
  forget(): void {
    this.#asked = false;
  }

  async #ask(): Promise<void> {
    const response = await fetch("/api/v1/plans");
    if (!response.ok) throw new Error(`Cannot have plans: ${response.status}`);
    const { plans } = await response.json() as { plans: readonly Told[] };
    this.#plans.clear();
    for (const { layer, metresPerCell, image } of plans) {
      this.#plans.set(layer, {
        metres: metresPerCell,
        image: image && { url: image.url, extent: image.extent },
      });
    }
    if (plans.length > 0) this.#found();
  }
}

/** What `GET /api/v1/plans` tells of one; our own server's word is trusted. */
interface Told {
  readonly layer: string;
  readonly metresPerCell?: number;
  readonly image?: Plan;
}
