/** Checkpoints in steps, and a server that is killed at any of them. */
import assert from "node:assert/strict";
import { MAX_TILE_BYTES, OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, type Entry, StoreError } from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { randomIntegers } from "../support/random.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import { tempDir } from "../support/temp.ts";
import {
  assertSameMap,
  commitAndApply,
  execSql,
  queryNumber,
  readingsEntry,
  storeOpener,
} from "./support.ts";

const T0 = 1_700_000_000_000;
/** Small, for many checkpoints, each with many commits and chunks. */
const MAX_JOURNAL_BYTES = 20_000;
const TILES = 4000;

/** Opens the store `map.sqlite` of a folder. */
function openerIn(folder: string) {
  return storeOpener({
    path: `${folder}/map.sqlite`,
    durability: "commit",
    maxJournalBytes: MAX_JOURNAL_BYTES,
  });
}

Deno.test({
  name: "SqliteStore has each entry once after a kill during a checkpoint",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const open = await openerIn(dir.path);
    const random = randomIntegers(7);
    const model = new OccupancyMap();
    let current = open();
    const commit = (entry: Entry) => {
      applyEntry(model, entry);
      current.store.commit([entry]);
      // A server killed between commit and apply has the entry after a restart.
      if (random(40) === 0) reopen(random(4) === 0);
      else {
        applyEntry(current.map, entry);
        current.store.applied(current.map);
      }
    };
    const reopen = (cleanly: boolean) => {
      current.store.close(cleanly ? completeMap(current) : undefined);
      current = open();
      assertSameMap(current.map, model);
    };
    /** The map, if all committed entries were applied to it. */
    const completeMap = ({ map }: typeof current) => {
      return map.revision === model.revision ? map : undefined;
    };
    for (let i = 0; i < 1500; i++) {
      const time = T0 + 10 * i;
      if (random(50) === 0) commit({ kind: "age", now: time });
      else if (random(300) === 0) {
        const ageing = { staleAfter: 4000, forgetAfter: 9000, maxSkew: 1e6 };
        commit({ kind: "configure", now: time, ageing });
      } else if (random(60) === 0) {
        const layer = random(4) === 0 ? "default" : "b";
        commit({ kind: "delete", now: time, layer });
      } else if (random(20) === 0) {
        const layer = random(2) === 0 ? "default" : "b";
        const { ageing } = model;
        const found = model.layer(layer)?.longUnknown(0, time, ageing, 500);
        if (found === undefined) continue;
        commit({ kind: "remove", now: time, layer, cells: found.cells });
      } else {
        const rows = Array.from(
          { length: random(200) },
          () => [32 * random(TILES), random(2), random(4) - 1] as const,
        );
        commit(readingsEntry(time, rows, random(3) === 0 ? "b" : "default"));
      }
    }
    reopen(true);
    current.store.close();
  },
});

Deno.test({
  name: "SqliteStore deletes obsolete chunks and journal rows",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    const random = randomIntegers(9);
    let { store, map } = open();
    const commit = (rows: (readonly [number, number, number])[], i: number) =>
      commitAndApply(store, map, readingsEntry(T0 + i, rows));
    commit(Array.from({ length: TILES }, (_, i) => [32 * i, 0, 1]), 0);
    store.close(map);
    const { size: initialSize } = await Deno.stat(path);
    ({ store, map } = open());
    for (let i = 1; i < 4000; i++) {
      // One half of the tiles changes often, the other half rarely.
      const below = random(20) === 0 ? TILES : TILES / 2;
      commit(
        Array.from({ length: 100 }, () => [32 * random(below), 0, i % 5]),
        i,
      );
    }
    store.close(map);
    const { size } = await Deno.stat(path);
    // Half of the chunks may be garbage; the journal may be twice as large.
    assert.ok(size < 8 * initialSize, `${initialSize} bytes became ${size}`);
    assert.equal(await queryNumber(path, "SELECT count(*) FROM journal"), 0);
    const tileBytes = await queryNumber(
      path,
      "SELECT sum(length(tiles)) FROM chunk",
    );
    assert.ok(tileBytes < 3 * initialSize, `${tileBytes} bytes of tiles`);
    const last = open();
    assertSameMap(last.map, map);
    last.store.close();
  },
});

