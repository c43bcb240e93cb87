/** Unit tests of the live feed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { addCell } from "../../../src/http/cell_columns.ts";
import {
  CountHistory,
  HISTORY_INTERVAL_MS,
  LayerBounds,
} from "../../../src/http/feed/layer_status.ts";
import { SendWindow } from "../../../src/http/feed/limits.ts";
import { newColumns } from "../../../src/feed/columns.ts";
import { LatestList, MAX_LATEST } from "../../../src/http/feed/latest_list.ts";
import { SnapshotReader } from "../../../src/http/feed/snapshot_reader.ts";

const permissions = "none";
const T0 = 1_790_000_000_000;

type Row = readonly [x: number, y: number, value: number, time: number];

function columnsOf(rows: readonly Row[], stale = false) {
  const cells = newColumns(rows.length);
  for (const [x, y, value, time] of rows) {
    const row = cells.length++;
    cells.x[row] = x;
    cells.y[row] = y;
    cells.value[row] = value;
    cells.time[row] = time;
    cells.stale[row] = stale && value >= 0 ? 1 : 0;
  }
  return cells;
}

function report(map: OccupancyMap, rows: readonly Row[], now = T0): void {
  const { length, x, y, value, time } = columnsOf(rows);
  map.apply("default", { length, x, y, value, time }, now);
}

Deno.test({
  name: "SendWindow.hasRoom is false at a limit, until frames are acknowledged",
  permissions,
  fn: () => {
    const window = new SendWindow({ framesInFlight: 2, bytesInFlight: 100 });
    window.add(10);
    assert.equal(window.hasRoom, true);
    window.add(10);
    assert.equal(window.hasRoom, false);
    assert.equal(window.acknowledge(3), false, "three were never sent");
    assert.equal(window.acknowledge(1), true);
    assert.equal(window.acknowledge(0), false, "one is acknowledged already");
    assert.equal(window.hasRoom, true);
    window.add(1000);
    window.acknowledge(2);
    assert.equal(window.hasRoom, false, "1,000 bytes are in flight");
    assert.equal(window.acknowledge(3), true);
    assert.equal(window.hasRoom, true);
  },
});

Deno.test({
  name:
    "LatestList keeps the latest observations, each cell once, in any order",
  permissions,
  fn: () => {
    const row = fc.tuple(fc.nat(9), fc.nat(9), fc.nat(3), fc.nat(50));
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 60 })), (batches) => {
        const list = new LatestList();
        let model: Row[] = [];
        for (const batch of batches) {
          const unique = [
            ...new Map(batch.map((row) => [`${row[0]},${row[1]}`, row]))
              .values(),
          ];
          list.add(columnsOf(unique));
          const kept = model.filter(([x, y]) =>
            !unique.some((row) => row[0] === x && row[1] === y)
          );
          model = [...latestOf(unique), ...kept];
          model = latestOf(model);
        }
        const taken = list.take(() => undefined);
        assert.deepEqual(
          taken.map(([, , , time]) => time),
          model.map(([, , , time]) => time),
        );
        assert.equal(
          new Set(taken.map(([x, y]) => `${x},${y}`)).size,
          taken.length,
        );
        assert.equal(list.changed, false);
      }),
    );
  },
});

function latestOf(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => b[3] - a[3]).slice(0, MAX_LATEST);
}

Deno.test({
  name: "LatestList omits cells that turned stale without an observation",
  permissions,
  fn: () => {
    const list = new LatestList();
    list.add(columnsOf([[1, 1, 1, T0]], true));
    assert.deepEqual(list.take(() => undefined), []);
    list.add(columnsOf([[1, 1, 1, T0]]));
    assert.deepEqual(list.take(() => "cam"), [[1, 1, 1, T0, "cam"]]);
  },
});

Deno.test({
  name: "CountHistory keeps half an hour of each layer, the oldest point first",
  permissions,
  fn: () => {
    const map = new OccupancyMap();
    const history = new CountHistory();
    history.sample(map, T0);
    assert.deepEqual(history.points("default"), []);
    for (let i = 0; i < 400; i++) {
      report(map, [[0, 0, i, T0 + i]], T0 + i);
      history.sample(map, T0 + i * HISTORY_INTERVAL_MS);
    }
    const points = history.points("default");
    assert.equal(points.length, 360);
    assert.deepEqual(points[0], [T0 + 40 * HISTORY_INTERVAL_MS, 40, 1]);
    assert.deepEqual(points.at(-1), [T0 + 399 * HISTORY_INTERVAL_MS, 399, 1]);
  },
});

Deno.test({
  name:
    "LayerBounds.of() returns the smallest region with all cells, after each change",
  permissions,
  fn: () => {
    const coordinate = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const cells = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1 });
    fc.assert(fc.property(fc.array(cells, { minLength: 1 }), (batches) => {
      const map = new OccupancyMap();
      const bounds = new LayerBounds();
      const all: (readonly [number, number])[] = [];
      for (const [i, batch] of batches.entries()) {
        report(map, batch.map(([x, y]) => [x, y, i, T0 + i]), T0 + i);
        all.push(...batch);
        const xs = all.map(([x]) => x);
        const ys = all.map(([, y]) => y);
        assert.deepEqual(
          bounds.of(map.layer("default")!),
          [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
        );
      }
    }));
  },
});

Deno.test({
  name: "LayerBounds.of() reads a large layer in slices",
  permissions,
  fn: () => {
    const map = new OccupancyMap();
    const bounds = new LayerBounds();
    const diagonal = Array.from(
      { length: 1000 },
      (_, i) => [100 * i, 100 * i, i < 999 ? 1 : -1, T0] as const,
    );
    report(map, diagonal.map(([...row]) => row));
    const grid = map.layer("default")!;
    const slice = () => bounds.of(grid, () => true);
    const [, , x1] = slice()!;
    assert.ok(x1 < 99_900 && !bounds.isComplete);
    while (!bounds.isComplete) slice();
    assert.deepEqual(slice(), [0, 0, 99_900, 99_900]);
    // After removals the old bounds stay until the new ones are complete.
    map.remove("default", columnsOf([[99_900, 99_900, 0, T0]]), T0);
    assert.deepEqual(slice(), [0, 0, 99_900, 99_900]);
    while (!bounds.isComplete) slice();
    assert.deepEqual(slice(), [0, 0, 99_800, 99_800]);
  },
});

Deno.test({
  name: "LayerBounds.of() shrinks after removed cells and a deleted layer",
  permissions,
  fn: () => {
    const map = new OccupancyMap();
    const bounds = new LayerBounds();
    const current = () => bounds.of(map.layer("default")!);
    report(map, [[1, 2, 1, T0], [900, -900, -1, T0]]);
    assert.deepEqual(current(), [1, -900, 900, 2]);
    const far = columnsOf([[900, -900, 0, T0]]);
    map.remove("default", far, T0);
    assert.deepEqual(current(), [1, 2, 1, 2]);
    map.deleteLayer("default", T0);
    report(map, [[5, 5, 1, T0]]);
    assert.deepEqual(current(), [5, 5, 5, 5]);
  },
});

Deno.test({
  name: "SnapshotReader.read() returns each cell once, in slices",
  permissions,
  fn: () => {
    const coordinate = fc.oneof(
      fc.integer({ min: -100, max: 100 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    const place = fc.tuple(coordinate, coordinate);
    const view = fc.option(
      fc.tuple(place, place).map(([[a, b], [c, d]]) => ({
        x0: Math.min(a, c),
        y0: Math.min(b, d),
        x1: Math.max(a, c),
        y1: Math.max(b, d),
      })),
    );
    fc.assert(
      fc.property(
        fc.array(place, { size: "large" }),
        view,
        (places, region) => {
          const map = new OccupancyMap();
          report(map, places.map(([x, y]) => [x, y, 1, T0]));
          const grid = map.layer("default");
          const reader = new SnapshotReader(grid, region);
          const found: string[] = [];
          while (!reader.done) {
            const cells = newColumns(1500);
            reader.read(cells, () => true);
            for (let i = 0; i < cells.length; i++) {
              found.push(`${cells.x[i]},${cells.y[i]}`);
            }
          }
          const expected: string[] = [];
          grid?.scan(
            (x, y) => void expected.push(`${x},${y}`),
            region === null ? {} : { region },
          );
          assert.deepEqual(found.sort(), expected.sort());
        },
      ),
    );
  },
});

Deno.test({
  name: "addCell() marks a forgotten cell as unknown, not as stale",
  permissions,
  fn: () => {
    const map = new OccupancyMap({ staleAfter: 10, forgetAfter: 20 });
    report(map, [[1, 1, 0, T0]]);
    map.age(T0 + 30);
    const cells = newColumns(1);
    const cell = map.layer("default")!.cells();
    assert.ok(cell.next());
    addCell(cells, cell);
    assert.deepEqual([cells.value[0], cells.stale[0]], [-1, 0]);
  },
});
