/** The list of changes of a tile. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { startOf } from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import { changesOf, HOUR, rows, rowsOf, sortedRows } from "./support.ts";

Deno.test("TileChanges.sort sorts and removes changes without effect", () => {
  const lists = fc.oneof(
    rows(10),
    rows(200),
    fc.tuple(rows(60), rows(60, HOUR + 24 * 300)).map((parts) => parts.flat()),
  );
  fc.assert(fc.property(lists, (rows) => {
    const changes = changesOf(rows);
    changes.sort();
    assert.deepEqual(rowsOf(changes), sortedRows(rows));
    changes.sort();
    assert.deepEqual(rowsOf(changes), sortedRows(rows), "sorted twice");
  }));
});

Deno.test("TileChanges.sort sorts seconds of all 32 bits", () => {
  const second = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(fc.property(
    fc.array(second, { minLength: 30, maxLength: 90 }),
    (seconds) => {
      const changes = new TileChanges();
      seconds.forEach((second, i) => changes.push(7, second, i, 0));
      changes.sort();
      assert.deepEqual(
        [...changes.second.subarray(0, changes.length)],
        [...new Set(seconds)].sort((a, b) => a - b),
      );
    },
  ));
});

Deno.test("TileChanges.push: an unknown cell is not stale", () => {
  const changes = changesOf([[3, 10, -1, 1], [3, 11, 2, 1]]);
  assert.deepEqual(rowsOf(changes), [[3, 10, -1, 0], [3, 11, 2, 1]]);
});

Deno.test("TileChanges.clear and reserve keep what they must", () => {
  const changes = changesOf([[1, startOf(HOUR), 1, 0]]);
  changes.reserve(1000);
  assert.deepEqual(rowsOf(changes), [[1, startOf(HOUR), 1, 0]]);
  changes.clear();
  assert.equal(changes.length, 0);
  assert.ok(changes.key.length >= 1001);
});
