import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, type Entry, StoreError } from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { applied, assertSameMap, keep } from "./support.ts";

const T0 = 1_700_000_000_000;

async function withStore(
  fn: (path: string, open: OpenStore) => void | Promise<void>,
): Promise<void> {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  await using dir = await tempDir();
  const path = `${dir.path}/map.sqlite`;
  await fn(path, (options = {}) => {
    const store = new SqliteStore({ path, durability: "commit", ...options });
    const map = new OccupancyMap();
    try {
      store.load(map);
    } catch (error) {
      store.close();
      throw error;
    }
    return { store, map };
  });
}

type OpenStore = (
  options?: { maxJournalBytes?: number; path?: string },
) => {
  store: import("../../src/store/sqlite.ts").SqliteStore;
  map: OccupancyMap;
};

Deno.test({
  name:
    "SqliteStore gives back the same map, whether its journal was folded or not",
  ...needs(),
  async fn() {
    for (const maxJournalBytes of [1, 500, 1e9]) {
      await withStore((_path, open) => {
        const first = open({ maxJournalBytes });
        keep(
          first.store,
          first.map,
          {
            kind: "configure",
            now: T0,
            ageing: { staleAfter: 1000, forgetAfter: 5000, maxSkew: 60_000 },
          },
          applied(T0, [[1, 2, 0], [1, 3, 1], [-5, 9, 7]]),
        );
        keep(first.store, first.map, applied(T0 + 10, [[1, 2, 1]], "hall/l2"));
        keep(first.store, first.map, applied(T0 + 20, [[1, 2, 3], [1, 3, 1]]));
        keep(first.store, first.map, { kind: "age", now: T0 + 2000 });
        first.store.close(); // without the map: as if it had been killed
        const second = open();
        assertSameMap(second.map, first.map);
        second.store.close(second.map);
        const third = open();
        assertSameMap(third.map, first.map);
        third.store.close();
      });
    }
  },
});

Deno.test({
  name:
    "SqliteStore ends in the same map as memory, however often it is reopened",
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
        ).map(([rows, layer, at]): Entry => applied(T0 + at, rows, layer)),
      },
      {
        weight: 2,
        arbitrary: fc.nat(9000).map((at): Entry => ({
          kind: "age",
          now: T0 + at,
        })),
      },
      { weight: 2, arbitrary: fc.constant("reopen" as const) },
      { weight: 1, arbitrary: fc.constant("close" as const) },
    );
    const { SqliteStore } = await import("../../src/store/sqlite.ts");
    await using dir = await tempDir();
    let run = 0;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom(1, 400, 1e9),
        (steps, maxJournalBytes) => {
          const path = `${dir.path}/${run++}.sqlite`;
          const open = () => {
            const store = new SqliteStore({
              path,
              durability: "commit",
              maxJournalBytes,
            });
            const map = new OccupancyMap();
            store.load(map);
            return { store, map };
          };
          const model = new OccupancyMap();
          let now = open();
          const configure: Entry = {
            kind: "configure",
            now: T0,
            ageing: { staleAfter: 2000, forgetAfter: 4000, maxSkew: 60_000 },
          };
          applyEntry(model, configure);
          keep(now.store, now.map, configure);
          for (const step of steps) {
            if (step === "reopen" || step === "close") {
              now.store.close(step === "close" ? now.map : undefined);
              now = open();
            } else {
              applyEntry(model, step);
              keep(now.store, now.map, step);
            }
          }
          now.store.close();
          now = open();
          assertSameMap(now.map, model);
          now.store.close();
        },
      ),
      { numRuns: 60 },
    );
  },
});

Deno.test({
  name: "SqliteStore refuses a file that another server is using, and says so",
  ...needs(),
  async fn() {
    await withStore((_path, open) => {
      const { store } = open();
      assert.throws(
        () => open(),
        (error) =>
          error instanceof StoreError &&
          /Another server is using/.test(error.message),
      );
      store.close();
      open().store.close();
    });
  },
});

Deno.test({
  name:
    "SqliteStore refuses foreign, newer and damaged files, and leaves them as they are",
  ...needs(),
  async fn() {
    const { DatabaseSync } = await import("node:sqlite");
    await withStore(async (path, open) => {
      const refused = async (says: RegExp) => {
        const before = await Deno.readFile(path);
        assert.throws(() => open(), (error) => {
          assert.ok(error instanceof StoreError, String(error));
          assert.match(error.message, says);
          assert.ok(error.hint);
          return true;
        });
        assert.deepEqual(await Deno.readFile(path), before);
      };
      await Deno.writeTextFile(path, "a letter to my aunt\n".repeat(100));
      await refused(/is not an occupancy store/);
      await Deno.remove(path);

      const other = new DatabaseSync(path);
      other.exec(
        "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')",
      );
      other.close();
      await refused(/is not an occupancy store/);
      await Deno.remove(path);

      const { store, map } = open();
      keep(
        store,
        map,
        applied(
          T0,
          Array.from({ length: 5000 }, (_, i) => [i * 7 % 900, i, 1]),
        ),
      );
      store.close(map);
      const newer = new DatabaseSync(path);
      newer.exec("PRAGMA user_version = 99");
      newer.close();
      await refused(/newer version/);
      const back = new DatabaseSync(path);
      back.exec(
        "PRAGMA user_version = 2; UPDATE chunk SET tiles = x'0102' WHERE id = 3",
      );
      back.close();
      await refused(/is damaged/);
      const bytes = await Deno.readFile(path);
      bytes.fill(0xa5, 8192, bytes.length);
      await Deno.writeFile(path, bytes);
      await refused(/is damaged/);
    });
  },
});

Deno.test({
  name:
    "SqliteStore says what is wrong with a directory, and with a missing one",
  ...needs(),
  async fn() {
    await withStore(async (path, open) => {
      await Deno.mkdir(path);
      assert.throws(() => open(), /is a directory/);
      assert.throws(
        () => open({ path: `${path}/no/such/map.sqlite` }),
        /Cannot open/,
      );
    });
  },
});
