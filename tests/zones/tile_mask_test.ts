import assert from "node:assert/strict";
import fc from "fast-check";
import classify from "robust-point-in-polygon";
import { roundCoordinate } from "../../src/zones/edge_crossing.ts";
import { RingEdges, TileParity } from "../../src/zones/ring_edges.ts";
import { ZoneShape } from "../../src/zones/tile_mask.ts";
import type { Polygon, Ring } from "../../src/zones/zone.ts";
import {
  cellsOf,
  closed,
  expectedCells,
  INT32_MAX,
  INT32_MIN,
  polygons,
  rectangle,
} from "./shapes.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

/** The first and the last tile of an axis. */
const FIRST_TILE = -(2 ** 26);
const LAST_TILE = 2 ** 26 - 1;

/** Tiles with cells of a shape, and those around them, at most some. */
function tilesNear(shape: ZoneShape): [number, number][] {
  const { x0, y0, x1, y1 } = shape.bounds ?? { x0: 0, y0: 0, x1: 0, y1: 0 };
  const tiles: [number, number][] = [];
  for (let ty = (y0 >> 5) - 1; ty <= (y1 >> 5) + 1; ty++) {
    for (let tx = (x0 >> 5) - 1; tx <= (x1 >> 5) + 1; tx++) {
      if (Math.min(tx, ty) < FIRST_TILE || Math.max(tx, ty) > LAST_TILE) {
        continue;
      }
      tiles.push([tx, ty]);
    }
  }
  return tiles;
}

/** Counts the cells of a zone. */
function count(shape: ZoneShape): number {
  return tilesNear(shape)
    .flatMap(([tx, ty]) => cellsOf(shape.tileMask(tx, ty)))
    .reduce((sum, cell) => sum + cell, 0);
}

test("the mask of a tile equals the rule, cell by cell", () => {
  fc.assert(
    fc.property(polygons, fc.nat(), (polygons, pick) => {
      const shape = new ZoneShape(polygons);
      const tiles = tilesNear(shape);
      for (let i = 0; i < 4; i++) {
        const [tx, ty] = tiles[(pick + i * 7) % tiles.length]!;
        const mask = shape.tileMask(tx, ty);
        const cells = cellsOf(mask);
        assert.deepEqual(cells, expectedCells(polygons, tx, ty));
        // No bit set for what has a shorter form.
        const sum = cells.reduce((sum, cell) => sum + cell, 0);
        assert.equal(mask === undefined, sum === 0);
        assert.equal(mask === "all", sum === 1024);
      }
    }),
    { numRuns: 60 },
  );
});

test("no cell is outside of the bounds", () => {
  fc.assert(fc.property(polygons, (polygons) => {
    const shape = new ZoneShape(polygons);
    for (const [tx, ty] of tilesNear(shape)) {
      const mask = shape.tileMask(tx, ty);
      if (mask === undefined) continue;
      const { x0, y0, x1, y1 } = shape.bounds!;
      for (const [key, cell] of cellsOf(mask).entries()) {
        if (cell === 0) continue;
        const x = tx * 32 + key % 32;
        const y = ty * 32 + (key >> 5);
        assert.ok(x >= x0 && x <= x1 && y >= y0 && y <= y1);
      }
    }
  }));
});

test("the mask of a tile equals robust-point-in-polygon", () => {
  const point = fc.tuple(
    fc.double({ min: -50, max: 50, noNaN: true }),
    fc.double({ min: -50, max: 50, noNaN: true }),
  );
  const ring = fc.array(point, { minLength: 3, maxLength: 30, size: "max" });
  let compared = 0;
  fc.assert(fc.property(ring, (points) => {
    const shape = new ZoneShape([[closed(points)]]);
    const rounded = points.map((point) => point.map(roundCoordinate));
    for (const [tx, ty] of tilesNear(shape)) {
      for (const [key, cell] of cellsOf(shape.tileMask(tx, ty)).entries()) {
        const centre = [tx * 32 + key % 32 + 0.5, ty * 32 + (key >> 5) + 0.5];
        const side = classify(rounded, centre);
        if (side === 0) continue; // on an edge
        assert.equal(cell === 1, side === -1, `${centre}`);
        compared++;
      }
    }
  }));
  assert.ok(compared > 100_000, "points are not all on edges");
});

