import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, type Entry, shardOfEntry } from "../../src/store/store.ts";
import { contentsOfShard, readingsEntry } from "./support.ts";

const START = 1_700_000_000_000;
const SHARDS = 16;
const AGEING = { staleAfter: 50, forgetAfter: 100, maxSkew: 10 };
const LAYERS = Array.from({ length: 30 }, (_, i) => `level ${i}`);
const { test } = Deno;

type Make = (now: number, map: OccupancyMap) => Entry | undefined;

const layer = fc.constantFrom(...LAYERS);
const shard = fc.option(fc.nat(SHARDS - 1), { nil: undefined });
const cell = fc.tuple(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -1, max: 2 }),
);
const step: fc.Arbitrary<Make> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(layer, fc.array(cell, { minLength: 1, maxLength: 5 }))
      .map(([layer, rows]) => (now: number) => readingsEntry(now, rows, layer)),
  },
  {
    weight: 3,
    arbitrary: shard.map((shard) => (now: number) => ({
      kind: "age" as const,
      now,
      ...(shard !== undefined && { shard }),
    })),
  },
  fc.tuple(shard, fc.constantFrom(20, 50, Infinity)).map((
    [shard, staleAfter],
  ) =>
  (now: number) => ({
    kind: "configure" as const,
    now,
    ageing: { ...AGEING, staleAfter },
    ...(shard !== undefined && { shard }),
  })),
  layer.map((layer) => (now: number) => ({
    kind: "delete" as const,
    now,
    layer,
  })),
  layer.map((layer) => (now: number, map: OccupancyMap) => {
    const tiles = map.layer(layer)?.dueTiles(0, now).tiles;
    return tiles && { kind: "age-tiles" as const, now, layer, tiles };
  }),
  layer.map((layer) => (now: number, map: OccupancyMap) => {
    const found = map.layer(layer)?.longUnknown(0, now, AGEING, 0);
    return found && { kind: "remove" as const, now, layer, cells: found.cells };
  }),
);

test({
  name: "a map with 16 shards equals 16 maps that are fed per shard",
  permissions: "none",
  fn() {
    const history = fc.array(fc.tuple(step, fc.integer({ min: -5, max: 60 })), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(history, (history) => {
        const map = new OccupancyMap(AGEING, { shards: SHARDS });
        const singles = Array.from(
          { length: SHARDS },
          () => new OccupancyMap(AGEING),
        );
        let now = START;
        for (const [make, by] of history) {
          now += by;
          const entry = make(now, map);
          if (entry === undefined) continue;
          const number = shardOfEntry(map, entry);
          applyEntry(map, entry);
          for (const [i, single] of singles.entries()) {
            if (number === undefined || number === i) {
              applyEntry(single, entry, 0);
            }
          }
        }
        assert.deepEqual(
          map.shards.map(contentsOfShard),
          singles.map(({ only }) => contentsOfShard(only)),
        );
        assert.deepEqual(
          [map.revision, map.size, map.layerCount, map.isDue(now)],
          [
            singles.reduce((sum, { revision }) => sum + revision, 0),
            singles.reduce((sum, { size }) => sum + size, 0),
            singles.reduce((sum, { layerCount }) => sum + layerCount, 0),
            singles.some((single) => single.isDue(now)),
          ],
        );
      }),
      { numRuns: 200 },
    );
  },
});

test("an entry without a layer applies to the given shard, its own, or all", () => {
  const staleAfters = (entry: Entry, shard?: number) => {
    const map = new OccupancyMap({}, { shards: 3 });
    applyEntry(map, entry, shard);
    return map.shards.map(({ ageing }) => ageing.staleAfter);
  };
  const entry = {
    kind: "configure",
    now: START,
    ageing: { ...AGEING, staleAfter: 7 },
  } as const;
  assert.deepEqual(staleAfters(entry), [7, 7, 7]);
  assert.deepEqual(staleAfters(entry, 1), [Infinity, 7, Infinity]);
  assert.deepEqual(staleAfters({ ...entry, shard: 2 }), [
    Infinity,
    Infinity,
    7,
  ]);
});
