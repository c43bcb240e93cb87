/** Which readings may create cells. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { mapBytes, OccupancyMap } from "../../src/grid/mod.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { CellLimiter } from "../../src/server/cell_limiter.ts";
import { randomIntegers } from "../support/random.ts";
import { NOW } from "./support.ts";

type Row = readonly [x: number, y: number, time?: number];

/** Limits a group, applies it, and returns the refused readings. */
function applyGroup(
  map: OccupancyMap,
  limiter: CellLimiter,
  batches: readonly (readonly [layer: string, rows: readonly Row[]])[],
): string[] {
  const refused: string[] = [];
  const group = batches.map(([layer, rows]) => {
    const batch = new ReadingBatch();
    for (const [x, y, time = NOW] of rows) batch.push(x, y, 1, time);
    const onRefused = (i: number) =>
      refused.push(`${layer} ${batch.x[i]},${batch.y[i]}`);
    return { layer, batch, starts: [0], onRefused };
  });
  for (const _pause of limiter.limit(group, NOW + map.ageing.maxSkew));
  for (const { layer, batch } of group) map.apply(layer, batch, NOW);
  return refused;
}

Deno.test({
  name: "CellLimiter accepts exactly the cells that fit, in order of arrival",
  permissions: "none",
  fn() {
    const row = fc.tuple(
      fc.integer({ min: -2, max: 2 }),
      fc.constantFrom(0, 100),
      fc.constantFrom(NOW, NOW - 5, NOW + 3_600_000), // the last: refused
    );
    const batch = fc.tuple(fc.constantFrom("a", "b", "c"), fc.array(row));
    const groups = fc.array(fc.array(batch, { maxLength: 4 }));
    const limits = fc.record({
      maxCells: fc.integer({ min: 1, max: 12 }),
      maxLayerCells: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(fc.property(groups, limits, (groups, limits) => {
      const map = new OccupancyMap({ maxSkew: 60_000 });
      const limiter = new CellLimiter(map, limits);
      const cells = new Set<string>();
      const sizes = new Map<string, number>();
      for (const group of groups) {
        const expected: string[] = [];
        for (const [layer, rows] of group) {
          for (const [x, y, time] of rows) {
            const cell = `${layer} ${x},${y}`;
            const size = sizes.get(layer) ?? 0;
            if (time > NOW + 60_000 || cells.has(cell)) continue;
            if (cells.size >= limits.maxCells || size >= limits.maxLayerCells) {
              expected.push(cell);
              continue;
            }
            cells.add(cell);
            sizes.set(layer, size + 1);
          }
        }
        assert.deepEqual(applyGroup(map, limiter, group), expected);
        assert.equal(map.size, cells.size);
      }
    }));
  },
});

Deno.test({
  name:
    "CellLimiter keeps scattered and dense cells within the memory, old cells still pass",
  permissions: "none",
  fn() {
    for (const spread of [2 ** 31, 2000]) {
      const map = new OccupancyMap({ maxSkew: 60_000 });
      const maxBytes = 4 * 1024 * 1024;
      const limiter = new CellLimiter(map, { maxBytes });
      const random = randomIntegers(5);
      const rows = () =>
        Array.from(
          { length: 5000 },
          (): Row => [random(spread), random(spread)],
        );
      const first = rows();
      assert.deepEqual(applyGroup(map, limiter, [["default", first]]), []);
      let refused = 0;
      for (let group = 0; group < 100; group++) {
        refused += applyGroup(map, limiter, [["default", rows()]]).length;
      }
      assert.ok(refused > 0);
      const used = mapBytes(map);
      assert.ok(used > 0.9 * maxBytes && used < 1.1 * maxBytes, `${used}`);
      assert.deepEqual(applyGroup(map, limiter, [["default", first]]), []);
      assert.match(limiter.problem!, /^the cells take their maximum of 4 MiB/);
    }
  },
});

Deno.test({
  name:
    "CellLimiter counts what a cell needs if it doubles the block of its tile",
  permissions: "none",
  fn() {
    const map = new OccupancyMap();
    const maxBytes = 8 * 1024 * 1024;
    const limiter = new CellLimiter(map, { maxBytes });
    // Tiles with 384 cells: the next cell doubles each of their blocks.
    const cells = Array.from({ length: 384 }, (_, i) => i);
    for (let tile = 0; tile < 600; tile++) {
      applyGroup(map, limiter, [[
        "default",
        cells.map((i): Row => [tile * 32 + i % 32, Math.floor(i / 32)]),
      ]]);
    }
    assert.ok(mapBytes(map) > 0.8 * maxBytes, `${mapBytes(map)} bytes`);
    applyGroup(map, limiter, [[
      "default",
      Array.from({ length: 600 }, (_, tile): Row => [tile * 32, 20]),
    ]]);
    const used = mapBytes(map);
    assert.ok(used <= 1.01 * maxBytes, `${used} bytes`);
    // A cell without a new block still fits.
    const { size } = map;
    applyGroup(map, limiter, [["default", [[0, 21]]]]);
    assert.equal(map.size, size + 1);
  },
});

Deno.test({
  name: "CellLimiter counts layers as memory",
  permissions: "none",
  fn() {
    const map = new OccupancyMap();
    const limiter = new CellLimiter(map, { maxBytes: 1024 * 1024 });
    for (let layer = 0; layer < 1000; layer++) {
      applyGroup(map, limiter, [[`l${layer}`, [[1, 1]]]]);
    }
    assert.ok(map.layerCount < 130, `${map.layerCount} layers`);
  },
});
