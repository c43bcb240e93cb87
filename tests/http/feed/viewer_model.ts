/** What a viewer knows: frames applied, and compared with the map itself. */
import assert from "node:assert/strict";
import { Freshness, type OccupancyMap } from "../../../src/grid/mod.ts";
import { type Frame, statusOf } from "../../../src/feed/frames.ts";
import type { View } from "../../../src/feed/messages.ts";

/** A viewer's copy of its view, as a page keeps it. */
export class Mirror {
  /** `x,y` → value, status, time. */
  cells = new Map<string, readonly [number, number, number]>();
  #next: typeof this.cells | undefined;
  /** Whole snapshots that came. */
  snapshots = 0;
  deltas = 0;

  take(frame: Frame): void {
    if (frame.kind === "delta") {
      this.deltas++;
      this.#add(this.cells, frame);
      return;
    }
    if (frame.part === 1) this.#next = new Map();
    assert.ok(this.#next, "a part follows part 1");
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
        cells.status[i]!,
        cells.time[i]!,
      ]);
    }
  }
}

/** What a viewer of this view should know; times too, if nothing was only renewed. */
export function expectedCells(
  map: OccupancyMap,
  { layer, region }: View,
): Mirror["cells"] {
  const cells: Mirror["cells"] = new Map();
  map.layer(layer)?.scan((x, y, value, time, _, freshness) => {
    const status = statusOf(value, freshness === Freshness.Stale);
    cells.set(`${x},${y}`, [value, status, time]);
  }, region === null ? {} : { region });
  return cells;
}

/** Holds that a viewer knows the map: values and statuses, and times where asked. */
export function assertSame(
  mirror: Mirror,
  map: OccupancyMap,
  view: View,
  { times = false } = {},
): void {
  const sorted = (cells: Mirror["cells"]) =>
    [...cells].map(([key, [value, status, time]]) =>
      times ? [key, value, status, time] : [key, value, status]
    ).sort(([a], [b]) => a! < b! ? -1 : 1);
  assert.deepEqual(sorted(mirror.cells), sorted(expectedCells(map, view)));
}
