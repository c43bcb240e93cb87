import assert from "node:assert/strict";
import fc from "fast-check";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import {
  CellMap,
  type CellState,
  type WatchEvent,
} from "../../src/request/mod.ts";

type Cell = readonly [x: number, y: number, value: number, time: number];

const NOW = 1_760_000_000_000;
const STALE_AFTER = 1000;

function event(kind: WatchEvent["kind"], cells: readonly Cell[]): WatchEvent {
  const batch = new ReadingBatch();
  for (const cell of cells) batch.push(...cell);
  return {
    kind,
    layer: "default",
    revision: 1,
    time: NOW,
    staleAfter: STALE_AFTER,
    cells: batch,
  };
}

const coordinate = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer(),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
);
const cell = fc.tuple(
  coordinate,
  coordinate,
  fc.integer({ min: -1, max: 3 }),
  fc.integer({ min: NOW - 2 * STALE_AFTER, max: NOW }),
);
const events = fc.array(
  fc.tuple(
    fc.constantFrom<WatchEvent["kind"]>("changes", "changes", "snapshot"),
    fc.array(cell, { maxLength: 100 }),
  ),
  { maxLength: 8 },
);

Deno.test({
  name: "CellMap stores the latest state of each cell",
  permissions: "none",
  fn: () => {
    fc.assert(fc.property(fc.array(cell), events, (first, steps) => {
      const map = new CellMap(event("snapshot", first));
      const model = new Map<string, CellState>();
      const setAll = (cells: readonly Cell[]) => {
        for (const [x, y, value, time] of cells) {
          const stale = value >= 0 && NOW - time > STALE_AFTER;
          model.set(`${x},${y}`, { x, y, value, time, stale });
        }
      };
      setAll(first);
      for (const [kind, cells] of steps) {
        map.apply(event(kind, cells));
        if (kind === "snapshot") model.clear();
        setAll(cells);
      }
      assert.equal(map.size, model.size);
      assert.deepEqual([...map], [...model.values()]);
      for (const state of model.values()) {
        assert.deepEqual(map.get(state.x, state.y), state);
      }
      assert.equal(map.get(1234567, -7654321), undefined);
    }));
  },
});

Deno.test({
  name: "CellMap has no stale cells if the server sends no times",
  permissions: "none",
  fn: () => {
    const cells = new ReadingBatch();
    cells.push(1, 2, 3);
    const map = new CellMap({ layer: "default", cells });
    assert.equal(map.get(1, 2)!.stale, false);
    assert.equal(map.revision, undefined);
    assert.equal(map.time, undefined);
  },
});
