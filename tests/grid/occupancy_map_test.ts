import assert from "node:assert/strict";
import { Freshness, OccupancyMap } from "../../src/grid/mod.ts";
import { columns, inOrder, type Reading, tilesToSave } from "./model.ts";

const NOW = 1_700_000_000_000;

/** Applies readings to the layer "default". */
function apply(map: OccupancyMap, now: number, ...readings: Reading[]) {
  return map.apply("default", columns(readings), now);
}

function cell(map: OccupancyMap, x: number, y: number) {
  return map.layer("default")?.get(x, y);
}

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

test("OccupancyMap() is empty, at revision 0", () => {
  const map = new OccupancyMap();
  assert.equal(map.revision, 0);
  assert.equal(map.size, 0);
  assert.equal(map.layer("default"), undefined);
  assert.deepEqual([...map.layers()], []);
  assert.deepEqual(map.ageing, {
    staleAfter: Infinity,
    forgetAfter: Infinity,
    maxSkew: 60_000,
  });
});

test("OccupancyMap() throws RangeError if a threshold is not a duration", () => {
  for (const bad of [-1, NaN, -Infinity]) {
    assert.throws(() => new OccupancyMap({ staleAfter: bad }), {
      name: "RangeError",
      message: `Cannot use staleAfter ${bad}: expected milliseconds, 0 or more`,
    });
    assert.throws(() => new OccupancyMap({ forgetAfter: bad }), RangeError);
    assert.throws(() => new OccupancyMap({ maxSkew: bad }), RangeError);
    assert.throws(
      () => new OccupancyMap().configure({ maxSkew: bad }),
      RangeError,
    );
  }
});

test("apply() keeps the later observation when two clients overlap", () => {
  const one: Reading[] = [[1, 2, 0, NOW], [1, 3, 1, NOW], [2, 2, 0, NOW]];
  const two: Reading[] = [[1, 2, 1, NOW + 1], [2, 2, 1, NOW + 1], [
    4,
    4,
    1,
    NOW + 1,
  ]];
  for (const [first, second] of [[one, two], [two, one]] as const) {
    const map = new OccupancyMap();
    apply(map, NOW + 1, ...first);
    apply(map, NOW + 1, ...second);
    assert.equal(cell(map, 1, 2)?.value, 1);
    assert.equal(cell(map, 1, 3)?.value, 1);
    assert.equal(cell(map, 2, 2)?.value, 1);
    assert.equal(cell(map, 4, 4)?.value, 1);
    assert.equal(map.size, 4);
  }
});

test("apply() drops and counts late readings; of equal times it keeps the last", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, 5, NOW - 10]);
  assert.deepEqual(apply(map, NOW, [1, 1, 6, NOW - 11]), {
    changed: 0,
    renewed: 0,
    late: 1,
    future: 0,
  });
  assert.equal(map.revision, 1);
  apply(map, NOW, [1, 1, 7, NOW - 10], [1, 1, 8, NOW - 10]);
  assert.equal(cell(map, 1, 1)?.value, 8);
  assert.equal(map.revision, 2);
});

test("apply() drops and counts future readings, and creates no layer for them", () => {
  const map = new OccupancyMap({ maxSkew: 100 });
  const result = apply(map, NOW, [1, 1, 1, NOW + 101], [1, 1, 1, NaN]);
  assert.deepEqual(result, { changed: 0, renewed: 0, late: 0, future: 2 });
  assert.equal(map.layer("default"), undefined);
  assert.equal(apply(map, NOW, [1, 1, 1, NOW + 100]).changed, 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Fresh);
});

test("apply() increases the revision once for a batch, for changed cells only", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, 1, NOW], [2, 2, 1, NOW]);
  assert.equal(map.revision, 1);
  const result = apply(map, NOW + 5, [1, 1, 1, NOW + 5], [2, 2, 0, NOW + 5]);
  assert.deepEqual(result, { changed: 1, renewed: 1, late: 0, future: 0 });
  assert.equal(map.revision, 2);
  assert.deepEqual(cell(map, 1, 1), {
    x: 1,
    y: 1,
    value: 1,
    time: NOW + 5,
    revision: 1,
    freshness: Freshness.Fresh,
  });
  assert.equal(cell(map, 2, 2)?.revision, 2);
  apply(map, NOW + 9, [1, 1, 1, NOW + 9]);
  assert.equal(map.revision, 2);
});

