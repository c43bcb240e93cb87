import assert from "node:assert/strict";
import fc from "fast-check";
import { ZoneShape } from "../../src/zones/tile_mask.ts";
import type { Zone } from "../../src/zones/zone.ts";
import { ZoneIndex } from "../../src/zones/zone_index.ts";
import {
  cellsOf,
  closed,
  expectedCells,
  INT32_MAX,
  INT32_MIN,
  rectangle,
  zoneOf,
} from "./shapes.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

const PLANE = [rectangle(INT32_MIN, INT32_MIN, 2 ** 31, 2 ** 31)];

const coordinate = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: -600, max: 600 }).map((half) => half / 2),
);
const polygon = fc.array(fc.tuple(coordinate, coordinate), {
  minLength: 3,
  maxLength: 6,
}).map((points) => [closed(points)]);
/** Small zones, large ones, the whole plane. */
const zones = fc.array(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.array(polygon, { minLength: 1, maxLength: 2 }),
    },
    {
      weight: 20,
      arbitrary: fc.tuple(coordinate, coordinate, fc.nat(9), fc.nat(9)).map((
        [x, y, width, height],
      ) => [[rectangle(x, y, x + width, y + height)]]),
    },
    { weight: 1, arbitrary: fc.constant([PLANE]) },
  ),
  { maxLength: 60, size: "max" },
).map((all) => all.map((polygons, i) => zoneOf(`${i}`, ...polygons)));
const tiles = fc.array(
  fc.tuple(
    fc.integer({ min: -11, max: 11 }),
    fc.integer({ min: -11, max: 11 }),
  ),
  { minLength: 1, maxLength: 20 },
);

function zonesAndCells(index: ZoneIndex, tx: number, ty: number) {
  return index.at(tx, ty).map(({ zone, mask }) => [zone, cellsOf(mask)]);
}

/** The same from each zone by the rule. */
function bruteForce(zones: readonly Zone[], tx: number, ty: number) {
  return zones
    .map(({ polygons }, zone) => [zone, expectedCells(polygons, tx, ty)])
    .filter(([, cells]) => (cells as number[]).includes(1));
}

test("an index equals the rule applied to each zone", () => {
  fc.assert(
    fc.property(zones, tiles, (zones, tiles) => {
      const index = new ZoneIndex(zones);
      for (const [tx, ty] of tiles.slice(0, 2)) {
        assert.deepEqual(
          zonesAndCells(index, tx, ty),
          bruteForce(zones, tx, ty),
        );
      }
    }),
    { numRuns: 25 },
  );
});

test("an index equals the masks of all zones, whatever the cache holds", () => {
  fc.assert(
    fc.property(zones, tiles, fc.nat(9000), (zones, tiles, maxCacheBytes) => {
      const index = new ZoneIndex(zones, { maxCacheBytes });
      const shapes = zones.map(({ polygons }) => new ZoneShape(polygons));
      for (const [tx, ty] of [...tiles, ...tiles.toReversed()]) {
        const expected = shapes.flatMap((shape, zone) => {
          const mask = shape.tileMask(tx, ty);
          return mask === undefined ? [] : [{ zone, mask }];
        });
        assert.deepEqual(index.at(tx, ty), expected);
        assert.ok(index.cacheBytes <= maxCacheBytes);
      }
    }),
  );
});

test("the zones of a tile are numbers in the list, in its order", () => {
  const none = zoneOf("no cell", [rectangle(3.6, 3, 4.4, 4)]);
  const far = zoneOf("far", [rectangle(1000, 1000, 1001, 1001)]);
  const small = zoneOf("small", [rectangle(3, 3, 4, 4)]);
  const plane = zoneOf("plane", PLANE);
  const numbers = (zones: Zone[]) =>
    new ZoneIndex(zones).at(0, 0).map(({ zone }) => zone);
  assert.deepEqual(numbers([none, plane, far, small]), [1, 3]);
  assert.deepEqual(numbers([small, none, far, plane]), [0, 3]);
  assert.deepEqual(numbers([none, far]), []);
  assert.deepEqual(numbers([]), []);
});

test("masks that were computed are kept, the newest within the limit", () => {
  const index = new ZoneIndex([zoneOf("plane", PLANE)], {
    maxCacheBytes: 10_000,
  });
  const first = index.at(0, 0);
  assert.equal(index.at(0, 0), first);
  // In use it stays, while others come and go.
  for (let tx = 1; tx < 1000; tx++) {
    index.at(tx, 5);
    assert.equal(index.at(0, 0), first);
    assert.ok(index.cacheBytes <= 10_000);
  }
  // Unused it goes.
  for (let tx = 0; tx < 1000; tx++) index.at(tx, 6);
  assert.notEqual(index.at(0, 0), first);
});

test("a tile that is used again takes no more memory", () => {
  const index = new ZoneIndex([zoneOf("plane", PLANE)], {
    maxCacheBytes: 10_000,
  });
  for (let tx = 0; tx < 25; tx++) index.at(tx, 0);
  const bytes = index.cacheBytes;
  for (let tx = 0; tx < 10; tx++) index.at(tx, 0);
  assert.equal(index.cacheBytes, bytes);
});

test("coordinates outside of the plane are refused", () => {
  const broken = zoneOf("broken", [rectangle(0, 0, 1e10, 1)]);
  assert.throws(
    () => new ZoneIndex([zoneOf("good", PLANE), broken]),
    RangeError,
  );
});

test("zones in the corners of the plane", () => {
  const corners = [INT32_MIN, INT32_MAX].flatMap((x) =>
    [INT32_MIN, INT32_MAX].map((y) => [x, y] as const)
  );
  const index = new ZoneIndex(
    corners.map(([x, y]) =>
      zoneOf(`${x},${y}`, [rectangle(x, y, x + 1, y + 1)])
    ),
  );
  for (const [zone, [x, y]] of corners.entries()) {
    const found = zonesAndCells(index, x >> 5, y >> 5);
    const cells = new Array<number>(1024).fill(0);
    cells[(y & 31) << 5 | (x & 31)] = 1;
    assert.deepEqual(found, [[zone, cells]]);
  }
});
