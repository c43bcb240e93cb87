/** A set of tiles behaves as a `Set` of numbers that is read in order. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TileBits } from "../../src/grid/tile_bits.ts";
import { NO_TILE } from "../../src/grid/tile_table.ts";

const tiles = fc.array(fc.nat(200), { maxLength: 60 });

Deno.test({
  name: "TileBits has the tiles that were added, in ascending order",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(tiles, tiles, (some, others) => {
        const set = new TileBits();
        const other = new TileBits();
        for (const tile of some) set.add(tile);
        for (const tile of others) other.add(tile);
        set.addAll(other);
        const model = [...new Set([...some, ...others])].sort((a, b) => a - b);
        assert.equal(set.size, model.length);
        const read: number[] = [];
        for (let tile = set.next(0); tile !== NO_TILE;) {
          read.push(tile);
          tile = set.next(tile + 1);
        }
        assert.deepEqual(read, model);
        for (let tile = 0; tile < 300; tile++) {
          assert.equal(set.has(tile), model.includes(tile));
          const next = model.find((other) => other >= tile) ?? NO_TILE;
          assert.equal(set.next(tile), next);
        }
      }),
    );
  },
});
