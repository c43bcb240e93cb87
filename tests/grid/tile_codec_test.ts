import assert from "node:assert/strict";
import fc from "fast-check";
import { metaOf } from "../../src/grid/cell_block.ts";
import { OccupancyMap } from "../../src/grid/mod.ts";
import {
  decodeTile as readTile,
  encodeTile as writeTile,
  MAX_TILE_BYTES,
  TileColumns,
} from "../../src/grid/tile_codec.ts";
import { columns, inOrder, tilesToSave } from "./model.ts";

const NOW = 1_700_000_000_000;

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const tileCoordinate = fc.integer({ min: -(2 ** 26), max: 2 ** 26 - 1 });
const time = fc.oneof(
  fc.integer({ min: NOW - 1e6, max: NOW }),
  fc.integer({ min: 0, max: NOW }),
  fc.double({ noNaN: true }).map((time) => time + 0), // -0 is decoded as 0
);
const cell = fc.record({
  key: fc.nat(1023),
  freshness: fc.constantFrom(0, 1, 2),
  value: fc.oneof(fc.nat(3), int32),
  order: fc.oneof(fc.nat(1000), fc.nat(2 ** 32 - 2)),
  time,
  revision: fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  ),
});
const cells = fc.uniqueArray(cell, {
  minLength: 1,
  maxLength: 100,
  selector: ({ key }) => key,
});

type CellRecord = typeof cell extends fc.Arbitrary<infer T> ? T : never;

function tile(tx: number, ty: number, cells: CellRecord[]) {
  const tile = new TileColumns();
  tile.tx = tx;
  tile.ty = ty;
  tile.count = cells.length;
  cells.forEach((cell, i) => {
    tile.meta[i] = metaOf(cell.key, cell.freshness);
    tile.value[i] = cell.value;
    tile.order[i] = cell.order;
    tile.time[i] = cell.time;
    tile.revision[i] = cell.revision;
  });
  return tile;
}

function encodeTile(tile: TileColumns): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MAX_TILE_BYTES + 7).fill(255);
  return bytes.slice(7, writeTile(tile, bytes, 7));
}

function decodeTile(bytes: Uint8Array, columns: TileColumns, from = 0): number {
  const { buffer, byteOffset, byteLength } = bytes;
  return readTile(new DataView(buffer, byteOffset, byteLength), columns, from);
}

function contents(tile: TileColumns) {
  const { tx, ty, count } = tile;
  const { meta, value, order, time, revision } = tile;
  const parts = [meta, value, order, time, revision];
  return [tx, ty, count, ...parts.map((part) => [...part.subarray(0, count)])];
}

test("decodeTile() returns what encodeTile() wrote", () => {
  const target = new TileColumns();
  fc.assert(
    fc.property(tileCoordinate, tileCoordinate, cells, (tx, ty, cells) => {
      const source = tile(tx, ty, cells);
      const bytes = encodeTile(source);
      assert.equal(decodeTile(bytes, target), bytes.length);
      assert.deepEqual(contents(target), contents(source));
    }),
    { numRuns: 1000 },
  );
});

test("decodeTile() reads a tile anywhere among other bytes", () => {
  const source = tile(1, -1, [
    { key: 5, freshness: 1, value: -7, order: 9, time: NOW + 0.5, revision: 3 },
  ]);
  const bytes = encodeTile(source);
  const larger = new Uint8Array(bytes.length + 10).fill(255);
  larger.set(bytes, 3);
  const target = new TileColumns();
  decodeTile(larger.subarray(3, 3 + bytes.length), target);
  assert.deepEqual(contents(target), contents(source));
  target.count = 0;
  assert.equal(decodeTile(larger.subarray(1), target, 2), 2 + bytes.length);
  assert.deepEqual(contents(target), contents(source));
});

