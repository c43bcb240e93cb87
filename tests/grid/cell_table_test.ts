import assert from "node:assert/strict";
import fc from "fast-check";
import { CellTable } from "../../src/grid/cell_table.ts";
import type { Region } from "../../src/grid/mod.ts";

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly time: number;
  readonly stale: boolean;
}

const coordinate = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.integer(),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
);
const cell: fc.Arbitrary<Cell> = fc.record({
  x: coordinate,
  y: coordinate,
  value: fc.integer(),
  time: fc.oneof(fc.integer(), fc.constant(NaN)),
  stale: fc.boolean(),
}, { noNullPrototype: true });

function rowsOf(table: CellTable): Cell[] {
  return Array.from({ length: table.length }, (_, row) => ({
    x: table.x[row]!,
    y: table.y[row]!,
    value: table.value[row]!,
    time: table.time[row]!,
    stale: table.stale[row] === 1,
  }));
}

function boundsOf(cells: readonly Cell[]): Region | undefined {
  if (cells.length === 0) return undefined;
  const xs = cells.map(({ x }) => x);
  const ys = cells.map(({ y }) => y);
  return {
    x0: Math.min(...xs),
    y0: Math.min(...ys),
    x1: Math.max(...xs),
    y1: Math.max(...ys),
  };
}

Deno.test({
  name: "CellTable is empty at first",
  permissions: "none",
  fn: () => {
    const table = new CellTable();
    assert.equal(table.length, 0);
    assert.equal(table.find(0, 0), -1);
    assert.equal(table.bounds, undefined);
  },
});

Deno.test({
  name: "CellTable.insert() adds a row once for each coordinate",
  permissions: "none",
  fn: () => {
    const table = new CellTable();
    assert.equal(table.insert(3, -4), 0);
    assert.equal(table.insert(-4, 3), 1);
    assert.equal(table.insert(3, -4), 0);
    assert.equal(table.length, 2);
    assert.equal(table.find(-4, 3), 1);
    assert.deepEqual(table.bounds, { x0: -4, y0: -4, x1: 3, y1: 3 });
  },
});

Deno.test({
  name: "CellTable.reserve() keeps the cells and makes room",
  permissions: "none",
  fn: () => {
    const table = new CellTable();
    table.set(1, 2, 3, 4, true);
    table.reserve(1000);
    const { x } = table;
    assert.ok(x.length >= 1000);
    table.reserve(10);
    assert.equal(table.x, x, "smaller than it is: unchanged");
    assert.deepEqual(rowsOf(table), [
      { x: 1, y: 2, value: 3, time: 4, stale: true },
    ]);
    assert.equal(table.find(1, 2), 0);
  },
});

Deno.test({
  name: "CellTable holds the latest state of each cell, as a Map does",
  permissions: "none",
  fn: () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.array(cell, { maxLength: 300 }) },
        fc.constant("clear" as const),
      ),
      { maxLength: 6 },
    );
    fc.assert(fc.property(steps, (steps) => {
      const table = new CellTable();
      const model = new Map<string, Cell>();
      for (const step of steps) {
        if (step === "clear") {
          table.clear();
          model.clear();
          continue;
        }
        for (const one of step) {
          const { x, y, value, time, stale } = one;
          const row = table.set(x, y, value, time, stale);
          assert.equal(row, table.find(x, y));
          model.set(`${x},${y}`, one);
        }
      }
      const cells = [...model.values()];
      assert.deepEqual(rowsOf(table), cells);
      assert.deepEqual(table.bounds, boundsOf(cells));
      cells.forEach(({ x, y }, row) => assert.equal(table.find(x, y), row));
      for (const { x, y } of cells) {
        const known = model.has(`${y},${x}`);
        assert.equal(table.find(y, x) >= 0, known);
      }
    }));
  },
});

Deno.test({
  name: "CellTable finds its cells in a large square and along lines",
  permissions: "none",
  fn: () => {
    const side = 200;
    const places = [
      (i: number) => [i % side, Math.floor(i / side)],
      (i: number) => [i * 65_536, 0],
      (i: number) => [0, i * 65_536],
      (i: number) => [i * 4096, -i * 4096],
    ] as const;
    for (const place of places) {
      const table = new CellTable();
      for (let i = 0; i < side * side; i++) {
        const [x, y] = place(i);
        table.set(x! | 0, y! | 0, i, i, false);
      }
      for (let i = 0; i < side * side; i++) {
        const [x, y] = place(i);
        const row = table.find(x! | 0, y! | 0);
        assert.equal(table.x[row], x! | 0);
      }
    }
  },
});
