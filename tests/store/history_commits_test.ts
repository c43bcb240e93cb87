/** The history of a file is committed with the entries, before checkpoints. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { SqliteOptions } from "../../src/store/sqlite.ts";
import { needs } from "../support/needs.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { bytesFor, QueuedWork } from "./history_support.ts";
import {
  assertSameMap,
  commitAndApply,
  execSql,
  queryNumber,
  readingsEntry,
} from "./support.ts";

const T0 = 1_700_000_000_000;
const HOUR = 490_000;
const COUNT_JOURNAL = "SELECT count(*) FROM journal";

/** Opens a store that records, and loads its map. */
async function openRecording(options: SqliteOptions) {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const store = new SqliteStore({ durability: "commit", ...options });
  const work = new QueuedWork();
  store.historyWork = work;
  const map = new OccupancyMap();
  work.onReplay = () => work.cellsAtReplay.push(map.size);
  store.load(map);
  return { store, work, map };
}

/** The entry number n: it sets a cell that no other one sets. */
function entry(n: number) {
  return readingsEntry(T0 + n, [[n * 32, 0, 1]]);
}

/** Copies the files of an open store: what is left of it after a kill. */
async function copyOf(path: string, to: string): Promise<void> {
  await Deno.copyFile(path, to);
  await Deno.copyFile(`${path}-wal`, `${to}-wal`);
}

Deno.test({
  name:
    "after a kill at any time, an entry is in the history or in the journal",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const { store, work, map } = await openRecording({
      path,
      maxJournalBytes: 500,
    });
    let withoutReplay = 0;
    for (let n = 1; n <= 120; n++) {
      // The history is behind at times, and catches up.
      work.perWrite = n % 10 < 4 ? 0 : 3;
      commitAndApply(store, map, entry(n));
      work.add((tables) => {
        tables.appendPart("default", n, 0, HOUR, bytesFor(n));
        tables.putMeta("last", n);
      });
      const copy = `${dir.path}/killed-${n}.sqlite`;
      await copyOf(path, copy);
      const after = await openRecording({ path: copy });
      assertSameMap(after.map, map);
      const { history } = after.store;
      const last = history.meta.get("last") ?? 0;
      const tiles = await history.tilesOf("default", undefined, 999);
      assert.equal(tiles.length, last);
      assert.equal(history.size().parts.rows, last);
      for (let i = 1; i <= last; i++) {
        const [part, ...more] = history.hourRows("default", i, 0, HOUR);
        assert.deepEqual([part!.bytes, more.length], [bytesFor(i), 0]);
      }
      const first = after.work.replayed[0] ?? T0 + n + 1;
      assert.ok(
        first <= T0 + last + 1,
        `${n}: ${last} in the history, replay from ${first - T0}`,
      );
      if (first > T0 + 1) withoutReplay++;
      after.store.close();
      await Deno.remove(copy);
    }
    assert.ok(withoutReplay > 50, "checkpoints were completed");
    store.close(map);
    assert.equal(await queryNumber(path, COUNT_JOURNAL), 0);
    const last = await openRecording({ path });
    assert.equal(last.store.history.meta.get("last"), 120);
    last.store.close();
  },
});

Deno.test({
  name: "the map at beforeReplay() is that before the entry",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const { store, map } = await openRecording({ path });
    for (let n = 1; n <= 3; n++) commitAndApply(store, map, entry(n));
    store.close();
    const { work, ...after } = await openRecording({ path });
    assert.deepEqual(work.replayed, [T0 + 1, T0 + 2, T0 + 3]);
    assert.deepEqual(work.cellsAtReplay, [0, 1, 2]);
    after.store.close();
  },
});

Deno.test({
  name: "a checkpoint waits for the history, but not without an end",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const maxJournalBytes = 2000;
    for (const end of ["history", "journal"] as const) {
      const { store, work, map } = await openRecording({
        path,
        maxJournalBytes,
      });
      let isDurable = false;
      work.isDurable = () => isDurable;
      let commits = 0;
      let seenBytes = 0;
      const rows = async () => {
        await copyOf(path, `${dir.path}/copy`);
        return await queryNumber(`${dir.path}/copy`, COUNT_JOURNAL);
      };
      const commit = () => {
        commitAndApply(store, map, readingsEntry(T0, [[0, 0, commits++]]));
      };
      while (seenBytes < 2.8 * maxJournalBytes) {
        assert.ok(commits < 1000, "the journal does not grow");
        commit();
        await copyOf(path, `${dir.path}/copy`);
        seenBytes = await queryNumber(
          `${dir.path}/copy`,
          "SELECT sum(length(entries)) FROM journal",
        );
      }
      assert.equal(await rows(), commits, "nothing was deleted");
      if (end === "history") isDurable = true;
      for (let i = 0; i < 60; i++) commit();
      assert.ok(await rows() < commits, "the checkpoint is complete");
      isDurable = true;
      store.close(map);
    }
  },
});

