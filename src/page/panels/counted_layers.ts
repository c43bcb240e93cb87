/**
 * Which layers count something: where values are only 0 and 1, the page counts
 * occupied cells and names no unit.
 *
 * @module
 */

import type { HistoryPoint, LayerStatus } from "../../feed/messages.ts";

/** The counts that show whether there are values above 1. */
type Counts = Pick<LayerStatus, "people" | "occupied">;

/** Remembers the layers that had values above 1 since the page was opened. */
export class CountedLayers {
  readonly #names = new Set<string>();

  /** Reads the counts of a layer. */
  add(name: string, { people, occupied }: Counts): void {
    // The sum of the values and their number are equal if all values are 1.
    if (people !== occupied) this.#names.add(name);
  }

  /** Reads the history of a layer. */
  addHistory(name: string, points: readonly HistoryPoint[]): void {
    for (const [, people, occupied] of points) {
      this.add(name, { people, occupied });
    }
  }

  /** Whether a layer has, or had, values above 1. */
  has(name: string): boolean {
    return this.#names.has(name);
  }
}
