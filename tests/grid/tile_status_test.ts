/** A tile's cells as bit sets are those that a scan visits. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Freshness, OccupancyMap, TileStatus } from "../../src/grid/mod.ts";
import { randomIntegers } from "../support/random.ts";
import { columns, type Reading } from "./model.ts";

const NOW = 1_700_000_000_000;
const INT32_MAX = 2 ** 31 - 1;

Deno.test({
  name: "readTile() reads the cells of one tile by status",
  permissions: "none",
  fn: () => {
    const seed = fc.integer();
    const cells = fc.constantFrom(1, 2, 5, 30, 300, 900, 1024);
    // One object for all tiles: it must not keep anything of the one before.
    const status = new TileStatus();
    fc.assert(
      fc.property(seed, cells, fc.boolean(), (seed, cells, withTimes) => {
        const random = randomIntegers(seed);
        const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 200 });
        const readings = Array.from({ length: cells }, (_, i): Reading => {
          const at = cells === 1024 ? i : random(1024);
          const value = [-1, 0, 1, 7, INT32_MAX][random(5)]!;
          return [-32 + (at & 31), 64 + (at >> 5), value, NOW - random(300)];
        });
        map.apply("default", columns([[5, 5, 1, NOW], ...readings]), NOW);
        const grid = map.layer("default")!;
        assert.deepEqual(grid.tileAt(1), { tx: -1, ty: 2 });
        status.time.fill(NaN);
        grid.readTile(1, status, withTimes);
        let present = 0;
        const has = (bits: Uint32Array, key: number) =>
          (bits[key >> 5]! >>> (key & 31) & 1) === 1;
        for (let key = 0; key < 1024; key++) {
          const cell = grid.get(-32 + (key & 31), 64 + (key >> 5));
          const { value, time, freshness } = cell ?? { value: -1 };
          assert.equal(has(status.present, key), cell !== undefined);
          assert.equal(
            has(status.unknown, key),
            cell !== undefined && value < 0,
          );
          assert.equal(has(status.positive, key), value > 0);
          assert.equal(
            has(status.stale, key),
            value >= 0 && freshness === Freshness.Stale,
          );
          if (value > 0) assert.equal(status.value[key], value);
          if (value >= 0) {
            assert.equal(status.time[key], withTimes ? time : NaN);
          }
          if (cell !== undefined) present++;
        }
        assert.equal(present, grid.size - 1);
      }),
    );
  },
});
