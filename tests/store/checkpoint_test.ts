/** A journal that is folded bit by bit, and a server that may be killed at any of them. */
import assert from "node:assert/strict";
import { MAX_TILE_BYTES, OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, type Entry, StoreError } from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import { tempDir } from "../support/temp.ts";
import { applied, assertSameMap } from "./support.ts";

const T0 = 1_700_000_000_000;
/** Small enough for many folds, each over many commits and chunks. */
const MAX_JOURNAL_BYTES = 20_000;
const TILES = 4000;
/** xorshift32 (Marsaglia 2003): the same run every time. */
function randoms(seed: number): (below: number) => number {
  let s = seed;
  return (below) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % below;
  };
}

async function opener(path: string) {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  return () => {
    const store = new SqliteStore({
      path,
      durability: "commit",
      maxJournalBytes: MAX_JOURNAL_BYTES,
    });
    const map = new OccupancyMap();
    try {
      store.load(map);
    } catch (error) {
      store.close();
      throw error;
    }
    return { store, map };
  };
}

Deno.test({
  name:
    "SqliteStore loses and repeats nothing, when it is killed in the midst of folding",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const open = await opener(`${dir.path}/map.sqlite`);
    const random = randoms(7);
    const model = new OccupancyMap();
    let now = open();
    const keep = (entry: Entry) => {
      applyEntry(model, entry);
      now.store.commit([entry]);
      // It may be killed between these two: then the entry is there at the next start.
      if (random(40) === 0) reopen(random(4) === 0);
      else {
        applyEntry(now.map, entry);
        now.store.applied(now.map);
      }
    };
    const reopen = (cleanly: boolean) => {
      now.store.close(cleanly ? reloaded(now) : undefined);
      now = open();
      assertSameMap(now.map, model);
    };
    /** What a server that ends in good order has: all that was committed. */
    const reloaded = ({ map }: typeof now) => {
      return map.revision === model.revision ? map : undefined;
    };
    for (let i = 0; i < 1500; i++) {
      const time = T0 + 10 * i;
      if (random(50) === 0) keep({ kind: "age", now: time });
      else if (random(300) === 0) {
        const ageing = { staleAfter: 4000, forgetAfter: 9000, maxSkew: 1e6 };
        keep({ kind: "configure", now: time, ageing });
      } else {
        const rows = Array.from(
          { length: random(200) },
          () => [32 * random(TILES), random(2), random(3)] as const,
        );
        keep(applied(time, rows, random(3) === 0 ? "b" : "default"));
      }
    }
    reopen(true);
    now.store.close();
  },
});

Deno.test({
  name: "SqliteStore deletes what nothing needs any more",
  ...needs(),
  fn: async () => {
    const { DatabaseSync } = await import("node:sqlite");
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await opener(path);
    const random = randoms(9);
    let { store, map } = open();
    const keep = (rows: (readonly [number, number, number])[], i: number) => {
      const entry = applied(T0 + i, rows);
      store.commit([entry]);
      applyEntry(map, entry);
      store.applied(map);
    };
    keep(Array.from({ length: TILES }, (_, i) => [32 * i, 0, 1]), 0);
    store.close(map);
    const { size: once } = await Deno.stat(path);
    ({ store, map } = open());
    for (let i = 1; i < 4000; i++) {
      // Every tile again and again, but for those that are seldom touched.
      const below = random(20) === 0 ? TILES : TILES / 2;
      keep(
        Array.from({ length: 100 }, () => [32 * random(below), 0, i % 5]),
        i,
      );
    }
    store.close(map);
    const { size } = await Deno.stat(path);
    // Half of it may be garbage, and the journal twice as large as the tiles.
    assert.ok(size < 8 * once, `${once} bytes became ${size}`);
    const db = new DatabaseSync(path);
    const { rows } = db.prepare("SELECT count(*) AS rows FROM journal").get()!;
    const { bytes } = db
      .prepare("SELECT sum(length(tiles)) AS bytes FROM chunk").get()!;
    db.close();
    assert.equal(rows, 0);
    assert.ok(Number(bytes) < 3 * once, `${bytes} bytes of tiles`);
    const last = open();
    assertSameMap(last.map, map);
    last.store.close();
  },
});

