import assert from "node:assert/strict";
import { type Grid, OccupancyMap } from "../../src/grid/mod.ts";
import { randomIntegers } from "../support/random.ts";
import {
  columns,
  coordinatesOf,
  inOrder,
  type Reading,
  restored,
  scanned,
  tilesToSave,
} from "./model.ts";

const NOW = 1_700_000_000_000;
const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;
/** Seed of the random integers. */
const SEED = 2_463_534_242;

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

/** A map whose layer "default" has these readings. */
function mapOf(readings: readonly Reading[]): [OccupancyMap, Grid] {
  const map = new OccupancyMap();
  map.apply("default", columns(readings), NOW);
  return [map, map.layer("default")!];
}

/** A rectangle of cells with value 1. */
function block(
  x0: number,
  y0: number,
  width: number,
  height: number,
): Reading[] {
  return Array.from({ length: width * height }, (_, i): Reading => [
    x0 + i % width,
    y0 + Math.floor(i / width),
    1,
    NOW,
  ]);
}

test("get() finds cells at the limits of int32, and nothing beyond", () => {
  const corners = [MIN, MIN + 1, -33, -32, -1, 0, 31, 32, MAX - 1, MAX];
  const readings = corners.flatMap((y) =>
    corners.map((x): Reading => [x, y, x ^ y, NOW])
  );
  const [, grid] = mapOf(readings);
  assert.equal(grid.size, 100);
  for (const [x, y, value] of readings) {
    const cell = grid.get(x, y);
    assert.deepEqual([cell?.x, cell?.y, cell?.value], [x, y, value]);
  }
  assert.deepEqual(
    inOrder(grid).map(({ x, y }) => [x, y]),
    readings.map(([x, y]) => [x, y]),
  );
  assert.equal(grid.get(1, 1), undefined);
  assert.equal(grid.get(0.5, 0), undefined);
  assert.equal(grid.get(2 ** 32, 0), undefined);
  assert.equal(grid.get(NaN, 0), undefined);
});

test("scan() accepts regions up to and beyond the limits of int32", () => {
  const [, grid] = mapOf([[MIN, MIN, 1, NOW], [0, 0, 2, NOW], [
    MAX,
    MAX,
    3,
    NOW,
  ]]);
  const values = (x0: number, y0: number, x1: number, y1: number) =>
    scanned(grid, { region: { x0, y0, x1, y1 } }).map(({ value }) => value)
      .sort();
  assert.deepEqual(values(MIN, MIN, MAX, MAX), [1, 2, 3]);
  assert.deepEqual(values(-Infinity, -Infinity, Infinity, Infinity), [1, 2, 3]);
  assert.deepEqual(values(MIN, MIN, MIN, MIN), [1]);
  assert.deepEqual(values(MAX, MAX, MAX, MAX), [3]);
  assert.deepEqual(values(MAX + 1, 0, MAX + 9, 0), []);
  assert.deepEqual(values(0.2, 0, 0.8, 0), []);
  assert.deepEqual(values(-0.5, -0.5, 0.5, 0.5), [2]);
});

test("scan() throws RangeError if the corners are swapped or not numbers", () => {
  const [, grid] = mapOf(block(0, 0, 1, 1));
  for (const [x0, y0, x1, y1] of [[1, 0, 0, 0], [0, 1, 0, 0], [NaN, 0, 0, 0]]) {
    const region = { x0: x0!, y0: y0!, x1: x1!, y1: y1! };
    assert.throws(() => scanned(grid, { region }), {
      name: "RangeError",
      message: /^Cannot use region /,
    });
  }
});

test("scan() finds the same cells for each method to select tiles", () => {
  // Small regions look tiles up, large ones read all, `since` reads the list of
  // changes.
  const [map, grid] = mapOf([
    ...block(-50, -50, 100, 100),
    ...block(5000, 0, 3, 3),
  ]);
  map.apply(
    "default",
    columns([[0, 0, 9, NOW], [40, 40, 9, NOW], [5001, 1, 9, NOW]]),
    NOW,
  );
  const count = (options: Parameters<typeof scanned>[1]) =>
    scanned(grid, options).length;
  const box = (x0: number, y0: number, x1: number, y1: number) => ({
    x0,
    y0,
    x1,
    y1,
  });
  assert.equal(count({}), 10_009);
  assert.equal(count({ region: box(-10, -10, 9, 9) }), 400);
  assert.equal(count({ region: box(-10, -10, 6000, 6000) }), 3600 + 9);
  assert.equal(count({ since: 1 }), 3);
  assert.equal(count({ since: 2 }), 0);
  assert.equal(count({ since: 1, region: box(0, 0, 0, 0) }), 1);
  assert.equal(count({ since: 1, region: box(-10, -10, 100, 100) }), 2);
  assert.equal(count({ since: 0, region: box(4000, -9, 6000, 9) }), 9);
});

test("scan() with since finds changes in restored tiles too", () => {
  const [map] = mapOf(block(0, 0, 100, 100));
  map.apply("default", columns([[0, 0, 9, NOW], [99, 99, 9, NOW]]), NOW);
  const again = restored(map, new OccupancyMap());
  again.apply("default", columns([[50, 50, 9, NOW]]), NOW);
  const grid = again.layer("default")!;
  const changed = (since: number) =>
    scanned(grid, { since }).map(({ x }) => x).sort();
  assert.deepEqual(changed(2), [50]);
  assert.deepEqual(changed(1), [0, 50, 99]);
  assert.equal(changed(0).length, 10_000);
});

