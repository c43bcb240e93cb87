/** A model of a viewer: applies frames and compares the result with the map. */
import assert from "node:assert/strict";
import { Freshness, type OccupancyMap } from "../../../src/grid/mod.ts";
import { type CellStatus, statusOf } from "../../../src/grid/status.ts";
import type { Frame } from "../../../src/feed/frames.ts";
import type { View } from "../../../src/feed/messages.ts";

/** The cells of a view, as the page keeps them. */
export class ViewerModel {
  /** Key `x,y`; value, status and time. */
  cells = new Map<string, readonly [number, CellStatus, number]>();
  #next: typeof this.cells | undefined;
  /** Number of complete snapshots. */
  snapshots = 0;
  deltas = 0;

  apply(frame: Frame): void {
    if (frame.kind === "delta") {
      this.deltas++;
      this.#add(this.cells, frame);
      return;
    }
    if (frame.part === 1) this.#next = new Map();
    assert.ok(this.#next, "a snapshot starts with part 1");
    this.#add(this.#next, frame);
    if (frame.part !== frame.parts) return;
    this.cells = this.#next;
    this.#next = undefined;
    this.snapshots++;
  }

  #add(to: typeof this.cells, { cells }: Frame): void {
    for (let i = 0; i < cells.length; i++) {
      to.set(`${cells.x[i]},${cells.y[i]}`, [
        cells.value[i]!,
        statusOf(cells.value[i]!, cells.stale[i] === 1),
        cells.time[i]!,
      ]);
    }
  }
}

/** Returns the cells of a view from the map. */
export function expectedCells(
  map: OccupancyMap,
  { layer, region }: View,
): ViewerModel["cells"] {
  const cells: ViewerModel["cells"] = new Map();
  map.layer(layer)?.scan((x, y, value, time, _, freshness) => {
    const status = statusOf(value, freshness === Freshness.Stale);
    cells.set(`${x},${y}`, [value, status, time]);
  }, region === null ? {} : { region });
  return cells;
}

/**
 * Asserts that a viewer has the values and statuses of the map.
 *
 * @param times whether to compare times too: a reading that repeats a value
 * changes the time in the map only
 */
export function assertSame(
  model: ViewerModel,
  map: OccupancyMap,
  view: View,
  { times = false } = {},
): void {
  const sorted = (cells: ViewerModel["cells"]) =>
    [...cells].map(([key, [value, status, time]]) =>
      times ? [key, value, status, time] : [key, value, status]
    ).sort(([a], [b]) => a! < b! ? -1 : 1);
  assert.deepEqual(sorted(model.cells), sorted(expectedCells(map, view)));
}
