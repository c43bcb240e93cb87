/** A store on a disk that is full. */
import assert from "node:assert/strict";
import { StoreError } from "../../src/store/store.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import {
  assertSameMap,
  commitAndApply,
  queryNumber,
  readingsEntry,
  storeOpener,
} from "./support.ts";

const T0 = 1_700_000_000_000;
/** Enough for a small commit, not for a checkpoint of many tiles. */
const COMMIT_BYTES = 64 * 1024;

function pathOn(disk: { readonly path: string }): string {
  return `${disk.path}/map.sqlite`;
}

function journalRows(path: string): Promise<number> {
  return queryNumber(path, "SELECT count(*) FROM journal");
}

/** Readings of one cell in each of `tiles` tiles, from the tile `from`. */
function scattered(from: number, tiles: number) {
  return readingsEntry(
    T0,
    Array.from({ length: tiles }, (_, i) => [(from + i) * 32, 0, 1]),
  );
}

Deno.test({
  name:
    "commit() on a full disk stores nothing, and works again when there is space",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const open = await storeOpener({ path: pathOn(disk) });
    const { store, map } = open();
    commitAndApply(store, map, scattered(0, 50));
    await disk.fill();
    const big = readingsEntry(
      T0,
      Array.from({ length: 20_000 }, (_, i) => [i, 9, i]),
    );
    for (let i = 0; i < 3; i++) {
      assert.throws(
        () => store.commit([big]),
        (error) =>
          error instanceof StoreError && /the disk is full/.test(error.message),
      );
    }
    store.close(); // without the map, like a crash
    await disk.free();
    const after = open();
    assertSameMap(after.map, map);

    await disk.fill();
    assert.throws(() => after.store.commit([big]), StoreError);
    await disk.free();
    commitAndApply(after.store, after.map, big);
    after.store.close();
    const last = open();
    assertSameMap(last.map, after.map);
    last.store.close();
  },
});

Deno.test({
  name: "a failed checkpoint loses nothing, and the next one succeeds",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = pathOn(disk);
    const open = await storeOpener({ path });
    const { store, map } = open({ maxJournalBytes: 4000 });
    // Only the journal has these tiles: too many for the space on the disk.
    for (let i = 0; i < 30; i++) {
      commitAndApply(store, map, scattered(i * 40, 40));
    }
    const many = readingsEntry(
      T0 + 1,
      Array.from({ length: 3000 }, (_, i) => [i * 32, 64, 1]),
    );
    await disk.fill();
    await Deno.truncate(
      `${disk.path}/filler`,
      (await Deno.stat(`${disk.path}/filler`)).size - COMMIT_BYTES,
    );
    commitAndApply(store, map, many); // the step in this commit fails
    store.close();
    await disk.free();
    assert.ok(await journalRows(path) > 0, "the journal still has rows");
    const after = open();
    assertSameMap(after.map, map);
    after.store.close(after.map);
    assert.equal(await journalRows(path), 0, "the checkpoint is complete");
    const last = open();
    assertSameMap(last.map, map);
    last.store.close();
  },
});

Deno.test({
  name: "close() on a full disk does not throw, and the journal stays complete",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = pathOn(disk);
    const open = await storeOpener({ path });
    const { store, map } = open();
    for (let i = 0; i < 10; i++) {
      commitAndApply(store, map, scattered(i * 100, 100));
    }
    await disk.fill();
    store.close(map);
    store.close(map);
    await disk.free();
    assert.ok(await journalRows(path) > 0, "the journal still has rows");
    const after = open();
    assertSameMap(after.map, map);
    after.store.close();
  },
});