/** Layers of one chunk and more, some deleted and created again. */
const LAYERS = ["a", "b", "c", "d"];

Deno.test({
  name:
    "SqliteStore drops a deleted layer from the file, and never restores it after a kill",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    let { store, map } = open();
    const random = randomIntegers(3);
    const rows = (count: number) =>
      Array.from(
        { length: count },
        () => [32 * random(TILES), random(2), random(3)] as const,
      );
    for (let i = 0; i < 1200; i++) {
      const layer = LAYERS[random(LAYERS.length)]!;
      const entry: Entry = random(25) === 0
        ? { kind: "delete", now: T0 + i, layer }
        : readingsEntry(T0 + i, rows(random(300)), layer);
      commitAndApply(store, map, entry);
      if (random(12) !== 0) continue;
      const before = map;
      store.close(random(5) === 0 ? map : undefined); // else like a kill
      ({ store, map } = open());
      assertSameMap(map, before);
    }
    for (const layer of LAYERS) {
      commitAndApply(store, map, { kind: "delete", now: T0 + 5000, layer });
    }
    commitAndApply(store, map, readingsEntry(T0 + 5001, rows(10), "kept"));
    for (let times = 0; times < 2; times++) {
      const before = map;
      store.close(map);
      ({ store, map } = open());
      assertSameMap(map, before);
    }
    store.close(map);
    const others = "SELECT count(*) FROM chunk WHERE layer <> 'kept'";
    assert.equal(await queryNumber(path, others), 0);
  },
});

Deno.test({
  name:
    "SqliteStore never restores removed cells, also of a layer that was rebuilt",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    let { store, map } = open();
    const reopen = (cleanly: boolean) => {
      const before = map;
      store.close(cleanly ? map : undefined);
      ({ store, map } = open());
      assertSameMap(map, before);
    };
    const value = (tile: number) => tile % 50 === 0 ? 1 : -1;
    for (let round = 0; round < 4; round++) {
      const now = T0 + 10_000 * round;
      const rows = Array.from(
        { length: TILES },
        (_, tile) => [32 * tile, 0, value(tile)] as const,
      );
      commitAndApply(store, map, readingsEntry(now, rows));
      reopen(round % 2 === 0); // the tiles are in chunks
      for (;;) {
        const grid = map.layer("default")!;
        const found = grid.longUnknown(0, now + 1, map.ageing, 0);
        const cells = {
          length: Math.min(700, found.cells.length),
          x: found.cells.x.slice(0, 700),
          y: found.cells.y.slice(0, 700),
        };
        if (cells.length === 0) break;
        commitAndApply(store, map, {
          kind: "remove",
          now: now + 1,
          layer: "default",
          cells,
        });
        if (round > 1) reopen(round % 2 === 0);
      }
      assert.equal(map.size, TILES / 50);
      reopen(round % 2 === 1);
    }
    reopen(true);
    store.close(map);
    const bytes = await queryNumber(
      path,
      "SELECT sum(length(tiles)) FROM chunk",
    );
    assert.ok(bytes < 300 * TILES / 50, `${bytes} bytes of tiles`);
  },
});

Deno.test({
  name: "SqliteStore migrates a file of schema 2 and loads its map",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    const first = open();
    const entries = [
      readingsEntry(T0, [[1, 1, 1], [99, 1, 2], [-40, 7, 3]]),
      readingsEntry(T0, [[5, 5, 1]], "b"),
    ];
    commitAndApply(first.store, first.map, ...entries);
    first.store.close(first.map);
    await execSql(
      path,
      `ALTER TABLE chunk DROP COLUMN first;
       ALTER TABLE chunk DROP COLUMN began;
       DROP TABLE record;
       PRAGMA user_version = 2`,
    );
    const { store, map } = open();
    assertSameMap(map, first.map);
    store.close(map);
  },
});

