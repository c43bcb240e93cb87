/** The table of tiles while its hash table grows. */
import assert from "node:assert/strict";
import { NO_TILE, TileTable } from "../../src/grid/tile_table.ts";
import { randomIntegers } from "../support/random.ts";

Deno.test({
  name:
    "every tile is found at every size, also while a new hash table is filled",
  permissions: "none",
  fn() {
    const random = randomIntegers(3);
    const table = new TileTable();
    const coordinates: (readonly [number, number])[] = [];
    const seen = new Set<string>();
    for (let size = 0; size < 600; size++) {
      let at: readonly [number, number];
      do at = [random(4000) - 2000, random(4000) - 2000]; while (
        seen.has(at.join())
      );
      seen.add(at.join());
      assert.equal(table.find(...at), NO_TILE);
      assert.equal(table.add(...at), size);
      coordinates.push(at);
      if (random(10) === 0) table.moveSome(random(40));
      for (const [tile, [tx, ty]] of coordinates.entries()) {
        assert.equal(table.find(tx, ty), tile);
      }
    }
  },
});

Deno.test({
  name: "a doubled hash table is filled in small steps",
  permissions: "none",
  fn() {
    const table = new TileTable();
    const tiles = 2 ** 17;
    for (let i = 0; i < tiles; i++) table.add(i % 512, Math.floor(i / 512));
    const before = table.bytes;
    table.add(-1, -1);
    const doubled = table.bytes;
    // The old table of 4 bytes for each of 2^18 slots, and the new one.
    assert.ok(doubled - before >= 2 ** 18 * 8, "both tables are in use");
    assert.equal(table.find(511, 255), tiles - 1);
    assert.equal(table.find(-1, -1), tiles);
    table.moveSome(tiles);
    assert.equal(doubled - table.bytes, 2 ** 18 * 4, "the old one is freed");
    assert.equal(table.find(511, 255), tiles - 1);
  },
});
