/** Reading a layer in slices for HTTP. */
import assert from "node:assert/strict";
import { LimitCounts } from "../../src/common/limit_counts.ts";
import { newColumns } from "../../src/feed/columns.ts";
import { Grid } from "../../src/grid/grid.ts";
import { CopyBudget } from "../../src/grid/layer_snapshot.ts";
import { OccupancyMap, SnapshotLostError } from "../../src/grid/mod.ts";
import { LayerReading, readFew } from "../../src/http/layer_reading.ts";
import { columns, type Reading } from "../grid/model.ts";

const T0 = 1_700_000_000_000;
const ALL = { since: 0, region: undefined };

/** A layer of 60 by 60 cells. */
function layerOf(budget = new CopyBudget()) {
  const grid = new Grid(budget);
  const { ageing } = new OccupancyMap();
  let revision = 0;
  const write = (value: number) => {
    const rows = Array.from(
      { length: 3600 },
      (_, i): Reading => [i % 60, Math.floor(i / 60), value, T0],
    );
    grid.writer.write(columns(rows), T0, ++revision, ageing);
  };
  write(1);
  return { grid, write };
}

Deno.test({
  name: "LayerReading fills any columns with the cells of one moment",
  permissions: "none",
  fn: () => {
    const { grid, write } = layerOf();
    const reading = new LayerReading(grid, ALL);
    write(2);
    const cells = newColumns(700);
    const seen = new Set<string>();
    for (let isLast = false; !isLast;) {
      cells.length = 0;
      isLast = !reading.read(cells);
      assert.ok(isLast || cells.length > 0);
      for (let row = 0; row < cells.length; row++) {
        assert.equal(cells.value[row], 1);
        seen.add(`${cells.x[row]},${cells.y[row]}`);
      }
    }
    assert.equal(seen.size, 3600);
  },
});

Deno.test({
  name: "readFew() returns cells up to the limit only",
  permissions: "none",
  fn: () => {
    const { grid } = layerOf();
    const region = { x0: 10, y0: 10, x1: 19, y1: 19 };
    const wide = { x0: 50, y0: 50, x1: 999, y1: 999 };
    const count = (selection: Parameters<typeof readFew>[1], max: number) =>
      readFew(grid, selection, max)?.length;
    assert.equal(count({ since: 0, region }, 100), 100);
    assert.equal(count({ since: 0, region }, 99), undefined);
    assert.equal(count({ since: 0, region: wide }, 100), 100);
    assert.equal(count({ since: 0, region: wide }, 99), undefined);
    assert.equal(count({ since: 1, region: undefined }, 10), 0);
    assert.equal(count(ALL, 3599), undefined);
    assert.equal(count(ALL, 3600), 3600);
    assert.equal(readFew(undefined, ALL, 1)?.length, 0);
  },
});

Deno.test({
  name: "LayerReading fails, and counts it, if the copies need too much memory",
  permissions: "none",
  fn: () => {
    const { grid, write } = layerOf(new CopyBudget(100));
    const reached = new LimitCounts();
    const reading = new LayerReading(grid, ALL, reached);
    write(2);
    assert.throws(() => reading.read(newColumns(10)), SnapshotLostError);
    assert.equal(reached.of("http-snapshot-bytes"), 1);
    reading.close();
  },
});
