import type { Grid } from "../../grid/mod.ts";
import type { Corners } from "../../feed/messages.ts";

/**
 * The least region that has all cells of a layer, kept up to date: cells are
 * never removed, so only what changed has to be looked at.
 */
export class LayerBounds {
  #x0 = Infinity;
  #y0 = Infinity;
  #x1 = -Infinity;
  #y1 = -Infinity;
  /** The revision up to which it has looked. */
  #seen = 0;

  /** The bounds now; null if there are no cells. */
  of(grid: Grid): Corners | null {
    if (grid.revision > this.#seen) {
      for (const cell = grid.cells({ since: this.#seen }); cell.next();) {
        const x = cell.x;
        const y = cell.y;
        if (x < this.#x0) this.#x0 = x;
        if (x > this.#x1) this.#x1 = x;
        if (y < this.#y0) this.#y0 = y;
        if (y > this.#y1) this.#y1 = y;
      }
      this.#seen = grid.revision;
    }
    if (this.#x0 > this.#x1) return null;
    return [this.#x0, this.#y0, this.#x1, this.#y1];
  }
}
