import assert from "node:assert/strict";
import {
  ChangedCells,
  type ChangedCellsOptions,
  OccupancyMap,
} from "../../src/grid/mod.ts";
import { columns } from "./model.ts";

const NOW = 1_700_000_000_000;

/** Two commits: cells 0 to 9 in a row, then a change of cells 3 to 5. */
function read(options: ChangedCellsOptions) {
  const map = new OccupancyMap();
  const row = (xs: number[], value: number) =>
    columns(xs.map((x) => [x, 0, value, NOW]));
  map.apply("default", row([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1), NOW);
  map.apply("default", row([3, 4, 5], 2), NOW);
  const changed = new ChangedCells(map.layer("default")!, options);
  const xs: number[] = [];
  while (changed.next()) xs.push(changed.cell.x);
  return { xs: xs.sort((a, b) => a - b), exceeded: changed.exceeded };
}

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

test("ChangedCells reads what changed after a revision, in a region", () => {
  assert.equal(read({ since: 0 }).xs.length, 10);
  assert.deepEqual(read({ since: 1 }), { xs: [3, 4, 5], exceeded: false });
  assert.deepEqual(read({ since: 2 }), { xs: [], exceeded: false });
  const region = { x0: 5, y0: 0, x1: 9, y1: 0 };
  assert.deepEqual(read({ since: 1, region }), { xs: [5], exceeded: false });
});

test("ChangedCells stops at its limit and reports whether cells are left", () => {
  assert.deepEqual(read({ since: 1, limit: 3 }), {
    xs: [3, 4, 5],
    exceeded: false,
  });
  const { xs, exceeded } = read({ since: 1, limit: 2 });
  assert.equal(xs.length, 2);
  assert.equal(exceeded, true);
});