test("cells() throws if the layer was written to while reading", () => {
  const [map, grid] = mapOf(block(0, 0, 10, 10));
  const cells = grid.cells();
  assert.ok(cells.next());
  map.apply("default", columns([[1, 1, 2, NOW]]), NOW);
  assert.throws(() => cells.next(), {
    message: "Cannot read the next cell: the layer was written to",
  });
  const end = grid.cells({ since: map.revision });
  assert.equal(end.next(), false);
  assert.equal(end.next(), false);
});

test("cells() returns independent readers", () => {
  const [, grid] = mapOf(block(0, 0, 40, 2));
  let pairs = 0;
  for (const a = grid.cells(); a.next();) {
    for (const b = grid.cells(); b.next();) if (a.x === b.x) pairs++;
  }
  assert.equal(pairs, 160);
});

test("a snapshot has the first-seen order, also when tiles grow and values change", () => {
  const random = randomIntegers(SEED);
  const seen = new Map<string, number>();
  const map = new OccupancyMap();
  for (let i = 0; i < 20_000; i++) {
    const [x, y] = [random(200) - 100, random(200) - 100];
    seen.set(`${x},${y}`, i);
    map.apply("default", columns([[x, y, i, NOW]]), NOW);
  }
  const cells = inOrder(map.layer("default")!);
  assert.deepEqual(cells.map(({ x, y }) => `${x},${y}`), [...seen.keys()]);
  assert.deepEqual(cells.map(({ value }) => value), [...seen.values()]);
});

test("a snapshot has the first-seen order, also when only some tiles were restored", () => {
  const readings: Reading[] = [
    [99, 0, 1, NOW],
    [0, 0, 2, NOW],
    [50, 0, 3, NOW],
    [98, 0, 4, NOW],
  ];
  const [, grid] = mapOf(readings);
  const again = new OccupancyMap();
  for (const { bytes } of tilesToSave(grid)) {
    if (coordinatesOf(bytes) !== "0,0") again.restoreTiles("default", bytes);
  }
  again.apply("default", columns([[0, 7, 5, NOW]]), NOW);
  const values = inOrder(again.layer("default")!).map(({ value }) => value);
  assert.deepEqual(values, [1, 3, 4, 5]);
});

test("Grid holds a tile with any number of cells, added in any order", () => {
  const random = randomIntegers(SEED);
  const map = new OccupancyMap();
  const model = new Map<string, number>();
  for (let i = 0; model.size < 1024; i++) {
    const key = random(1024);
    const [x, y] = [key % 32 - 32, Math.floor(key / 32) + 64];
    model.set(`${x},${y}`, i);
    map.apply("default", columns([[x, y, i, NOW]]), NOW);
    const grid = map.layer("default")!;
    assert.equal(grid.size, model.size);
    if (i % 97 !== 0 && model.size !== 1024) continue;
    const cells = scanned(grid);
    assert.equal(cells.length, model.size);
    for (const cell of cells) {
      assert.equal(cell.value, model.get(`${cell.x},${cell.y}`));
      assert.deepEqual(grid.get(cell.x, cell.y), cell);
    }
  }
});

test("a save has each changed and each marked tile once", () => {
  const [map, grid] = mapOf([[0, 0, 1, NOW], [99, 0, 1, NOW], [1, 0, 1, NOW]]);
  const numbers = () => tilesToSave(grid).map(({ tile }) => tile);
  assert.deepEqual(numbers(), [0, 1]);
  assert.deepEqual(numbers(), [0, 1], "they were not stored");
  grid.beginSave();
  assert.throws(() => grid.beginSave(), RangeError);
  grid.endSave(true);
  assert.deepEqual(numbers(), []);
  const renewed: Reading[] = [
    [99, 0, 1, NOW + 1],
    [99, 0, 1, NOW + 2],
    [0, 0, 1, NOW - 1], // late
  ];
  map.apply("default", columns(renewed), NOW + 2);
  assert.deepEqual(numbers(), [1]);
  grid.markDirty(0);
  grid.markDirty(1);
  assert.deepEqual(numbers(), [0, 1]);
  for (const none of [2, -1, 0.5, NaN]) {
    assert.throws(() => grid.markDirty(none), RangeError);
  }
});

test("Grid needs at most 40 bytes a cell for a million dense cells", () => {
  for (const mixed of [false, true]) {
    const batch = columns(block(-500, -500, 1000, 1000));
    const random = randomIntegers(SEED);
    for (let i = 0; mixed && i < batch.length; i++) { // in any order
      const j = random(1_000_000);
      for (const column of [batch.x, batch.y]) {
        [column[i], column[j]] = [column[j]!, column[i]!];
      }
    }
    const map = new OccupancyMap();
    map.apply("default", batch, NOW);
    const grid = map.layer("default")!;
    assert.equal(grid.size, 1_000_000);
    assert.ok(
      grid.bytes / grid.size <= 40,
      `${grid.bytes / grid.size} bytes a cell`,
    );
  }
});

test("Grid needs at most 120 bytes a cell for 200,000 scattered cells", () => {
  const random = randomIntegers(SEED);
  const batch = columns(block(0, 0, 500, 400));
  for (let i = 0; i < batch.length; i++) {
    batch.x[i] = random(65_536);
    batch.y[i] = random(65_536);
  }
  const map = new OccupancyMap();
  map.apply("default", batch, NOW);
  const grid = map.layer("default")!;
  assert.ok(grid.size > 199_000);
  assert.ok(
    grid.bytes / grid.size <= 120,
    `${grid.bytes / grid.size} bytes a cell`,
  );
});

test("Grid needs little memory for a few cells", () => {
  const [, grid] = mapOf(block(0, 0, 2, 5));
  assert.ok(grid.bytes < 4096, `${grid.bytes} bytes`);
});
