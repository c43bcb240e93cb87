import assert from "node:assert/strict";
import fc from "fast-check";
import { Chunk, CHUNK_BITS, CHUNK_CELLS } from "../../../src/page/map/chunk.ts";
import { Level, levelOf } from "../../../src/grid/status.ts";
import { LayerCells } from "../../../src/page/map/layer_cells.ts";

const options = { permissions: "none" } as const;

const near = fc.integer({ min: -600, max: 600 });
const anywhere = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
interface Cell {
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly time: number;
  readonly stale: boolean;
}
const anyCell = (coordinate: fc.Arbitrary<number>): fc.Arbitrary<Cell> =>
  fc.record({
    x: coordinate,
    y: coordinate,
    value: fc.integer({ min: -1, max: 12 }),
    time: fc.integer({ min: 0, max: 1e9 }),
    stale: fc.boolean(),
  });
function layerOf(cells: readonly Cell[]): [LayerCells, Map<string, Cell>] {
  const layer = new LayerCells();
  const expected = new Map<string, Cell>();
  for (const cell of cells) {
    layer.set(cell.x, cell.y, cell.value, cell.time, cell.stale);
    expected.set(`${cell.x},${cell.y}`, cell);
  }
  return [layer, expected];
}

Deno.test(
  "LayerCells has the last state of each cell, for any coordinates",
  options,
  () => {
    const anyCells = fc.array(fc.oneof(anyCell(near), anyCell(anywhere)), {
      maxLength: 3000,
      size: "max",
    });
    fc.assert(
      fc.property(anyCells, (cells) => {
        const [layer, expected] = layerOf(cells);
        assert.equal(layer.table.length, expected.size);
        for (const { x, y, value, time, stale } of expected.values()) {
          const row = layer.table.find(x, y);
          assert.equal(layer.table.value[row], value);
          assert.equal(layer.table.time[row], time);
          assert.equal(layer.levelAt(x, y), levelOf(value, stale));
        }
        const xs = [...expected.values()].map(({ x }) => x);
        const ys = [...expected.values()].map(({ y }) => y);
        assert.deepEqual(
          layer.bounds,
          cells.length === 0 ? undefined : {
            x0: xs.reduce((a, b) => Math.min(a, b)),
            y0: ys.reduce((a, b) => Math.min(a, b)),
            x1: xs.reduce((a, b) => Math.max(a, b)),
            y1: ys.reduce((a, b) => Math.max(a, b)),
          },
        );
      }),
      { numRuns: 30 },
    );
  },
);

Deno.test(
  "LayerCells has no chunks when its cells are scattered, but all levels",
  options,
  () => {
    const layer = new LayerCells();
    for (let index = 0; index < 2000; index++) {
      layer.set(index * 5000, -index * 7000, index % 3, index, false);
    }
    assert.equal(layer.sparse, true);
    assert.equal([...layer.chunks()].length, 0);
    for (let index = 0; index < 2000; index++) {
      assert.equal(
        layer.levelAt(index * 5000, -index * 7000),
        levelOf(index % 3, false),
      );
    }
  },
);

Deno.test(
  "LayerCells.countsIn() counts a cell as either stale, unknown, free or occupied",
  options,
  () => {
    const [layer] = layerOf([
      { x: 0, y: 0, value: 0, time: 0, stale: false },
      { x: 1, y: 0, value: 3, time: 0, stale: false },
      { x: 2, y: 0, value: 2, time: 0, stale: true },
      { x: 3, y: 0, value: 0, time: 0, stale: true },
      { x: 4, y: 0, value: -1, time: 0, stale: true },
      { x: 9, y: 9, value: 7, time: 0, stale: false },
    ]);
    assert.deepEqual(layer.countsIn({ x0: 0, y0: 0, x1: 8, y1: 8 }), {
      cells: 5,
      people: 3,
      occupied: 1,
      free: 1,
      stale: 2,
      unknown: 1,
    });
  },
);

Deno.test(
  "Chunk.mip() has the highest level of the cells of each block",
  options,
  () => {
    const within = fc.integer({ min: 0, max: CHUNK_CELLS - 1 });
    const set = fc.tuple(within, within, fc.integer({ min: 0, max: 14 }));
    fc.assert(
      fc.property(fc.array(set, { maxLength: 400, size: "max" }), (sets) => {
        const chunk = new Chunk(0, 0);
        const cells = new Uint8Array(CHUNK_CELLS * CHUNK_CELLS);
        for (const [x, y, level] of sets) {
          chunk.set(x, y, level);
          cells[y * CHUNK_CELLS + x] = level;
        }
        for (let mip = 0; mip <= CHUNK_BITS; mip++) {
          const side = CHUNK_CELLS >> mip;
          const expected = new Uint8Array(side * side);
          cells.forEach((level, at) => {
            const to = (at >> CHUNK_BITS >> mip) * side +
              ((at & CHUNK_CELLS - 1) >> mip);
            expected[to] = Math.max(expected[to]!, level);
          });
          assert.deepEqual(chunk.mip(mip), expected);
        }
      }),
      { numRuns: 20 },
    );
  },
);

Deno.test(
  "Chunk.dirty is the smallest region of the changes since markClean()",
  options,
  () => {
    const chunk = new Chunk(0, 0);
    chunk.markClean();
    assert.ok(chunk.dirty.x1 < chunk.dirty.x0);
    chunk.set(3, 7, Level.Free);
    chunk.set(9, 2, Level.Occupied);
    assert.deepEqual(chunk.dirty, { x0: 3, y0: 2, x1: 9, y1: 7 });
    chunk.markClean();
    assert.equal(chunk.set(3, 7, Level.Free), false);
    assert.ok(chunk.dirty.x1 < chunk.dirty.x0);
  },
);