Deno.test({
  name:
    "SqliteStore migrates a file of schema 1, which has a row for each tile",
  ...needs(),
  fn: async () => {
    const { DatabaseSync } = await import("node:sqlite");
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    const first = open();
    const entry = readingsEntry(T0, [[1, 1, 1], [99, 1, 2], [-40, 7, 3]]);
    first.store.commit([entry]);
    applyEntry(first.map, entry);
    const grid = first.map.layer("default")!;
    grid.beginSave();
    const tiles: Uint8Array[] = [];
    const bytes = new Uint8Array(MAX_TILE_BYTES);
    for (let saved; (saved = grid.nextSaved(bytes, 0));) {
      tiles.push(bytes.slice(0, saved.end));
    }
    grid.endSave(false);
    const { revision } = first.map;
    first.store.close();
    await execSql(
      path,
      `DROP TABLE chunk;
       ALTER TABLE journal DROP COLUMN crc32;
       CREATE TABLE tile (
         layer TEXT NOT NULL, tx INTEGER NOT NULL, ty INTEGER NOT NULL,
         cells BLOB NOT NULL, PRIMARY KEY (layer, tx, ty)
       ) STRICT;
       DELETE FROM journal;
       DELETE FROM meta;
       INSERT INTO meta VALUES ('revision', ${revision});
       DROP TABLE record;
       PRAGMA user_version = 1`,
    );
    const db = new DatabaseSync(path);
    const insert = db.prepare("INSERT INTO tile VALUES ('default', ?, 0, ?)");
    tiles.forEach((bytes, i) => insert.run(i, bytes));
    db.close();
    for (let times = 0; times < 2; times++) {
      const { store, map } = open();
      assertSameMap(map, first.map);
      store.close(map);
    }
  },
});

Deno.test({
  name:
    "SqliteStore commits without a checkpoint step if the disk has no space for it",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const open = await openerIn(disk.path);
    let { store, map } = open();
    const touch = (i: number, tiles: number) => {
      const rows = Array.from(
        { length: tiles },
        (_, tile) => [32 * tile, 0, i % 7] as const,
      );
      commitAndApply(store, map, readingsEntry(T0 + i, rows));
    };
    touch(0, 6000); // begins a checkpoint of 300 KB
    await disk.fill();
    const filler = `${disk.path}/filler`;
    const free = async (bytes: number) => {
      const { size } = await Deno.stat(filler);
      await Deno.truncate(filler, size - bytes);
    };
    await free(160 * 1024);
    let i = 1;
    assert.throws(() => {
      for (; i < 100; i++) touch(i, 1);
    }, /the disk is full/);
    assert.ok(i > 1, "a part of the checkpoint was written");
    await free(24 * 1024); // for one or two commits, not for a step
    touch(i, 1);
    await disk.free();
    const reopen = () => {
      const before = map;
      store.close(); // without the map, like a crash
      ({ store, map } = open());
      assertSameMap(map, before);
    };
    // The next checkpoint must include the tiles of the abandoned one.
    for (let i = 1000; i < 1015; i++) touch(i, 3000);
    reopen();
    for (let i = 1015; i < 1020; i++) touch(i, 6000);
    reopen();
    store.close();
  },
});

Deno.test({
  name:
    "SqliteStore loads the complete map or rejects the file if bytes of it were changed",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    const { store, map } = open();
    for (let i = 0; i < 40; i++) {
      // The chunks of "b" name their first one and the deletion before it.
      const entry: Entry = i % 8 === 7
        ? { kind: "delete", now: T0 + i, layer: "b" }
        : readingsEntry(
          T0 + i,
          Array.from({ length: 100 }, (_, n) => [32 * i + n, i, n]),
          i % 2 === 0 ? "default" : "b",
        );
      store.commit([entry]);
      applyEntry(map, entry);
      if (i < 30) store.applied(map); // the rest stays in the journal
    }
    store.close();
    const original = await Deno.readFile(path);
    const random = randomIntegers(11);
    let rejected = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = original.slice();
      const at = random(bytes.length);
      bytes.fill(random(256), at, at + 1 + random(600));
      await Deno.writeFile(path, bytes);
      try {
        const reopened = open();
        reopened.store.close();
        assertSameMap(reopened.map, map);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        assert.match(error.message, /damaged|is not an occupancy store/);
        assert.doesNotMatch(error.message, /undefined|null|[^ -~]/);
        rejected++;
      }
    }
    assert.ok(rejected > 50, `${rejected} were rejected`);
  },
});