test("apply() uses one revision for all layers", () => {
  const map = new OccupancyMap();
  map.apply("a", columns([[0, 0, 1, NOW]]), NOW);
  map.apply("b", columns([[0, 0, 2, NOW]]), NOW);
  assert.equal(map.revision, 2);
  assert.equal(map.layer("a")?.revision, 1);
  assert.equal(map.layer("b")?.revision, 2);
  assert.deepEqual(Array.from(map.layers(), ([name]) => name), ["a", "b"]);
});

test("apply() keeps a cell stale if the newer reading is stale on arrival", () => {
  const map = new OccupancyMap({ staleAfter: 100 });
  apply(map, NOW, [1, 1, 1, NOW]);
  assert.equal(map.age(NOW + 500), 1);
  assert.deepEqual(apply(map, NOW + 500, [1, 1, 1, NOW + 300]).renewed, 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Stale);
  assert.equal(map.revision, 2);
  assert.equal(apply(map, NOW + 500, [1, 1, 1, NOW + 450]).changed, 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Fresh);
  assert.equal(map.revision, 3);
});

test("apply() throws RangeError if the clock or the columns are invalid", () => {
  const map = new OccupancyMap();
  const batch = columns([[1, 1, 1, NOW]]);
  for (const now of [NaN, Infinity, -Infinity]) {
    assert.throws(() => map.apply("default", batch, now), RangeError);
    assert.throws(() => map.age(now), RangeError);
  }
  for (const length of [2, -1, 0.5, NaN]) {
    assert.throws(
      () => map.apply("default", { ...batch, length }, NOW),
      RangeError,
    );
  }
  assert.equal(map.size, 0);
});

test("age() makes cells stale, then forgotten, 1 ms after the thresholds", () => {
  const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 300 });
  apply(map, NOW, [1, 1, 3, NOW], [2, 2, 0, NOW + 50], [3, 3, -1, NOW]);
  const grid = map.layer("default");
  const free = {
    cells: 3,
    free: 1,
    occupied: 1,
    unknown: 1,
    stale: 0,
    people: 3,
  };
  assert.deepEqual(grid?.counts(), free);
  assert.equal(map.age(NOW + 100), 0);
  assert.equal(map.age(NOW + 101), 1);
  assert.equal(map.revision, 2);
  assert.equal(cell(map, 1, 1)?.value, 3);
  const stale = {
    cells: 3,
    free: 1,
    occupied: 0,
    unknown: 1,
    stale: 1,
    people: 0,
  };
  assert.deepEqual(grid?.counts(), stale);
  assert.equal(map.age(NOW + 300), 1);
  assert.equal(map.age(NOW + 301), 1);
  assert.equal(cell(map, 1, 1)?.value, -1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Forgotten);
  assert.deepEqual(inOrder(grid!).map((c) => c.value), [-1, 0, -1]);
  assert.equal(map.age(NOW + 1e6), 1);
  assert.equal(grid?.counts().unknown, 3);
  assert.equal(map.age(NOW + 1e9), 0);
});

test("an unknown cell keeps its value and its revision when it becomes stale or is forgotten", () => {
  const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 300 });
  apply(map, NOW, [1, 1, -7, NOW], [1, 2, -1, NOW]);
  for (const later of [NOW + 101, NOW + 301]) {
    assert.equal(map.age(later), 0);
    assert.equal(map.revision, 1);
    assert.equal(cell(map, 1, 1)?.value, -7);
    const values = inOrder(map.layer("default")!).map(({ value }) => value);
    assert.deepEqual(values, [-7, -1]);
    assert.equal(map.layer("default")!.counts().stale, 0);
  }
  // The same value again: only the time is new.
  const again = apply(map, NOW + 400, [1, 1, -7, NOW + 400]);
  assert.deepEqual([again.changed, again.renewed], [0, 1]);
  assert.equal(map.revision, 1);
  assert.equal(cell(map, 1, 1)?.time, NOW + 400);
  assert.equal(apply(map, NOW + 400, [1, 1, -8, NOW + 400]).changed, 1);
});

