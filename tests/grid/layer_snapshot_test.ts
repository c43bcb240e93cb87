/** A snapshot returns the cells of one moment while the layer changes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CellRows,
  type LayerSnapshot,
  OccupancyMap,
  type Region,
  SnapshotLostError,
} from "../../src/grid/mod.ts";
import { CopyBudget } from "../../src/grid/layer_snapshot.ts";
import { Grid } from "../../src/grid/grid.ts";
import {
  columns,
  nextSaved,
  type Reading,
  removeLongUnknown,
  scanned,
  type SnapshotCell,
  snapshotCells,
  sorted,
} from "./model.ts";

const START = 1_700_000_000_000;
const AGEING = { staleAfter: 50, forgetAfter: 100 };

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

const coordinate = fc.integer({ min: -100, max: 100 });
const readings = fc.array(
  fc.tuple(coordinate, coordinate, fc.integer({ min: -1, max: 3 })),
  { maxLength: 30 },
);
const region: fc.Arbitrary<Region> = fc.tuple(
  coordinate,
  coordinate,
  coordinate,
  coordinate,
).map(([a, b, c, d]) => ({
  x0: Math.min(a, b),
  y0: Math.min(c, d),
  x1: Math.max(a, b),
  y1: Math.max(c, d),
}));
/** Change or delete the layer, open a snapshot, read one, finish one, save. */
const step = fc.oneof(
  { weight: 4, arbitrary: readings.map((rows) => ({ rows })) },
  { weight: 2, arbitrary: fc.nat(60).map((ms) => ({ ms })) },
  {
    weight: 2,
    arbitrary: fc.record({
      region: fc.option(region, { nil: undefined }),
      /** How many revisions before the present one. */
      back: fc.option(fc.nat(6), { nil: undefined }),
    }).map((open) => ({ open })),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.nat(5), fc.nat(4)).map(([read, tiles]) => ({
      read,
      tiles,
    })),
  },
  { weight: 1, arbitrary: fc.nat(5).map((close) => ({ close })) },
  { weight: 1, arbitrary: fc.nat(3).map((saved) => ({ saved })) },
  { weight: 1, arbitrary: fc.nat(40).map((removeAfter) => ({ removeAfter })) },
  { weight: 1, arbitrary: fc.constant({ deleteLayer: true }) },
);

interface Reader {
  readonly snapshot: LayerSnapshot;
  readonly expected: SnapshotCell[];
  readonly cells: SnapshotCell[];
}

test("snapshots read the cells of their beginning while the layer changes and is deleted, also during a save", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new OccupancyMap(AGEING);
      let now = START;
      const gridOf = () => {
        const present = map.layer("default");
        if (present !== undefined) return present;
        map.apply("default", columns([[0, 0, 1, now]]), now);
        const grid = map.layer("default")!;
        grid.beginSave();
        return grid;
      };
      const readers: Reader[] = [];
      const finish = ({ snapshot, expected, cells }: Reader) => {
        cells.push(...snapshotCells(snapshot));
        assert.deepEqual(sorted(cells), sorted(expected));
      };
      for (const step of steps) {
        if ("rows" in step) {
          const rows = step.rows.map((row): Reading => [...row, now]);
          map.apply("default", columns(rows), now);
        } else if ("ms" in step) map.age(now += step.ms);
        else if ("open" in step) {
          const { region, back } = step.open;
          const since = back === undefined
            ? 0
            : Math.max(0, map.revision - back);
          const options = { since, ...(region && { region }) };
          const grid = gridOf();
          // Compared with a plain reader, too.
          scanned(grid, options);
          readers.push({
            snapshot: grid.snapshot(options),
            expected: snapshotCells(grid.snapshot(options)),
            cells: [],
          });
        } else if ("read" in step) {
          const reader = readers[step.read];
          if (reader === undefined) continue;
          reader.cells.push(...snapshotCells(reader.snapshot, step.tiles));
        } else if ("close" in step) {
          const [reader] = readers.splice(step.close, 1);
          if (reader !== undefined) finish(reader);
        } else if ("saved" in step) {
          for (let i = 0; i < step.saved; i++) nextSaved(gridOf());
        } else if ("removeAfter" in step) {
          removeLongUnknown(map, "default", now, step.removeAfter);
        } else map.deleteLayer("default", now);
      }
      for (const reader of readers) finish(reader);
    }),
    { numRuns: 500 },
  );
});

