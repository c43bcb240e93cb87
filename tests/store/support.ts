import assert from "node:assert/strict";
import type { Cell, OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, type Entry, type Store } from "../../src/store/store.ts";

/** Readings of one layer as an entry. */
export function applied(
  now: number,
  rows: readonly (readonly [number, number, number, number?])[],
  layer = "default",
): Entry {
  return {
    kind: "apply",
    now,
    layer,
    readings: {
      length: rows.length,
      x: Int32Array.from(rows, ([x]) => x),
      y: Int32Array.from(rows, ([, y]) => y),
      value: Int32Array.from(rows, ([, , value]) => value),
      time: Float64Array.from(rows, ([, , , time]) => time ?? now),
    },
  };
}

/** As the server does it: commit, apply, tell the store. */
export function keep(store: Store, map: OccupancyMap, ...entries: Entry[]) {
  store.commit(entries);
  for (const entry of entries) applyEntry(map, entry);
  store.applied(map);
}

/** All that can be seen of a map, in an order of its own. */
export function contents(map: OccupancyMap) {
  const layers = [...map.layers()].map(([name, grid]) => {
    const cells: Cell[] = [];
    grid.scan((x, y, value, time, revision, freshness) =>
      cells.push({ x, y, value, time, revision, freshness })
    );
    cells.sort((a, b) => a.x - b.x || a.y - b.y);
    const order: string[] = [];
    grid.scanInOrder((x, y) => order.push(`${x},${y}`));
    return { name, cells, order, counts: grid.counts() };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
  return { revision: map.revision, ageing: map.ageing, layers };
}

/** Fails unless both maps show the same. */
export function assertSameMap(actual: OccupancyMap, expected: OccupancyMap) {
  assert.deepEqual(contents(actual), contents(expected));
}