test("centres on the left and lower edges belong to a rectangle", () => {
  const shape = new ZoneShape([[rectangle(0.5, 0.5, 3.5, 2.5)]]);
  assert.deepEqual(shape.bounds, { x0: 0, y0: 0, x1: 2, y1: 1 });
  assert.equal(count(shape), 6);
});

test("the last digits of coordinates change nothing", () => {
  for (const noise of [1e-8, -1e-8]) {
    const [low, left, high] = [0.5 + noise, 1.5 + noise, 2.5 + noise];
    const shape = new ZoneShape([[rectangle(left, low, 3.5 + noise, high)]]);
    assert.deepEqual(shape.bounds, { x0: 1, y0: 0, x1: 2, y1: 1 });
    assert.equal(count(shape), 4);
    // The centres on the long side are right of it: outside.
    const corner = closed([[0, 0], [8 + noise, 8], [0, 8]]);
    assert.equal(count(new ZoneShape([[corner]])), 28);
  }
});

test("a zone of one cell", () => {
  for (
    const [x, y] of [
      ...[[0, 0], [-1, -1], [31, 31], [32, -32]],
      ...[[INT32_MAX, INT32_MAX], [INT32_MIN, INT32_MIN]],
      ...[[INT32_MAX, INT32_MIN], [INT32_MIN, INT32_MAX]],
    ] as [number, number][]
  ) {
    const shape = new ZoneShape([[rectangle(x, y, x + 1, y + 1)]]);
    assert.deepEqual(shape.bounds, { x0: x, y0: y, x1: x, y1: y });
    assert.equal(count(shape), 1);
    const key = (y & 31) << 5 | (x & 31);
    assert.equal(cellsOf(shape.tileMask(x >> 5, y >> 5))[key], 1);
  }
});

test("a zone between centres has no cell", () => {
  const shape = new ZoneShape([[rectangle(0.6, 0, 1.4, 9)]]);
  assert.equal(shape.bounds, undefined);
  assert.equal(count(shape), 0);
  assert.equal(new ZoneShape([]).bounds, undefined);
  assert.equal(new ZoneShape([]).tileMask(0, 0), undefined);
});

test("a zone of the whole plane holds all tiles", () => {
  const plane = rectangle(INT32_MIN, INT32_MIN, 2 ** 31, 2 ** 31);
  const shape = new ZoneShape([[plane]]);
  assert.deepEqual(shape.bounds, {
    x0: INT32_MIN,
    y0: INT32_MIN,
    x1: INT32_MAX,
    y1: INT32_MAX,
  });
  const tiles = [FIRST_TILE, -1, 0, 12_345, LAST_TILE];
  for (const tx of tiles) {
    for (const ty of tiles) assert.equal(shape.tileMask(tx, ty), "all");
  }
});

test("a plane with a hole of one cell in the last corner", () => {
  const shape = new ZoneShape([[
    rectangle(INT32_MIN, INT32_MIN, 2 ** 31, 2 ** 31),
    rectangle(INT32_MAX, INT32_MAX, 2 ** 31, 2 ** 31),
  ]]);
  const cells = cellsOf(shape.tileMask(LAST_TILE, LAST_TILE));
  assert.equal(cells[1023], 0);
  assert.ok(cells.slice(0, 1023).every((cell) => cell === 1));
  assert.equal(shape.tileMask(LAST_TILE - 1, LAST_TILE), "all");
});

test("halves of the plane along the diagonal share no cell", () => {
  const [low, high] = [INT32_MIN, 2 ** 31];
  const below = new ZoneShape([[
    [[low, low], [high, low], [high, high], [low, low]],
  ]]);
  const above = new ZoneShape([[
    [[high, high], [low, high], [low, low], [high, high]],
  ]]);
  for (const t of [FIRST_TILE, -5, 0, 7, LAST_TILE]) {
    const one = cellsOf(below.tileMask(t, t));
    const other = cellsOf(above.tileMask(t, t));
    assert.ok(one.every((cell, key) => cell + other[key]! === 1));
    // The centres on the diagonal are right of it.
    for (let i = 0; i < 32; i++) assert.equal(one[i * 33], 1);
  }
});