/** A layer of 10 tiles in a row, 10 cells each. */
function layerOf(budget?: CopyBudget) {
  const grid = new Grid(budget ?? new CopyBudget());
  const ageing = new OccupancyMap().ageing;
  let revision = 0;
  const write = (value: number) => {
    const rows = Array.from(
      { length: 100 },
      (_, i): Reading => [(i % 10) * 32, Math.floor(i / 10), value, START],
    );
    grid.writer.write(columns(rows), START, ++revision, ageing);
  };
  write(0);
  return { grid, write };
}

test("a tile that changed is copied once for all snapshots that need it", () => {
  const budget = new CopyBudget();
  const { grid, write } = layerOf(budget);
  const first = grid.snapshot();
  const second = grid.snapshot();
  assert.equal(budget.bytes, 0);
  write(1);
  const bytes = first.bytes;
  assert.ok(bytes > 0);
  assert.equal(second.bytes, bytes);
  assert.equal(budget.bytes, 2 * bytes);
  write(2);
  assert.equal(first.bytes, bytes, "no second copy");
  const third = grid.snapshot();
  assert.deepEqual(valuesOf(first), new Set([0]));
  assert.deepEqual(valuesOf(third), new Set([2]));
  assert.equal(budget.bytes, bytes, "what was read is freed");
  second.close();
  assert.equal(budget.bytes, 0);
});

test("a snapshot is current until the layer is written to", () => {
  const { grid, write } = layerOf();
  using snapshot = grid.snapshot();
  assert.equal(snapshot.isCurrent, true);
  write(0); // the same values: only times may change
  assert.equal(snapshot.isCurrent, false);
});

test("at the limit of the copies, the snapshot with the most copies fails and the others continue", () => {
  const copyOfLayer = () => {
    const budget = new CopyBudget();
    const { grid, write } = layerOf(budget);
    grid.snapshot();
    write(1);
    return budget.bytes;
  };
  const budget = new CopyBudget(1.5 * copyOfLayer());
  const { grid, write } = layerOf(budget);
  const slow = grid.snapshot();
  write(1);
  const fast = grid.snapshot();
  snapshotCells(fast, 4);
  write(2);
  assert.throws(() => slow.readTile(new CellRows()), SnapshotLostError);
  assert.equal(slow.bytes, 0);
  assert.deepEqual(valuesOf(fast), new Set([1]));
  assert.equal(budget.bytes, 0);
});

test("copies are right after more snapshots than an epoch counts", () => {
  const { grid, write } = layerOf();
  const first = grid.snapshot();
  write(1);
  for (let i = 0; i < 70_000; i++) grid.snapshot().close();
  const second = grid.snapshot();
  write(2);
  assert.deepEqual(valuesOf(first), new Set([0]));
  assert.deepEqual(valuesOf(second), new Set([1]));
});

test("a snapshot of many changed tiles skips the others in several calls", () => {
  const map = new OccupancyMap();
  const rows = Array.from(
    { length: 40_000 },
    (_, i): Reading => [(i % 200) * 32, Math.floor(i / 200) * 32, 1, START],
  );
  map.apply("default", columns(rows), START);
  const again = rows.slice(0, 20_000)
    .map(([x, y]): Reading => [x, y, 2, START]);
  map.apply("default", columns(again), START);
  const snapshot = map.layer("default")!.snapshot({ since: 1 });
  assert.equal(snapshot.maxCells, 40_000);
  const cells = snapshotCells(snapshot);
  assert.equal(cells.length, 20_000);
  assert.ok(cells.every(({ value }) => value === 2));
});

function valuesOf(snapshot: LayerSnapshot): Set<number> {
  return new Set(snapshotCells(snapshot).map(({ value }) => value));
}
