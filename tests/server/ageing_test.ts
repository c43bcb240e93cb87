import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { ageingEntries } from "../../src/server/ageing.ts";
import { applyEntry, type Entry } from "../../src/store/store.ts";
import { columns } from "../grid/model.ts";

const NOW = 1_700_000_000_000;
const LATER = NOW + 1000;
const { test } = Deno;

/** Applies the entries list by list, and returns them. */
function age(map: OccupancyMap, now: number): Entry[] {
  const all: Entry[] = [];
  for (const entries of ageingEntries(map, now)) {
    for (const entry of entries ?? []) {
      applyEntry(map, entry);
      all.push(entry);
    }
  }
  return all;
}

/** Adds a layer with a cell in each of some tiles. */
function addLayer(map: OccupancyMap, name: string, tiles: number): void {
  const readings = Array.from(
    { length: tiles },
    (_, i) => [32 * (i % 100), 32 * Math.floor(i / 100), 1, NOW] as const,
  );
  map.apply(name, columns(readings), NOW);
}

test("a map with one shard has one entry, which names no shard", () => {
  const map = new OccupancyMap({ staleAfter: 100 });
  addLayer(map, "a", 3);
  assert.deepEqual(age(map, LATER), [{ kind: "age", now: LATER }]);
});

test("each shard with due cells has an entry that names it, others have none", () => {
  const map = new OccupancyMap({ staleAfter: 100 }, { shards: 16 });
  const names = ["a", "b", "c"];
  for (const name of names) addLayer(map, name, 3);
  const shards = new Set(names.map((name) => map.shardOf(name)));
  const before = map.shards.map(({ revision }) => revision);
  assert.deepEqual(
    age(map, LATER),
    [...shards].sort((a, b) => a - b)
      .map((shard) => ({ kind: "age", now: LATER, shard })),
  );
  for (const name of names) assert.equal(map.layer(name)!.counts().stale, 3);
  for (const [i, { revision }] of map.shards.entries()) {
    assert.equal(revision, before[i]! + Number(shards.has(i)));
  }
  assert.deepEqual(age(map, LATER), []);
});

test("many tiles of several shards are aged in lists of at most 16 entries", () => {
  const map = new OccupancyMap({ staleAfter: 100 }, { shards: 4 });
  const names = Array.from({ length: 40 }, (_, i) => `level ${i}`);
  for (const name of names) addLayer(map, name, 5000);
  let lists = 0;
  for (const entries of ageingEntries(map, LATER)) {
    if (entries === undefined) continue;
    lists++;
    assert.ok(entries.length <= 16);
    for (const entry of entries) applyEntry(map, entry);
  }
  assert.ok(lists > 2, `${lists} lists`);
  assert.equal(map.isDue(LATER), false);
  for (const name of names) assert.equal(map.layer(name)!.counts().stale, 5000);
});

test("after a change of thresholds every shard is aged", () => {
  const map = new OccupancyMap({}, { shards: 4 });
  map.configure({ staleAfter: 100 });
  assert.deepEqual(
    age(map, NOW),
    [0, 1, 2, 3].map((shard) => ({ kind: "age", now: NOW, shard })),
  );
});
