import assert from "node:assert/strict";
import fc from "fast-check";
import { CHUNK, Chunk, CHUNK_BITS } from "../../../src/page/map/chunk.ts";
import { Level, levelOf } from "../../../src/grid/status.ts";
import { World } from "../../../src/page/map/layer_cells.ts";

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
const cell = (coordinate: fc.Arbitrary<number>): fc.Arbitrary<Cell> =>
  fc.record({
    x: coordinate,
    y: coordinate,
    value: fc.integer({ min: -1, max: 12 }),
    time: fc.integer({ min: 0, max: 1e9 }),
    stale: fc.boolean(),
  });
function worldOf(cells: readonly Cell[]): [World, Map<string, Cell>] {
  const world = new World();
  const expected = new Map<string, Cell>();
  for (const one of cells) {
    world.set(one.x, one.y, one.value, one.time, one.stale);
    expected.set(`${one.x},${one.y}`, one);
  }
  return [world, expected];
}

Deno.test(
  "World has the latest of every cell, wherever cells lie",
  options,
  () => {
    const cells = fc.array(fc.oneof(cell(near), cell(anywhere)), {
      maxLength: 3000,
      size: "max",
    });
    fc.assert(
      fc.property(cells, (told) => {
        const [world, expected] = worldOf(told);
        assert.equal(world.table.length, expected.size);
        for (const { x, y, value, time, stale } of expected.values()) {
          const row = world.table.find(x, y);
          assert.equal(world.table.value[row], value);
          assert.equal(world.table.time[row], time);
          assert.equal(world.levelAt(x, y), levelOf(value, stale));
        }
        const xs = [...expected.values()].map(({ x }) => x);
        const ys = [...expected.values()].map(({ y }) => y);
        assert.deepEqual(
          world.bounds,
          told.length === 0 ? undefined : {
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
  "World goes without chunks when cells are scattered, and knows them all the same",
  options,
  () => {
    const world = new World();
    for (let index = 0; index < 2000; index++) {
      world.set(index * 5000, -index * 7000, index % 3, index, false);
    }
    assert.equal(world.scattered, true);
    assert.equal([...world.chunks()].length, 0);
    for (let index = 0; index < 2000; index++) {
      assert.equal(
        world.levelAt(index * 5000, -index * 7000),
        levelOf(index % 3, false),
      );
    }
  },
);

Deno.test(
  "World.totals() counts a stale cell as stale only, an unknown as unknown only",
  options,
  () => {
    const [world] = worldOf([
      { x: 0, y: 0, value: 0, time: 0, stale: false },
      { x: 1, y: 0, value: 3, time: 0, stale: false },
      { x: 2, y: 0, value: 2, time: 0, stale: true },
      { x: 3, y: 0, value: 0, time: 0, stale: true },
      { x: 4, y: 0, value: -1, time: 0, stale: true },
      { x: 9, y: 9, value: 7, time: 0, stale: false },
    ]);
    assert.deepEqual(world.totals({ x0: 0, y0: 0, x1: 8, y1: 8 }), {
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
  "Chunk.mip() shows the greatest of the cells under each pixel",
  options,
  () => {
    const within = fc.integer({ min: 0, max: CHUNK - 1 });
    const set = fc.tuple(within, within, fc.integer({ min: 0, max: 14 }));
    fc.assert(
      fc.property(fc.array(set, { maxLength: 400, size: "max" }), (sets) => {
        const chunk = new Chunk(0, 0);
        const cells = new Uint8Array(CHUNK * CHUNK);
        for (const [x, y, level] of sets) {
          chunk.set(x, y, level);
          cells[y * CHUNK + x] = level;
        }
        for (let mip = 0; mip <= CHUNK_BITS; mip++) {
          const side = CHUNK >> mip;
          const expected = new Uint8Array(side * side);
          cells.forEach((level, at) => {
            const to = (at >> CHUNK_BITS >> mip) * side +
              ((at & CHUNK - 1) >> mip);
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
  "Chunk.dirty spans what changed since it was cleaned, no more",
  options,
  () => {
    const chunk = new Chunk(0, 0);
    chunk.clean();
    assert.ok(chunk.dirty.x1 < chunk.dirty.x0);
    chunk.set(3, 7, Level.Free);
    chunk.set(9, 2, Level.Occupied);
    assert.deepEqual(chunk.dirty, { x0: 3, y0: 2, x1: 9, y1: 7 });
    chunk.clean();
    assert.equal(chunk.set(3, 7, Level.Free), false);
    assert.ok(chunk.dirty.x1 < chunk.dirty.x0);
  },
);