test("encodeTile() needs about 10 bytes a cell for a full tile", () => {
  const full = Array.from({ length: 1024 }, (_, key) => ({
    key,
    freshness: 0 as const,
    value: key % 3,
    order: 5000 + key,
    time: NOW - key * 977,
    revision: 1000 + key % 200,
  }));
  assert.ok(encodeTile(tile(0, 0, full)).length <= 11 * 1024);
});

test("decodeTile() throws only RangeError for arbitrary bytes", () => {
  const target = new TileColumns();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.uint8Array({ maxLength: 100 }).map((tail) => Uint8Array.of(1, ...tail)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      try {
        decodeTile(bytes, target);
      } catch (error) {
        assert.ok(error instanceof RangeError);
        assert.match(error.message, /^Cannot restore tile: /);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a tile without cells replaces an older version of the tile", () => {
  const map = new OccupancyMap();
  map.apply("default", columns([[1, 1, -1, NOW], [99, 1, 1, NOW]]), NOW);
  const grid = map.layer("default")!;
  const [older] = tilesToSave(grid);
  assert.equal(map.remove("default", columns([[1, 1, 0, 0]]), NOW), 1);
  const newer = tilesToSave(grid);
  assert.equal(newer[0]!.bytes.length, 11);
  const again = new OccupancyMap();
  for (const { bytes } of [...newer, older!]) {
    again.restoreTiles("default", bytes);
  }
  assert.deepEqual(inOrder(again.layer("default")!), inOrder(grid));
  assert.equal(again.size, 1);
});

test("restoreTiles() refuses a damaged tile or restores all of it", () => {
  const map = new OccupancyMap();
  map.apply("default", columns([[1, 1, 1, NOW], [2, 2, 500, NOW - 5]]), NOW);
  const bytes = tilesToSave(map.layer("default")!)[0]!.bytes;
  for (let length = 1; length < bytes.length; length++) {
    const again = new OccupancyMap();
    const cut = bytes.subarray(0, length);
    assert.throws(() => again.restoreTiles("default", cut), RangeError);
    assert.equal(again.layer("default"), undefined);
  }
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << bit;
      const again = new OccupancyMap();
      try {
        again.restoreTiles("default", damaged);
        assert.equal(again.size, 2);
      } catch (error) {
        assert.ok(error instanceof RangeError);
        assert.equal(again.layer("default"), undefined);
      }
    }
  }
});

test("decodeTile() throws RangeError with the reason", () => {
  const one = {
    key: 5,
    freshness: 0 as const,
    value: 1,
    order: 0,
    time: NOW,
    revision: 1,
  };
  const target = new TileColumns();
  const refuses = (bytes: Uint8Array, problem: string) =>
    assert.throws(() => decodeTile(bytes, target), {
      name: "RangeError",
      message: `Cannot restore tile: ${problem}`,
    });
  const bytes = encodeTile(tile(0, 0, [one]));
  refuses(Uint8Array.of(2, ...bytes.slice(1)), "format 2, expected 1");
  refuses(bytes.subarray(0, 5), "5 bytes, expected 11 or more");
  refuses(encodeTile(tile(0, 0, [one, one])), "cell 1 appears twice");
  refuses(
    encodeTile(tile(2 ** 26, 0, [one])),
    "tile coordinates 67108864,0 out of range",
  );
  const counted = (low: number, high: number) =>
    bytes.with(9, low).with(10, high);
  refuses(counted(0, 0), "0 cells, expected 1 to 1024");
  refuses(counted(1, 4), "1025 cells, expected 1 to 1024");
  refuses(
    encodeTile(tile(0, 0, [{ ...one, value: 2 ** 31 }])),
    "value 2147483648",
  );
  refuses(encodeTile(tile(0, 0, [{ ...one, value: 0.5 }])), "value 0.5");
  refuses(
    encodeTile(tile(0, 0, [{ ...one, order: 2 ** 32 - 1 }])),
    "order 4294967295",
  );
  refuses(encodeTile(tile(0, 0, [{ ...one, time: NaN }])), "time NaN");
  refuses(encodeTile(tile(0, 0, [{ ...one, revision: 0 }])), "revision 0");
});