Deno.test({
  name: "SqliteStore takes over a file of schema 1, a row a tile",
  ...needs(),
  fn: async () => {
    const { DatabaseSync } = await import("node:sqlite");
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await opener(path);
    const first = open();
    const entry = applied(T0, [[1, 1, 1], [99, 1, 2], [-40, 7, 3]]);
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
    const db = new DatabaseSync(path);
    db.exec(`
      DROP TABLE chunk;
      ALTER TABLE journal DROP COLUMN crc32;
      CREATE TABLE tile (
        layer TEXT NOT NULL, tx INTEGER NOT NULL, ty INTEGER NOT NULL,
        cells BLOB NOT NULL, PRIMARY KEY (layer, tx, ty)
      ) STRICT;
      DELETE FROM journal;
      DELETE FROM meta;
      PRAGMA user_version = 1`);
    const insert = db.prepare("INSERT INTO tile VALUES ('default', ?, 0, ?)");
    tiles.forEach((bytes, i) => insert.run(i, bytes));
    db.prepare("INSERT INTO meta VALUES ('revision', ?)").run(revision);
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
    "SqliteStore commits what there is room for, when there is none to fold, and folds later",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = `${disk.path}/map.sqlite`;
    const open = await opener(path);
    let { store, map } = open();
    const keep = (entry: Entry) => {
      store.commit([entry]);
      applyEntry(map, entry);
      store.applied(map);
    };
    const touch = (i: number, tiles: number) =>
      keep(applied(
        T0 + i,
        Array.from({ length: tiles }, (_, n) => [32 * n, 0, i % 7]),
      ));
    touch(0, 6000); // begins a fold of 300 KB
    await disk.fill();
    const filler = `${disk.path}/filler`;
    const giveBack = async (bytes: number) => {
      const { size } = await Deno.stat(filler);
      await Deno.truncate(filler, size - bytes);
    };
    await giveBack(160 * 1024);
    let i = 1;
    assert.throws(() => {
      for (; i < 100; i++) touch(i, 1);
    }, /The disk is full/);
    assert.ok(i > 1, "a part of the fold was written");
    await giveBack(24 * 1024); // for a commit or two, but not for more of the fold
    touch(i, 1);
    await disk.free();
    const reopen = () => {
      const before = map;
      store.close(); // as a crash would
      ({ store, map } = open());
      assertSameMap(map, before);
    };
    // Until a fold is complete: it must have the tiles of the one that was given up.
    for (let i = 1000; i < 1015; i++) touch(i, 3000);
    reopen();
    for (let i = 1015; i < 1020; i++) touch(i, 6000);
    reopen();
    store.close();
  },
});

Deno.test({
  name:
    "SqliteStore gives back the map or nothing, whichever bytes of its file the disk has lost",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await opener(path);
    const { store, map } = open();
    for (let i = 0; i < 40; i++) {
      const entry = applied(
        T0 + i,
        Array.from({ length: 100 }, (_, n) => [32 * i + n, i, n]),
      );
      store.commit([entry]);
      applyEntry(map, entry);
      if (i < 30) store.applied(map); // some in chunks, the rest in the journal
    }
    store.close();
    const good = await Deno.readFile(path);
    const random = randoms(11);
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = good.slice();
      const at = random(bytes.length);
      bytes.fill(random(256), at, at + 1 + random(600));
      await Deno.writeFile(path, bytes);
      try {
        const found = open();
        found.store.close();
        assertSameMap(found.map, map);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        assert.match(error.message, /damaged|is not an occupancy store/);
        assert.doesNotMatch(error.message, /undefined|null|[^ -~]/);
        refused++;
      }
    }
    assert.ok(refused > 100, `${refused} were refused`);
  },
});