Deno.test({
  name: "without the disk for history, entries alone are committed",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = `${disk.path}/map.sqlite`;
    const { store, work, map } = await openRecording({ path });
    commitAndApply(store, map, entry(1));
    await disk.fill();
    const filler = `${disk.path}/filler`;
    await Deno.truncate(filler, (await Deno.stat(filler)).size - 100_000);
    work.add((tables) => {
      for (let tx = 0; tx < 500; tx++) {
        tables.appendPart("default", tx, 0, HOUR, bytesFor(tx, 1000));
      }
    });
    commitAndApply(store, map, entry(2));
    assert.match(store.historyProblem!.message, /the disk is full/);
    assert.equal(work.waiting, 1);
    assert.equal(store.problem(), undefined, "entries are committed");
    const attempts = work.budgets.length;
    commitAndApply(store, map, entry(3)); // paused: no further attempt
    assert.equal(work.budgets.length, attempts);
    assert.equal(store.history.size().parts.rows, 0);
    await disk.free();
    await until(() => store.commitHistory() === undefined);
    assert.equal(store.historyProblem, undefined);
    assert.equal(work.waiting, 0);
    assert.equal(store.history.hourRows("default", 7, 0, HOUR).length, 1);
    store.close();
    const after = await openRecording({ path });
    assertSameMap(after.map, map);
    assert.equal(after.store.history.size().parts.rows, 500);
    after.store.close();
  },
});

Deno.test({
  name: "history that cannot be written stops no entries and no checkpoints",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const { store, work, map } = await openRecording({
      path,
      maxJournalBytes: 100,
    });
    work.isDurable = () => true;
    work.failWith = new RangeError("a bug");
    work.add((tables) => tables.putMeta("n", 1));
    for (let n = 1; n <= 40; n++) commitAndApply(store, map, entry(n));
    assert.match(store.historyProblem!.message, /a bug/);
    store.close(map);
    assert.equal(await queryNumber(path, COUNT_JOURNAL), 0);
  },
});

Deno.test({
  name: "close() with the map writes all history, and keeps the journal if not",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    for (const fails of [true, false]) {
      const { store, work, map } = await openRecording({ path });
      work.perWrite = 0;
      commitAndApply(store, map, entry(1));
      work.add((tables) => tables.putMeta("n", 1));
      if (fails) work.failWith = new Error("no");
      store.close(map);
      const rows = await queryNumber(path, COUNT_JOURNAL);
      if (fails) assert.ok(rows > 0, "the journal is kept");
      else assert.equal(rows, 0);
    }
    const { store } = await openRecording({ path });
    assert.equal(store.history.meta.get("n"), 1);
    store.close();
  },
});

Deno.test({
  name: "a row with changed bytes is reported, and the others are read",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const { store, work } = await openRecording({ path });
    work.add((tables) => {
      for (let i = 0; i < 3; i++) {
        tables.putBlock("a", 1, 0, HOUR + i, bytesFor(i));
        tables.putFrame("a", 1, 0, HOUR + i, bytesFor(i));
        tables.putCellDay("a", 1, 0, i, bytesFor(i));
        tables.putZoneDay("z", "a", i, bytesFor(i));
      }
    });
    for (let i = 0; i < 3; i++) {
      work.add((tables) => tables.appendPart("a", 1, 0, HOUR, bytesFor(i)));
    }
    assert.equal(store.commitHistory(), undefined);
    store.close();
    const tables = ["part", "block", "frame", "cell_day", "zone_day"];
    for (const table of tables) {
      await execSql(
        path,
        `UPDATE history_${table} SET bytes = zeroblob(20) WHERE id =
           (SELECT id FROM history_${table} ORDER BY id LIMIT 1 OFFSET 1)`,
      );
    }
    const after = await openRecording({ path });
    const { history } = after.store;
    const intact = (rows: readonly { bytes: Uint8Array | undefined }[]) =>
      rows.map(({ bytes }) => bytes !== undefined);
    const expected = [true, false, true];
    const { blocks, open } = history.tileRows("a", 1, 0, HOUR - 1, HOUR);
    assert.deepEqual(intact(blocks), [true]);
    assert.deepEqual(open.map(({ parts }) => intact(parts)), [expected]);
    assert.deepEqual(intact(history.hourRows("a", 1, 0, HOUR)), [
      true,
      ...expected,
    ]);
    assert.deepEqual(
      intact(history.blocks("a", 1, 0, HOUR, HOUR + 9)),
      expected,
    );
    assert.deepEqual(intact(history.cellDays("a", 1, 0, 0, 9)), expected);
    assert.deepEqual(intact(history.zoneDays("z", 0, 9)), expected);
    assert.deepEqual(history.frameBefore("a", 1, 0, HOUR + 1), {
      hour: HOUR + 1,
      bytes: undefined,
    });
    assert.ok(history.frameBefore("a", 1, 0, HOUR)!.bytes);
    after.store.close();
  },
});

Deno.test({
  name: "a file of schema 4 is opened, and gets the tables of the history",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const { store, map } = await openRecording({ path });
    commitAndApply(store, map, entry(1));
    store.close();
    const tables = [
      ...["meta", "layer", "tile", "batch", "part", "block", "frame"],
      ...["cell_day", "zone", "zone_day", "gap"],
    ];
    const drop = tables.map((table) => `DROP TABLE history_${table};`);
    await execSql(path, `${drop.join("")} PRAGMA user_version = 4`);
    const after = await openRecording({ path });
    assertSameMap(after.map, map);
    after.work.add((t) => t.putBlock("a", 1, 0, HOUR, bytesFor(1)));
    commitAndApply(after.store, after.map, entry(2));
    after.store.close();
    assert.equal(await queryNumber(path, "PRAGMA user_version"), 5);
    const last = await openRecording({ path });
    assert.equal(last.store.history.size().blocks.rows, 1);
    last.store.close();
  },
});

Deno.test({
  name:
    "close() returns if the history is never written, and keeps the journal",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const { store, work, map } = await openRecording({ path });
    work.isDurable = () => false;
    commitAndApply(store, map, entry(1));
    store.close(map);
    assert.equal(await queryNumber(path, COUNT_JOURNAL), 1);
  },
});
