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

/** Adds a layer of full tiles, in a row. */
function addFullTiles(map: OccupancyMap, name: string, tiles: number): void {
  for (let y = 0; y < 32; y++) {
    const row = Array.from(
      { length: 32 * tiles },
      (_, x) => [x, y, 1, NOW] as const,
    );
    map.apply(name, columns(row), NOW);
  }
}

test("after the clock was set back, many cells are checked in parts, each once", () => {
  const map = new OccupancyMap({ staleAfter: 100 });
  addFullTiles(map, "a", 500);
  for (let round = 1; round <= 3; round++) {
    age(map, LATER);
    assert.equal(map.layer("a")!.counts().stale, 512_000);
    const entries = age(map, NOW + round);
    const tiles = entries.map((entry) =>
      entry.kind === "age-tiles" ? entry.tiles.length : 0
    );
    assert.equal(tiles.reduce((sum, count) => sum + count), 500);
    assert.ok(Math.max(...tiles) <= 32, "32 Ki cells take a millisecond");
    assert.equal(tiles.at(-1), 0);
    assert.equal(map.layer("a")!.counts().stale, 0);
    assert.equal(map.isDue(NOW + round), false);
  }
});

test("the entry after the parts takes no time, unless the layer has changed", () => {
  const map = new OccupancyMap({ staleAfter: 100 });
  addFullTiles(map, "a", 500);
  const measure = (work: () => void) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const all: number[] = [];
  const rest: number[] = [];
  for (let round = 1; round <= 5; round++) {
    const now = NOW - round;
    age(map, LATER);
    all.push(measure(() => map.age(now)));
    age(map, LATER);
    for (const entries of ageingEntries(map, now)) {
      for (const entry of entries ?? []) {
        const ms = measure(() => applyEntry(map, entry));
        if (entry.kind === "age") rest.push(ms);
      }
    }
  }
  const [fastest, slowest] = [Math.min(...rest), Math.min(...all)];
  assert.ok(fastest < slowest / 5, `${fastest} ms of ${slowest} ms`);
});

test("a reading between the parts and the last entry is aged too", () => {
  const map = new OccupancyMap({ staleAfter: 100 });
  addFullTiles(map, "a", 40);
  age(map, LATER);
  let changed = false;
  for (const entries of ageingEntries(map, NOW)) {
    for (const entry of entries ?? []) {
      if (entry.kind === "age") {
        // Stale at its own time, fresh at the time of the entry.
        map.apply("a", columns([[5, 5, 1, NOW + 1]]), LATER);
        assert.equal(map.layer("a")!.counts().stale, 1);
        changed = true;
      }
      applyEntry(map, entry);
    }
  }
  assert.ok(changed);
  assert.equal(map.layer("a")!.counts().stale, 0);
});
