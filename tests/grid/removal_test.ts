/** Layers are deleted, and cells that have been unknown for long are removed. */
import assert from "node:assert/strict";
import { CellRows, OccupancyMap, TileStatus } from "../../src/grid/mod.ts";
import {
  columns,
  inOrder,
  type Reading,
  removeLongUnknown,
  restored,
  scanned,
} from "./model.ts";

const NOW = 1_700_000_000_000;

function apply(map: OccupancyMap, now: number, ...readings: Reading[]) {
  return map.apply("default", columns(readings), now);
}

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

test("deleteLayer() removes the layer at a new revision", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, 1, NOW]);
  assert.equal(map.deleteLayer("other", NOW), false);
  assert.equal(map.revision, 1);
  assert.equal(map.deleteLayer("default", NOW), true);
  assert.equal(map.revision, 2);
  assert.equal(map.layer("default"), undefined);
  assert.equal(map.layerCount, 0);
  apply(map, NOW, [2, 2, 1, NOW]);
  assert.deepEqual(inOrder(map.layer("default")!).map(({ x }) => x), [2]);
  assert.equal(map.revision, 3);
});

test("beganOf() differs before and after a deletion, also with the clock set back", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, 1, NOW]);
  map.apply("kept", columns([[1, 1, 1, NOW]]), NOW);
  assert.equal(map.beganOf("default"), undefined);
  assert.equal(map.beganOf("none"), undefined);
  const seen = new Set<number | undefined>([undefined]);
  for (const now of [NOW, NOW, NOW + 5.5, NOW - 1000]) {
    map.deleteLayer("default", now);
    assert.ok(!seen.has(map.beganOf("default")));
    seen.add(map.beganOf("default"));
    apply(map, now, [1, 1, 1, now]);
    assert.equal(map.beganOf("default"), map.only.began);
  }
  assert.equal(map.beganOf("kept"), undefined);
});

test("begin() identifies a map that is not stored", () => {
  const map = new OccupancyMap();
  map.begin(NOW);
  apply(map, NOW, [1, 1, 1, NOW]);
  assert.equal(map.beganOf("default"), NOW);
  map.deleteLayer("default", NOW - 10);
  assert.equal(map.beganOf("default"), NOW + 1);
});

test("remove() removes only cells that are shown as unknown", () => {
  const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 1000 });
  apply(
    map,
    NOW,
    [1, 1, -1, NOW],
    [2, 1, 0, NOW],
    [3, 1, 7, NOW - 500],
    [4, 1, 3, NOW - 2000],
    [99, 1, -2, NOW],
  );
  const all = columns([1, 2, 3, 4, 5, 99].map((x) => [x, 1, 0, 0]));
  assert.equal(map.remove("default", all, NOW), 3);
  const grid = map.layer("default")!;
  assert.deepEqual(inOrder(grid).map(({ x }) => x), [2, 3]);
  assert.deepEqual(grid.counts(), {
    cells: 2,
    free: 1,
    occupied: 0,
    unknown: 0,
    stale: 1,
    people: 0,
  });
  assert.equal(map.revision, 2);
  assert.equal(grid.revision, 1, "the other cells have not changed");
  assert.deepEqual(scanned(grid, { since: 1 }), []);
  assert.equal(map.remove("default", all, NOW), 0);
  assert.equal(map.remove("none", all, NOW), 0);
  assert.equal(map.revision, 2);
});

test("changedTiles() returns tiles whose cells changed or were removed", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, -1, NOW], [2, 1, 4, NOW], [99, 1, 0, NOW]);
  apply(map, NOW, [-1, -1, 1, NOW]);
  const grid = map.layer("default")!;
  const changed = (since: number) =>
    grid.changedTiles(since, 3)?.map((tile) => grid.tileAt(tile)!);
  assert.deepEqual(changed(1), [{ tx: -1, ty: -1 }]);
  assert.deepEqual(changed(2), []);
  assert.equal(changed(0), undefined, "as many tiles as the limit");
  map.remove("default", columns([[1, 1, 0, 0]]), NOW);
  assert.deepEqual(changed(2), [{ tx: 0, ty: 0 }]);
  map.remove("default", columns([[2, 1, 0, 0]]), NOW);
  assert.deepEqual(changed(3), [], "a known cell is not removed");
  const status = new TileStatus();
  grid.readTile(0, status, true);
  const key = 1 << 5 | 2;
  assert.deepEqual([...status.present.subarray(0, 3)], [0, 1 << 2, 0]);
  assert.deepEqual([status.value[key], status.time[key]], [4, NOW]);
});

test("remove() deletes a layer with its last cell", () => {
  const map = new OccupancyMap();
  apply(map, NOW, [1, 1, -1, NOW]);
  assert.equal(map.remove("default", columns([[1, 1, 0, 0]]), NOW + 7), 1);
  assert.equal(map.layer("default"), undefined);
  assert.equal(map.revision, 2);
  assert.equal(map.only.began, NOW + 7);
});

