/** A store whose disk fills up, looked at from close by. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { StoreError } from "../../src/store/store.ts";
import {
  needsMount,
  type SmallDisk,
  smallDisk,
} from "../support/small_disk.ts";
import { applied, assertSameMap, keep } from "./support.ts";

const T0 = 1_700_000_000_000;
/** What a small commit takes, with room to spare, but not the folding of many tiles. */
const ROOM_TO_COMMIT = 64 * 1024;

async function open(disk: SmallDisk, maxJournalBytes?: number) {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const store = new SqliteStore({
    path: `${disk.path}/map.sqlite`,
    ...(maxJournalBytes !== undefined && { maxJournalBytes }),
  });
  const map = new OccupancyMap();
  store.load(map);
  return { store, map };
}

async function journalRows(disk: SmallDisk): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(`${disk.path}/map.sqlite`);
  const { rows } = db.prepare("SELECT count(*) AS rows FROM journal").get()!;
  db.close();
  return Number(rows);
}

/** Cells of so many tiles, from the tile `from` on. */
function scattered(from: number, tiles: number) {
  return applied(
    T0,
    Array.from({ length: tiles }, (_, i) => [(from + i) * 32, 0, 1]),
  );
}

Deno.test({
  name:
    "commit() on a full disk keeps nothing, and works again when there is room",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const { store, map } = await open(disk);
    keep(store, map, scattered(0, 50));
    await disk.fill();
    const big = applied(
      T0,
      Array.from({ length: 20_000 }, (_, i) => [i, 9, i]),
    );
    for (let i = 0; i < 3; i++) {
      assert.throws(
        () => store.commit([big]),
        (error) =>
          error instanceof StoreError && /The disk is full/.test(error.message),
      );
    }
    store.close(); // as a crash would: nothing is folded
    await disk.free();
    const after = await open(disk);
    assertSameMap(after.map, map);

    await disk.fill();
    assert.throws(() => after.store.commit([big]), StoreError);
    await disk.free();
    keep(after.store, after.map, big);
    after.store.close();
    const last = await open(disk);
    assertSameMap(last.map, after.map);
    last.store.close();
  },
});

Deno.test({
  name:
    "a fold that fails costs nothing: the journal has it all, and the next one works",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const { store, map } = await open(disk, 4000);
    // Tiles that only the journal has, and more of them than there will be room for.
    for (let i = 0; i < 30; i++) keep(store, map, scattered(i * 40, 40));
    const many = applied(
      T0 + 1,
      Array.from({ length: 3000 }, (_, i) => [i * 32, 64, 1]),
    );
    await disk.fill();
    await Deno.truncate(
      `${disk.path}/filler`,
      (await Deno.stat(`${disk.path}/filler`)).size - ROOM_TO_COMMIT,
    );
    keep(store, map, many); // applied(), then the fold, which fails
    store.close();
    await disk.free();
    assert.ok(await journalRows(disk) > 0, "it was not folded");
    const after = await open(disk);
    assertSameMap(after.map, map);
    after.store.close(after.map);
    assert.equal(await journalRows(disk), 0, "now it is");
    const folded = await open(disk);
    assertSameMap(folded.map, map);
    folded.store.close();
  },
});

Deno.test({
  name:
    "close() on a full disk does not throw, and the journal still has it all",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const { store, map } = await open(disk);
    for (let i = 0; i < 10; i++) keep(store, map, scattered(i * 100, 100));
    await disk.fill();
    store.close(map);
    store.close(map);
    await disk.free();
    assert.ok(await journalRows(disk) > 0, "it was not folded");
    const after = await open(disk);
    assertSameMap(after.map, map);
    after.store.close();
  },
});
