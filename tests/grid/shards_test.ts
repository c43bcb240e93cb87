import assert from "node:assert/strict";
import { MAX_SHARDS, OccupancyMap } from "../../src/grid/mod.ts";
import { columns } from "./model.ts";

const NOW = 1_700_000_000_000;
const { test } = Deno;

test("a layer's shard is the FNV-1a hash of its name, modulo the shards", () => {
  const map = new OccupancyMap({}, { shards: 251 });
  // The vectors of draft-eastlake-fnv, appendix C, and one in UTF-8.
  assert.equal(map.shardOf(""), 0x811c9dc5 % 251);
  assert.equal(map.shardOf("a"), 0xe40c292c % 251);
  assert.equal(map.shardOf("foobar"), 0xbf9cf968 % 251);
  assert.equal(
    map.shardOf("Büro 3"),
    fnv1a(new TextEncoder().encode("Büro 3")) % 251,
  );
  assert.equal(map.of("a"), map.shards[map.shardOf("a")]);
});

test("a map has from one to 256 shards", () => {
  assert.equal(new OccupancyMap().shards.length, 1);
  assert.equal(
    new OccupancyMap({}, { shards: MAX_SHARDS }).shards.length,
    256,
  );
  for (const shards of [0, -1, 1.5, NaN, MAX_SHARDS + 1]) {
    assert.throws(() => new OccupancyMap({}, { shards }), RangeError);
  }
});

test("only a map with one shard has an only one", () => {
  const one = new OccupancyMap();
  assert.equal(one.only, one.shards[0]);
  const two = new OccupancyMap({}, { shards: 2 });
  assert.throws(() => two.only, /the map has 2/);
});

test("readings change the revision of their shard only; the map has the sum", () => {
  const map = new OccupancyMap({}, { shards: 16 });
  const [a, b] = layersApart(map);
  map.apply(a, columns([[0, 0, 1, NOW]]), NOW);
  map.apply(b, columns([[0, 0, 1, NOW]]), NOW);
  map.apply(b, columns([[0, 0, 0, NOW]]), NOW);
  assert.equal(map.revisionOf(a), 1);
  assert.equal(map.layer(a)!.revision, 1);
  assert.equal(map.revisionOf(b), 2);
  assert.equal(map.revision, 3);
  // A client with revision 2 of the layer a has another map.
  assert.equal(map.sinceOf(a, 2), 0);
  assert.equal(map.sinceOf(b, 2), 2);
  assert.deepEqual([map.size, map.layerCount], [2, 2]);
});

test("a deletion changes the identity of its shard's later layers only", () => {
  const map = new OccupancyMap({}, { shards: 16 });
  const [a, b] = layersApart(map);
  map.begin(NOW);
  map.apply(a, columns([[0, 0, 1, NOW]]), NOW);
  map.deleteLayer(a, NOW + 1);
  assert.equal(map.beganOf(a), NOW + 1);
  assert.equal(map.beganOf(b), NOW);
});

test("the layers of a map are in order of shards, then of creation", () => {
  const map = new OccupancyMap({}, { shards: 4 });
  const names = Array.from({ length: 40 }, (_, i) => `level ${i}`);
  for (const name of names) map.apply(name, columns([[0, 0, 1, NOW]]), NOW);
  const expected = [0, 1, 2, 3].flatMap((shard) =>
    names.filter((name) => map.shardOf(name) === shard)
  );
  assert.deepEqual(Array.from(map.layers(), ([name]) => name), expected);
});

/** Returns the names of two layers in different shards. */
function layersApart(map: OccupancyMap): [string, string] {
  const other = ["b", "c", "d"].find((name) =>
    map.shardOf(name) !== map.shardOf("a")
  );
  return ["a", other!];
}

/** Literally as in the draft. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5n;
  for (const byte of bytes) {
    hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffff_ffffn;
  }
  return Number(hash);
}