test("longUnknown() finds cells from the last reading or the end of a known value", () => {
  const map = new OccupancyMap({ forgetAfter: 1000 });
  apply(map, NOW, [1, 1, -1, NOW], [2, 1, 5, NOW], [3, 1, -1, NOW]);
  const found = (now: number) => {
    map.age(now);
    const { cells, next } = map.layer("default")!.longUnknown(
      0,
      now,
      map.ageing,
      300,
    );
    assert.equal(next, undefined);
    return [...cells.x.subarray(0, cells.length)].sort();
  };
  assert.deepEqual(found(NOW + 300), []);
  assert.deepEqual(found(NOW + 301), [1, 3]);
  apply(map, NOW + 301, [3, 1, -1, NOW + 301]); // still reported
  assert.deepEqual(found(NOW + 302), [1]);
  assert.deepEqual(found(NOW + 1300), [1, 3]);
  assert.deepEqual(found(NOW + 1301), [1, 2, 3]);
});

test("a layer keeps its memory when its cells are removed and reported again", () => {
  const map = new OccupancyMap();
  const rows = (value: number): Reading[] =>
    Array.from({ length: 5000 }, (_, i) => [i * 7, i % 50, value, NOW]);
  apply(map, NOW, [-100, 0, 1, NOW], ...rows(-1));
  const grid = () => map.layer("default")!;
  const { bytes } = grid();
  for (let times = 0; times < 20; times++) {
    assert.equal(removeLongUnknown(map, "default", NOW + 1, 0), 5000);
    assert.equal(grid().size, 1);
    apply(map, NOW, ...rows(-1));
  }
  assert.equal(grid().size, 5001);
  const after = grid().bytes;
  assert.ok(after <= 1.5 * bytes, `${bytes} bytes became ${after}`);
});

test("a layer with few cells left frees the memory of its empty tiles", () => {
  const map = new OccupancyMap({ forgetAfter: 1e6 });
  const scattered = Array.from({ length: 20_000 }, (_, i): Reading => {
    return [i * 33, i * 65, i % 100 === 0 ? 3 : -1, NOW + (i % 7)];
  });
  apply(map, NOW + 10, ...scattered);
  apply(map, NOW + 10, [0, 0, 4, NOW + 10]);
  const before = map.layer("default")!;
  const contents = () => {
    const grid = map.layer("default")!;
    return inOrder(grid).filter(({ value }) => value >= 0);
  };
  const known = contents();
  const counts = before.counts();
  const { usedBytes } = before;
  using snapshot = before.snapshot();
  assert.equal(removeLongUnknown(map, "default", NOW + 1000, 100), 19_800);
  const grid = map.layer("default")!;
  assert.ok(grid.usedBytes < usedBytes / 20, `${grid.usedBytes} bytes`);
  assert.deepEqual(contents(), known);
  assert.deepEqual(
    scanned(grid, { since: 1 }).map(({ x, value }) => [x, value]),
    [[0, 4]],
  );
  assert.deepEqual(grid.counts(), {
    ...counts,
    cells: 200,
    unknown: 0,
  });
  const saved = restored(map, new OccupancyMap(map.ageing));
  assert.deepEqual(inOrder(saved.layer("default")!), known);
  // A reader from before reads on.
  const rows = new CellRows();
  let read = 0;
  for (let count; (count = snapshot.readTile(rows)) !== undefined;) {
    read += count;
  }
  assert.equal(read, 20_000);
  apply(map, NOW + 2000, [33, 65, 9, NOW + 2000]);
  map.age(NOW + 2e6);
  assert.equal(map.layer("default")!.counts().unknown, 201);
});

test("a scattered layer of a million unknown cells is removed in slices", () => {
  const map = new OccupancyMap();
  const count = 1_000_000;
  const batch = {
    length: count,
    x: Int32Array.from({ length: count }, (_, i) => 33 * (i % 1000)),
    y: Int32Array.from({ length: count }, (_, i) => 33 * Math.floor(i / 1000)),
    value: new Int32Array(count).fill(-1),
    time: new Float64Array(count).fill(NOW),
  };
  map.apply("default", batch, NOW);
  let slices = 0;
  let from = 0;
  for (let grid; (grid = map.layer("default")) !== undefined;) {
    const { cells, next } = grid.longUnknown(from, NOW + 1, map.ageing, 0);
    assert.ok(cells.length <= 4096);
    map.remove("default", cells, NOW + 1);
    from = next ?? 0;
    slices++;
  }
  assert.equal(map.size, 0);
  assert.ok(slices < 400, `${slices} slices`);
});