test("a forgotten cell that is reported as -1 has no new revision, and is -1", () => {
  const map = new OccupancyMap({ forgetAfter: 10 });
  apply(map, NOW, [1, 1, 3, NOW]);
  assert.equal(map.age(NOW + 11), 1);
  assert.equal(cell(map, 1, 1)?.value, -1);
  const result = apply(map, NOW + 20, [1, 1, -1, NOW + 20]);
  assert.deepEqual([result.changed, result.renewed, map.revision], [0, 1, 2]);
  map.age(NOW + 5); // the clock is set back: the 3 does not return
  assert.equal(cell(map, 1, 1)?.value, -1);
});

test("age() forgets fresh cells at once if only forgetAfter is set", () => {
  const map = new OccupancyMap({ forgetAfter: 10 });
  apply(map, NOW, [1, 1, 3, NOW]);
  assert.equal(map.age(NOW + 11), 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Forgotten);
});

test("age() restores the old value when the clock is set back", () => {
  const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 300 });
  apply(map, NOW, [1, 1, 3, NOW], [900, 900, 1, NOW - 150]);
  map.age(NOW + 1_000_000);
  assert.equal(cell(map, 1, 1)?.value, -1);
  assert.equal(map.age(NOW + 10), 2);
  assert.equal(cell(map, 1, 1)?.value, 3);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Fresh);
  assert.equal(cell(map, 900, 900)?.freshness, Freshness.Stale);
});

test("age() makes a renewed cell stale again", () => {
  const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 10_000 });
  apply(map, NOW, [1, 1, 1, NOW]);
  assert.equal(map.age(NOW + 101), 1);
  assert.equal(apply(map, NOW + 102, [1, 1, 1, NOW + 102]).changed, 1);
  assert.equal(map.age(NOW + 202), 0);
  assert.equal(map.age(NOW + 203), 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Stale);
});

test("age() corrects the freshness if the clock is set back after apply()", () => {
  const map = new OccupancyMap({ staleAfter: 100 });
  map.age(NOW);
  apply(map, NOW + 5000, [1, 1, 1, NOW]);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Stale);
  assert.equal(map.age(NOW + 1), 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Fresh);
});

test("configure() takes effect at the next age() and keeps other thresholds", () => {
  const map = new OccupancyMap({ staleAfter: 100, maxSkew: 7 });
  apply(map, NOW, [1, 1, 3, NOW]);
  map.age(NOW + 200);
  map.configure({ staleAfter: 1000, forgetAfter: 2000 });
  assert.deepEqual(map.ageing, {
    staleAfter: 1000,
    forgetAfter: 2000,
    maxSkew: 7,
  });
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Stale);
  assert.equal(map.age(NOW + 200), 1);
  assert.equal(cell(map, 1, 1)?.freshness, Freshness.Fresh);
  assert.equal(map.age(NOW + 1001), 1);
});

test("restoreTiles() and restoreRevision() continue at the stored revision", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, 1, NOW], [99, 1, 1, NOW]);
  apply(map, NOW, [99, 1, 2, NOW]);
  const grid = map.layer("default")!;
  const again = new OccupancyMap();
  for (const { bytes } of tilesToSave(grid)) {
    assert.equal(again.restoreTiles("default", bytes), 1);
  }
  assert.equal(again.revision, 2);
  assert.deepEqual(tilesToSave(again.layer("default")!), []);
  again.only.restoreRevision(10);
  apply(again, NOW, [1, 1, 5, NOW]);
  assert.equal(again.revision, 11);
  for (const bad of [10, -1, 11.5, NaN, 2 ** 53]) {
    assert.throws(() => again.only.restoreRevision(bad), RangeError);
  }
});

test("restoreTiles() restores a sequence of tiles and skips existing ones", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, 1, NOW], [99, 1, 3, NOW]);
  const grid = map.layer("default")!;
  const bytes = new Uint8Array(
    tilesToSave(grid).flatMap(({ bytes }) => [...bytes]),
  );
  const again = new OccupancyMap();
  apply(again, NOW, [1, 1, 2, NOW]);
  const numbers: number[] = [];
  const restore = () =>
    again.restoreTiles("default", bytes, (tile) => numbers.push(tile));
  assert.equal(restore(), 2);
  assert.equal(restore(), 2);
  assert.deepEqual(numbers, [1]);
  assert.equal(cell(again, 1, 1)?.value, 2);
  assert.equal(cell(again, 99, 1)?.value, 3);
  assert.equal(again.layer("default")!.counts().people, 5);
});
