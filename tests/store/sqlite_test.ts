import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, type Entry, StoreError } from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import {
  assertSameMap,
  commitAndApply,
  execSql,
  readingsEntry,
  storeOpener,
} from "./support.ts";

const T0 = 1_700_000_000_000;

/** Opens the store `map.sqlite` of a folder. */
function openerIn(folder: string) {
  return storeOpener({ path: `${folder}/map.sqlite`, durability: "commit" });
}

Deno.test({
  name: "SqliteStore restores the same map, with and without checkpoints",
  ...needs(),
  async fn() {
    for (const maxJournalBytes of [1, 500, 1e9]) {
      await using dir = await tempDir();
      const open = await openerIn(dir.path);
      const first = open({ maxJournalBytes });
      const commit = (...entries: Entry[]) =>
        commitAndApply(first.store, first.map, ...entries);
      commit(
        {
          kind: "configure",
          now: T0,
          ageing: { staleAfter: 1000, forgetAfter: 5000, maxSkew: 60_000 },
        },
        readingsEntry(T0, [[1, 2, 0], [1, 3, 1], [-5, 9, 7]]),
      );
      commit(readingsEntry(T0 + 10, [[1, 2, 1]], "hall/l2"));
      commit(readingsEntry(T0 + 20, [[1, 2, 3], [1, 3, 1]]));
      commit({ kind: "age", now: T0 + 2000 });
      first.store.close(); // without the map, like a crash
      const second = open();
      assertSameMap(second.map, first.map);
      second.store.close(second.map);
      const third = open();
      assertSameMap(third.map, first.map);
      third.store.close();
    }
  },
});

Deno.test({
  name: "SqliteStore gives the same map as memory after any number of restarts",
  ...needs(),
  async fn() {
    const small = fc.integer({ min: -40, max: 40 });
    const row = fc.tuple(
      small,
      small,
      fc.integer({ min: -1, max: 3 }),
      fc.integer({ min: T0 - 3000, max: T0 + 3000 }),
    );
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(
          fc.array(row, { maxLength: 8 }),
          fc.constantFrom("default", "b"),
          fc.nat(5000),
        ).map(([rows, layer, at]): Entry =>
          readingsEntry(T0 + at, rows, layer)
        ),
      },
      {
        weight: 2,
        arbitrary: fc.nat(9000).map((at): Entry => ({
          kind: "age",
          now: T0 + at,
        })),
      },
      { weight: 2, arbitrary: fc.constant("crash" as const) },
      { weight: 1, arbitrary: fc.constant("restart" as const) },
    );
    await using dir = await tempDir();
    const openFile = await openerIn(dir.path);
    let run = 0;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom(1, 400, 1e9),
        (steps, maxJournalBytes) => {
          const path = `${dir.path}/${run++}.sqlite`;
          const open = () => openFile({ path, maxJournalBytes });
          const model = new OccupancyMap();
          let current = open();
          const configure: Entry = {
            kind: "configure",
            now: T0,
            ageing: { staleAfter: 2000, forgetAfter: 4000, maxSkew: 60_000 },
          };
          applyEntry(model, configure);
          commitAndApply(current.store, current.map, configure);
          for (const step of steps) {
            if (step === "crash" || step === "restart") {
              current.store.close(step === "restart" ? current.map : undefined);
              current = open();
            } else {
              applyEntry(model, step);
              commitAndApply(current.store, current.map, step);
            }
          }
          current.store.close();
          current = open();
          assertSameMap(current.map, model);
          current.store.close();
        },
      ),
      { numRuns: 60 },
    );
  },
});

Deno.test({
  name: "SqliteStore rejects a file that another server is using",
  ...needs(),
  async fn() {
    await using dir = await tempDir();
    const open = await openerIn(dir.path);
    const { store } = open();
    assert.throws(
      () => open(),
      (error) =>
        error instanceof StoreError &&
        /another server is using it/.test(error.message),
    );
    store.close();
    open().store.close();
  },
});

Deno.test({
  name:
    "SqliteStore rejects foreign, newer and damaged files, and does not change them",
  ...needs(),
  async fn() {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    const assertRejected = async (message: RegExp) => {
      const before = await Deno.readFile(path);
      assert.throws(() => open(), (error) => {
        assert.ok(error instanceof StoreError, String(error));
        assert.match(error.message, message);
        assert.ok(error.hint);
        return true;
      });
      assert.deepEqual(await Deno.readFile(path), before);
    };
    await Deno.writeTextFile(path, "a letter to my aunt\n".repeat(100));
    await assertRejected(/is not an occupancy store/);
    await Deno.remove(path);

    await execSql(
      path,
      "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')",
    );
    await assertRejected(/is not an occupancy store/);
    await Deno.remove(path);

    const { store, map } = open();
    commitAndApply(
      store,
      map,
      readingsEntry(
        T0,
        Array.from({ length: 5000 }, (_, i) => [i * 7 % 900, i, 1]),
      ),
    );
    store.close(map);
    await execSql(path, "PRAGMA user_version = 99");
    await assertRejected(/newer version/);
    await execSql(
      path,
      "PRAGMA user_version = 5; UPDATE chunk SET tiles = x'0102' WHERE id = 3",
    );
    await assertRejected(/is damaged \(row 3 has a wrong checksum\)/);
    const bytes = await Deno.readFile(path);
    bytes.fill(0xa5, 8192, bytes.length);
    await Deno.writeFile(path, bytes);
    await assertRejected(/is damaged/);
  },
});

Deno.test({
  name: "SqliteStore rejects a directory, and a path without a directory",
  ...needs(),
  async fn() {
    await using dir = await tempDir();
    const path = `${dir.path}/map.sqlite`;
    const open = await openerIn(dir.path);
    await Deno.mkdir(path);
    assert.throws(() => open(), /is a directory/);
    assert.throws(
      () => open({ path: `${path}/no/such/map.sqlite` }),
      /Cannot open/,
    );
  },
});
