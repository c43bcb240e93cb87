import assert from "node:assert/strict";
import fc from "fast-check";
import { type Grid, OccupancyMap } from "../../src/grid/mod.ts";
import {
  assertSame,
  columns,
  coordinatesOf,
  inOrder,
  Model,
  nextSaved,
  type Reading,
  removeLongUnknown,
  restored,
  scanned,
  sorted,
} from "./model.ts";

const START = 1_700_000_000_000;

/**
 * Most are in a few tiles around the origin, some far away, some at the limits
 * of int32.
 */
const coordinate = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -40, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: -2000, max: 2000 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-(2 ** 31), -(2 ** 31) + 1, 2 ** 31 - 1),
  },
);
const value = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -2, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(-(2 ** 31), 2 ** 31 - 1) },
);
const layer = fc.constantFrom("default", "level 1");
const region = fc.tuple(coordinate, coordinate, coordinate, coordinate)
  .map(([a, b, c, d]) => ({
    x0: Math.min(a, b),
    y0: Math.min(c, d),
    x1: Math.max(a, b),
    y1: Math.max(c, d),
  }));

/** Time relative to the clock: old, new, at the thresholds, too new. */
const lag = fc.oneof(
  fc.integer({ min: -120, max: 20 }),
  fc.constantFrom(-100, -101, -50, -51, 10, 11),
);
const reading = fc.tuple(coordinate, coordinate, value, lag);

