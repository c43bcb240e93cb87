/**
 * Decides which cells to request from the live feed.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";
import { containsRegion, enlarge } from "./regions.ts";

/** Maximum cells of a layer that is requested whole. */
const MAX_WHOLE_CELLS = 3_000_000;

/** Requests the whole layer, or the visible region of a large layer. */
export class ViewRequests {
  readonly #request: (layer: string, region: Region | null) => void;
  /** The last request; a null region is the whole layer. */
  #last: { readonly layer: string; readonly region: Region | null } | undefined;

  /** @param request sends a request; a null region is the whole layer */
  constructor(request: (layer: string, region: Region | null) => void) {
    this.#request = request;
  }

  /** Makes the next {@linkcode update} send a request. */
  reset(): void {
    this.#last = undefined;
  }

  /**
   * Sends a request if the last one did not cover all visible cells. The
   * requested region is larger than the visible one, so that short moves need
   * no request.
   *
   * @param layer the current layer and its number of cells
   * @param visible null if the camera was not set yet
   */
  update(
    { name, cells }: { readonly name: string; readonly cells: number },
    visible: Region | null,
  ): void {
    const needed = cells > MAX_WHOLE_CELLS ? visible : null;
    if (this.#last?.layer === name) {
      const { region } = this.#last;
      const suffices = needed === null
        ? region === null
        : region !== null && containsRegion(region, needed);
      if (suffices) return;
    }
    this.#last = { layer: name, region: needed && enlarge(needed) };
    this.#request(name, this.#last.region);
  }
}
