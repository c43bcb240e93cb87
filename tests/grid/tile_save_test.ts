/** A save returns the map of one moment while the map changes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import {
  columns,
  coordinatesOf,
  inOrder,
  nextSaved,
  type Reading,
  scanned,
  sorted,
} from "./model.ts";

const START = 1_700_000_000_000;
const AGEING = { staleAfter: 50, forgetAfter: 100 };

const coordinate = fc.integer({ min: -100, max: 100 });
const readings = fc.array(
  fc.tuple(coordinate, coordinate, fc.integer({ min: -1, max: 3 })),
  { maxLength: 30 },
);
/**
 * Apply readings, advance the clock, remove unknown cells, save some tiles, or
 * end the save.
 */
const step = fc.oneof(
  { weight: 4, arbitrary: readings.map((rows) => ({ rows })) },
  { weight: 2, arbitrary: fc.nat(60).map((ms) => ({ ms })) },
  { weight: 2, arbitrary: readings.map((removed) => ({ removed })) },
  { weight: 4, arbitrary: fc.nat(6).map((tiles) => ({ tiles })) },
  { weight: 1, arbitrary: fc.boolean().map((stored) => ({ stored })) },
);

Deno.test({
  name: "a save returns tiles as they were when it began",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new OccupancyMap(AGEING);
        let now = START;
        // Never removed, so that the layer is never deleted.
        map.apply("default", columns([[5000, 0, 1, now]]), now);
        const grid = map.layer("default")!;
        /** The tiles of the completed saves, and of the running one. */
        let stored = new Map<string, Uint8Array>();
        let taken = new Map<string, Uint8Array>();
        let moment = contents(map);
        grid.beginSave();
        const take = (tiles: number) => {
          for (let i = 0; i < tiles; i++) {
            const saved = nextSaved(grid);
            if (saved === undefined) return;
            taken.set(coordinatesOf(saved.bytes), saved.bytes);
          }
        };
        const check = () => {
          take(Infinity);
          grid.endSave(true);
          stored = new Map([...stored, ...taken]);
          const again = new OccupancyMap(AGEING);
          for (const bytes of stored.values()) {
            again.restoreTiles("default", bytes);
          }
          assert.deepEqual(contents(again), moment);
        };
        const begin = () => {
          taken = new Map();
          moment = contents(map);
          grid.beginSave();
        };
        for (const step of steps) {
          if ("rows" in step) {
            const rows = step.rows.map((
              [x, y, value],
            ): Reading => [x, y, value, now]);
            map.apply("default", columns(rows), now);
          } else if ("removed" in step) {
            const rows = step.removed.map(([x, y]): Reading => [x, y, 0, 0]);
            map.remove("default", columns(rows), now);
          } else if ("ms" in step) map.age(now += step.ms);
          else if ("tiles" in step) take(step.tiles);
          else {
            if (step.stored) check();
            else grid.endSave(false); // the next save must return its tiles again
            begin();
          }
        }
        check();
        begin();
        check();
      }),
      { numRuns: 300 },
    );
  },
});

function contents(map: OccupancyMap) {
  const grid = map.layer("default")!;
  return { cells: sorted(scanned(grid)), order: inOrder(grid) };
}