type Command =
  | { kind: "apply"; layer: string; readings: Reading[] }
  | { kind: "fill"; x: number; y: number; cells: number }
  | { kind: "clock"; by: number }
  | { kind: "age" }
  | { kind: "age-tiles" }
  | { kind: "configure"; staleAfter: number; forgetAfter: number }
  | { kind: "delete"; layer: string }
  | { kind: "remove"; layer: string; removeAfter: number }
  | { kind: "save" }
  | { kind: "restart" };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("apply" as const),
      layer,
      readings: fc.array(reading, { maxLength: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("fill" as const),
      x: coordinate,
      y: coordinate,
      cells: fc.integer({ min: 1, max: 1024 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("clock" as const),
      by: fc.integer({ min: -60, max: 90 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: "age" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "age-tiles" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("configure" as const),
      staleAfter: fc.constantFrom(0, 30, 50, Infinity),
      forgetAfter: fc.constantFrom(20, 100, Infinity),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), layer }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("remove" as const),
      layer,
      removeAfter: fc.constantFrom(0, 1, 40, 100),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "save" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

/** Readings that fill the tile of a coordinate, from its first corner. */
function tileful(x: number, y: number, cells: number, time: number): Reading[] {
  return Array.from({ length: cells }, (_, i): Reading => {
    return [x & ~31 | i % 32, y & ~31 | Math.floor(i / 32), i % 3, time];
  });
}

Deno.test({
  name: "OccupancyMap equals a simple model after any sequence of calls",
  permissions: "none",
  fn() {
    const commands = fc.array(command, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(commands, region, fc.nat(30), (commands, region, back) => {
        const thresholds = { staleAfter: 50, forgetAfter: 100, maxSkew: 10 };
        const model = new Model(50, 100, 10);
        let map = new OccupancyMap(thresholds);
        const store = new Map<string, Map<string, Uint8Array>>();
        let grids = new Map<string, Grid>();
        const save = () => {
          for (const name of store.keys()) {
            const grid = map.layer(name);
            if (grid !== grids.get(name)) store.delete(name);
          }
          grids = new Map(map.layers());
          for (const [name, grid] of map.layers()) {
            const tiles = store.get(name) ?? new Map<string, Uint8Array>();
            store.set(name, tiles);
            grid.beginSave();
            for (let saved; (saved = nextSaved(grid));) {
              tiles.set(coordinatesOf(saved.bytes), saved.bytes);
            }
            grid.endSave(true);
            assert.equal(grid.beginSave(), 0);
            grid.endSave(true);
          }
        };
        let now = START;
        for (const command of commands) {
          switch (command.kind) {
            case "apply": {
              const readings = command.readings.map((
                [x, y, value, lag],
              ): Reading => [x, y, value, now + lag]);
              assert.deepEqual(
                map.apply(command.layer, columns(readings), now),
                model.apply(command.layer, readings, now),
              );
              break;
            }
            case "fill": {
              const { x, y, cells } = command;
              const readings = tileful(x, y, cells, now);
              assert.deepEqual(
                map.apply("default", columns(readings), now),
                model.apply("default", readings, now),
              );
              break;
            }
            case "clock":
              now += command.by;
              break;
            case "age":
              assert.equal(map.age(now), model.age(now));
              break;
            case "age-tiles":
              for (const [name, grid] of map.layers()) {
                const { tiles, next } = grid.dueTiles(0, now);
                assert.equal(next, undefined);
                assert.equal(
                  map.ageTiles(name, tiles, now),
                  model.ageTiles(name, tiles, now),
                );
              }
              break;
            case "configure":
              map.configure(command);
              model.staleAfter = command.staleAfter;
              model.forgetAfter = command.forgetAfter;
              assert.equal(map.age(now), model.age(now));
              break;
            case "delete": {
              const { layer } = command;
              const isDeleted = model.deleteLayer(layer, now);
              assert.equal(map.deleteLayer(layer, now), isDeleted);
              break;
            }
            case "remove": {
              const { layer, removeAfter } = command;
              assert.equal(
                removeLongUnknown(map, layer, now, removeAfter),
                model.remove(layer, now, removeAfter),
              );
              break;
            }
            case "save":
              save();
              break;
            case "restart": {
              save();
              const next = new OccupancyMap(map.ageing);
              for (const [name, tiles] of store) {
                const { began } = map.layer(name)!;
                for (const bytes of tiles.values()) {
                  next.restoreTiles(name, bytes, () => {}, began);
                }
                assert.equal(next.beganOf(name), began);
              }
              next.only.restoreRevision(map.revision, map.only.began);
              map = next;
              grids = new Map(map.layers());
              break;
            }
          }
          // The changes after an earlier revision, in a region.
          const since = Math.max(0, model.revision - back);
          for (const [name, grid] of map.layers()) {
            const changed = model.cells(name).filter((c) => c.revision > since);
            assert.deepEqual(
              sorted(scanned(grid, { since })),
              sorted(changed),
            );
            assert.deepEqual(
              sorted(scanned(grid, { since, region })),
              sorted(
                changed.filter(({ x, y }) =>
                  x >= region.x0 && x <= region.x1 &&
                  y >= region.y0 && y <= region.y1
                ),
              ),
            );
          }
        }
        assertSame(map, model);
      }),
      { numRuns: 400 },
    );
  },
});

Deno.test({
  name:
    "OccupancyMap does not depend on the order of arrival of timed readings",
  permissions: "none",
  fn() {
    // The times of a coordinate differ; a reading may arrive more than once.
    const timed = fc.uniqueArray(
      fc.tuple(
        fc.integer({ min: -20, max: 20 }),
        fc.integer({ min: -20, max: 20 }),
        value,
        fc.integer({ min: -200, max: 0 }),
      ),
      {
        minLength: 1,
        maxLength: 300,
        selector: ([x, y, , lag]) => `${x},${y},${lag}`,
      },
    );
    const shuffled = timed.chain((readings) =>
      fc.tuple(
        fc.constant(readings),
        fc.shuffledSubarray([...readings, ...readings], {
          minLength: 2 * readings.length,
        }),
        fc.integer({ min: 1, max: 50 }),
      )
    );
    const state = (map: OccupancyMap) => {
      const grid = map.layer("default");
      assert.ok(grid);
      return sorted(scanned(grid)).map(({ x, y, value, time, freshness }) => [
        x,
        y,
        value,
        time,
        freshness,
      ]);
    };
    fc.assert(
      fc.property(shuffled, ([once, often, batch]) => {
        const at = ([x, y, v, lag]: Reading): Reading => [x, y, v, START + lag];
        const one = new OccupancyMap({ staleAfter: 50, forgetAfter: 100 });
        const two = new OccupancyMap({ staleAfter: 50, forgetAfter: 100 });
        one.apply("default", columns(once.map(at)), START);
        for (let i = 0; i < often.length; i += batch) {
          const part = often.slice(i, i + batch).map(at);
          two.apply("default", columns(part), START);
        }
        assert.deepEqual(state(two), state(one));
      }),
      { numRuns: 100 },
    );
  },
});

Deno.test({
  name: "OccupancyMap is the same after two orders of 10,000 timed readings",
  permissions: "none",
  fn() {
    const readings = Array.from({ length: 10_000 }, (_, i): Reading => [
      (i * 7919) % 61 - 30,
      (i * 104_729) % 59 - 30,
      i % 4,
      START - i,
    ]);
    const end = (order: Reading[]) => {
      const map = new OccupancyMap({ staleAfter: 1000 });
      map.apply("default", columns(order), START);
      const grid = map.layer("default");
      assert.ok(grid);
      return sorted(scanned(grid)).map((cell) => ({ ...cell, revision: 0 }));
    };
    const mixed = readings.toSorted((a, b) =>
      (a[3] * 31) % 97 - (b[3] * 31) % 97
    );
    assert.deepEqual(end(mixed), end(readings));
    assert.deepEqual(end([...mixed, ...readings]), end(readings));
  },
});

Deno.test({
  name: "OccupancyMap with restored tiles behaves as without a restart",
  permissions: "none",
  fn() {
    const batch = fc.array(reading, { maxLength: 60 });
    fc.assert(
      fc.property(batch, batch, fc.nat(200), (before, after, later) => {
        const at = (now: number) => ([x, y, v, lag]: Reading): Reading => [
          x,
          y,
          v,
          now + lag,
        ];
        const options = { staleAfter: 50, forgetAfter: 100, maxSkew: 10 };
        const map = new OccupancyMap(options);
        map.apply("default", columns(before.map(at(START))), START);
        const again = restored(map, new OccupancyMap(options));
        const now = START + later;
        for (const each of [map, again]) {
          each.apply("default", columns(after.map(at(now))), now);
          each.age(now + 30);
        }
        assert.equal(again.revision, map.revision);
        const [one, two] = [map.layer("default"), again.layer("default")];
        assert.deepEqual(two && inOrder(two), one && inOrder(one));
        assert.deepEqual(two?.counts(), one?.counts());
      }),
      { numRuns: 100 },
    );
  },
});
