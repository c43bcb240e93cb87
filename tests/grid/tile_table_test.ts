/** The table of tiles while its hash table grows, and the times of groups. */
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

Deno.test({
  name: "groupDue() is the minimum of due() of each group of 64 tiles",
  permissions: "none",
  fn() {
    const random = randomIntegers(5);
    const table = new TileTable();
    for (let i = 0; i < 40_000; i++) {
      if (random(8) === 0) table.add(table.length, 0);
      if (table.length === 0) continue;
      // Few different times, so that many tiles have the minimum.
      const due = [-Infinity, 1, 2, 3, Infinity][random(5)]!;
      table.setDue(random(table.length), due);
      const group = random(table.length) & ~63;
      let minimum = Infinity;
      for (let t = group; t < Math.min(group + 64, table.length); t++) {
        minimum = Math.min(minimum, table.due(t));
      }
      assert.equal(table.groupDue(group), minimum);
    }
  },
});