test("what a ring goes around twice is outside", () => {
  // Two squares that touch in a corner, drawn in one line, one of them twice.
  const ring = closed([
    ...[[0, 0], [4, 0], [4, 4], [8, 4], [8, 8], [4, 8], [4, 4]],
    ...[[8, 4], [8, 8], [4, 8], [4, 4], [0, 4]],
  ] as [number, number][]);
  assert.equal(count(new ZoneShape([[ring]])), 16);
  const bowTie = closed([[0, 0], [8, 8], [8, 0], [0, 8]]);
  assert.deepEqual(
    cellsOf(new ZoneShape([[bowTie]]).tileMask(0, 0)),
    expectedCells([[bowTie]], 0, 0),
  );
});

test("polygons of a zone that overlap count once", () => {
  const polygons = [[rectangle(0, 0, 40, 40)], [rectangle(20, 20, 60, 60)]];
  assert.equal(count(new ZoneShape(polygons)), 1600 + 1600 - 400);
  // Together they fill a tile.
  const halves = [[rectangle(0, 0, 20, 32)], [rectangle(10, 0, 32, 32)]];
  assert.equal(new ZoneShape(halves).tileMask(0, 0), "all");
});

test("ten thousand holes and as many polygons", () => {
  const holes: Ring[] = [];
  for (let i = 0; i < 10_000; i++) {
    const x = (i * 37 % 100) * 10;
    const y = Math.floor(i / 100) * 10;
    holes.push(rectangle(x + 3, y + 3, x + 5, y + 5));
  }
  const island = holes.map((ring): Polygon => [ring]);
  const withHoles: Polygon = [rectangle(0, 0, 1000, 1000), ...holes];
  assert.equal(count(new ZoneShape(island)), 40_000);
  assert.equal(count(new ZoneShape([withHoles])), 960_000);
  assert.equal(new ZoneShape([withHoles, ...island]).tileMask(3, 3), "all");
});

test("coordinates outside of the plane are refused", () => {
  for (const x of [2 ** 31 + 1, NaN, Infinity]) {
    assert.throws(
      () => new ZoneShape([[rectangle(0, 0, x, 1)]]),
      /Cannot use position .*: expected coordinates within ±2\^31/,
    );
  }
});

/** Counts the edges that are looked at. */
class CountedParity extends TileParity {
  edges = 0;

  override item(edge: number): void {
    this.edges++;
    super.item(edge);
  }
}

/** Makes the most edges that are looked at for a tile of some. */
function mostEdges(ring: Ring, tiles: [number, number][]): number {
  const edges = new RingEdges(ring);
  return Math.max(...tiles.map(([tx, ty]) => {
    const parity = new CountedParity();
    parity.begin(tx, ty);
    parity.add(edges);
    assert.deepEqual(
      cellsOf(parity.addTo(undefined)),
      cellsOf(new ZoneShape([[ring]]).tileMask(tx, ty)),
    );
    return parity.edges;
  }));
}

test("a tile costs the edges near it, not those of the zone", () => {
  const EDGES = 100_000;
  const circle = closed(Array.from({ length: EDGES }, (_, i) => {
    const angle = 2 * Math.PI * i / EDGES;
    return [1e6 * Math.cos(angle), 1e6 * Math.sin(angle)] as const;
  }));
  // 63 units for each edge: one or two edges cross a tile.
  const around = Array.from({ length: 100 }, (_, i) => {
    const [x, y] = circle[i * 997]!;
    return [Math.floor(x / 32), Math.floor(y / 32)] as [number, number];
  });
  assert.ok(mostEdges(circle, around) <= 32);
  assert.equal(mostEdges(circle, [[0, 0], [-10_000, 20_000]]), 0);

  // All edges of a comb are beside each of its tiles.
  const teeth = Array.from({ length: EDGES / 2 }, (_, i) => {
    const x = i * 10;
    return i % 2 === 0 ? [[x, 0], [x, 1e6]] : [[x, 1e6], [x, 0]];
  }).flat() as [number, number][];
  const comb = closed(teeth);
  assert.ok(
    mostEdges(comb, [[100, 100], [7000, 20_000], [15_000, 31_000]]) <= 48,
  );
});
