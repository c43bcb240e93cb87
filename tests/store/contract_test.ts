/** What every store does that keeps a map: a file, a Redis, a Redis Cluster. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { mapBytes, OccupancyMap } from "../../src/grid/mod.ts";
import {
  applyEntry,
  type Entry,
  type LoadLimit,
  type Store,
  StoreError,
} from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { RedisServer, startCluster } from "../support/redis.ts";
import { tempDir } from "../support/temp.ts";
import { openMember } from "./redis/redis_members.ts";
import { assertSameMap, commitAndApply, readingsEntry } from "./support.ts";

const T0 = 1_700_000_000_000;
const CONFIGURE: Entry = {
  kind: "configure",
  now: T0,
  ageing: { staleAfter: 2000, forgetAfter: 4000, maxSkew: 60_000 },
};

/** An open store, and its map. */
interface Opened {
  readonly store: Store;
  readonly map: OccupancyMap;
  /** Commits entries, and applies them or waits until they are. */
  commit(...entries: Entry[]): Promise<void>;
}

/** A kind of store. */
interface Kind extends AsyncDisposable {
  readonly shards: number;
  /**
   * Opens a store and loads its map.
   *
   * @param id stores of the same id have the same map
   */
  open(id: number, limit?: LoadLimit): Promise<Opened>;
}

interface KindOfStore {
  readonly name: string;
  readonly ignore: boolean;
  readonly numRuns: number;
  start(): Promise<Kind>;
}

async function startSqlite(): Promise<Kind> {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const dir = await tempDir();
  return {
    shards: 1,
    open: (id, limit) => {
      const path = `${dir.path}/${id}.sqlite`;
      const store = new SqliteStore({ path, durability: "commit" });
      const map = new OccupancyMap();
      try {
        store.load(map, limit);
      } catch (error) {
        store.close();
        return Promise.reject(error);
      }
      const commit = (...entries: Entry[]) => {
        commitAndApply(store, map, ...entries);
        return Promise.resolve();
      };
      return Promise.resolve({ store, map, commit });
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

function redisKind(redis: AsyncDisposable & { readonly url: string }): Kind {
  const shards = 4;
  return {
    shards,
    open: async (id, limit) => {
      const url = `${redis.url}/map-${id}`;
      const { store, map } = await openMember(url, {
        shards,
        ...(limit && { limit }),
      });
      return { store, map, commit: (...entries) => store.commit(entries) };
    },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

const KINDS: readonly KindOfStore[] = [
  { name: "SQLite", ...needs(), numRuns: 30, start: startSqlite },
  {
    ...{ name: "Redis", ...needs("redis-server"), numRuns: 15 },
    start: async () => redisKind(await RedisServer.start()),
  },
  {
    ...{
      name: "a Redis Cluster",
      ...needs("redis-server", "redis-cli"),
      numRuns: 4,
    },
    start: async () =>
      redisKind(await startCluster({ masters: 3, replicas: 1 })),
  },
];

const small = fc.integer({ min: -40, max: 40 });
const layers = fc.constantFrom("default", "b", "ö/ä", "x".repeat(200));
const row = fc.tuple(
  small,
  small,
  fc.integer({ min: -1, max: 3 }),
  fc.integer({ min: T0 - 3000, max: T0 + 3000 }),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.array(row, { maxLength: 8 }), layers).map(
      ([rows, layer]) => (now: number) => readingsEntry(now, rows, layer),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant((now: number): Entry => ({ kind: "age", now })),
  },
  {
    weight: 1,
    arbitrary: layers.map((layer) => (now: number): Entry => ({
      ...{ kind: "delete", now, layer },
    })),
  },
  { weight: 2, arbitrary: fc.constant("crash" as const) },
  { weight: 1, arbitrary: fc.constant("restart" as const) },
);

for (const { name, ignore, numRuns, start } of KINDS) {
  Deno.test({
    name: `${name} gives the same map as memory after any number of restarts`,
    ignore,
    async fn() {
      await using kind = await start();
      const { shards } = kind;
      let id = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(step, fc.nat(700)), { maxLength: 20 }),
          async (steps) => {
            id++;
            const model = new OccupancyMap({}, { shards });
            let current = await kind.open(id);
            let now = T0;
            applyEntry(model, CONFIGURE);
            await current.commit(CONFIGURE);
            for (const [step, ms] of steps) {
              now += ms;
              if (typeof step === "string") {
                const map = step === "restart" ? current.map : undefined;
                await current.store.close(map);
                current = await kind.open(id);
              } else {
                applyEntry(model, step(now));
                await current.commit(step(now));
              }
            }
            assertSameMap(current.map, model);
            await current.store.close();
            current = await kind.open(id);
            assertSameMap(current.map, model);
            await current.store.close();
          },
        ),
        { numRuns },
      );
    },
  });

  Deno.test({
    name: `${name} keeps the time of the last entry alive, and records`,
    ignore,
    async fn() {
      await using kind = await start();
      const first = await kind.open(1);
      assert.equal(first.store.lastAlive, undefined);
      assert.deepEqual([...first.store.records!.load("zones")], []);
      first.store.records!.add("zones", () => Uint8Array.of(1, 2, 3));
      await first.commit({ kind: "alive", now: T0 });
      await first.commit({ kind: "alive", now: T0 + 1 }, CONFIGURE);
      await first.store.close(first.map);
      const second = await kind.open(1);
      assert.equal(second.store.lastAlive, T0 + 1);
      const [record] = second.store.records!.load("zones");
      assert.deepEqual([...record![1]], [1, 2, 3]);
      await second.store.close();
    },
  });

  Deno.test({
    name: `${name} refuses a map that does not fit in memory`,
    ignore,
    async fn() {
      await using kind = await start();
      const first = await kind.open(1);
      for (let i = 0; i < 5; i++) {
        const rows = Array.from(
          { length: 20_000 },
          (_, k) => [k % 200 * 32, 32 * (1000 * i + Math.floor(k / 200)), 1],
        ) as [number, number, number][];
        await first.commit(readingsEntry(T0, rows));
      }
      const bytes = mapBytes(first.map);
      await first.store.close(first.map);
      const memoryBytes = 512 * 2 ** 20;
      await assert.rejects(
        kind.open(1, { maxBytes: bytes / 2, memoryBytes }),
        (error) => {
          assert.ok(error instanceof StoreError, String(error));
          assert.match(error.message, /MiB of memory, the server has 512 MiB/);
          return true;
        },
      );
      const fits = await kind.open(1, { maxBytes: 2 * bytes, memoryBytes });
      assertSameMap(fits.map, first.map);
      await fits.store.close();
    },
  });

  Deno.test({
    name: `${name} commits nothing after its end`,
    ignore,
    async fn() {
      await using kind = await start();
      const { store, commit } = await kind.open(1);
      await store.close();
      await store.close();
      await assert.rejects(async () => await commit(CONFIGURE), StoreError);
    },
  });
}
