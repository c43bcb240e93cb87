/** The kinds of tables of the history, each opened for a test of the contract. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type {
  HistoryRemoval,
  HistoryRow,
  HistoryTables,
  Store,
} from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { QueuedWork } from "./history_support.ts";

/** A kind of store whose history fulfils the contract. */
export interface Kind {
  readonly name: string;
  /** True if a tile is forgotten only with its layer. Default false. */
  readonly keepsTiles?: boolean;
  /** What it runs. */
  readonly programs?: readonly "redis-server"[];
  /** Opens a store that is not loaded; it is closed before the directory. */
  open(dir: string): Promise<Store>;
}

const KINDS: readonly Kind[] = [
  {
    name: "SQLite",
    open: async (dir) => {
      const { SqliteStore } = await import("../../src/store/sqlite.ts");
      const path = `${dir}/map.sqlite`;
      return new SqliteStore({ path, durability: "commit" });
    },
  },
  {
    name: "memory",
    open: async () => {
      const { MemoryStore } = await import("../../src/store/memory.ts");
      return new MemoryStore();
    },
  },
  {
    name: "Redis",
    programs: ["redis-server"],
    keepsTiles: true,
    open: async () => {
      const { RedisServer } = await import("../support/redis.ts");
      const { openStore } = await import("../../src/store/open.ts");
      const redis = await RedisServer.start();
      const store = await openStore(redis.url, {
        durability: "commit",
        redis: { name: "a", shards: 1, replicas: 0 },
      });
      const close = store.close.bind(store);
      store.close = async () => {
        await close();
        await redis[Symbol.asyncDispose]();
      };
      return store;
    },
  },
];

/** A store whose history the test changes, each time in a transaction. */
export interface Opened {
  readonly tables: HistoryTables;
  /** Changes the tables and commits. */
  change<T>(work: (tables: HistoryTables) => T): Promise<T>;
  /** Changes the tables in a transaction that fails. */
  rollBack(work: (tables: HistoryTables) => void): Promise<void>;
}

/**
 * Declares a test of each kind.
 *
 * @param only of which kinds. Default: of all
 */
export function describe(
  name: string,
  test: (opened: Opened) => Promise<void>,
  only?: { readonly keepsTiles: boolean },
): void {
  for (const kind of KINDS) {
    const { keepsTiles = false } = kind;
    if (only !== undefined && only.keepsTiles !== keepsTiles) continue;
    Deno.test({
      name: `${kind.name}: ${name}`,
      ...needs(...kind.programs ?? []),
      fn: async () => {
        await using dir = await tempDir();
        const store = await kind.open(dir.path);
        const work = new QueuedWork();
        store.historyWork = work;
        await store.load(new OccupancyMap());
        assert.notEqual(await store.history!.shared?.lead(1), false);
        const change: Opened["change"] = async (step) => {
          let result: ReturnType<typeof step>;
          work.add((tables) => {
            result = step(tables);
          });
          assert.equal(await store.commitHistory!(), undefined);
          return result!;
        };
        await test({
          tables: store.history!,
          change,
          rollBack: async (step) => {
            work.add(step);
            work.failWith = new Error("no");
            assert.match((await store.commitHistory!())!.message, /no/);
            work.failWith = undefined;
            const before = work.waiting;
            work.add(() => {});
            assert.equal(before, 1, "it would be written again");
          },
        });
        await store.close();
      },
    });
  }
}

/** Runs a removal to its end. Returns the number of rows, and of steps. */
export async function removeAll(
  step: () => Promise<HistoryRemoval>,
): Promise<{ rows: number; steps: number }> {
  let rows = 0;
  for (let steps = 1; steps < 10_000; steps++) {
    const removal = await step();
    rows += removal.rows;
    if (removal.done) return { rows, steps };
  }
  assert.fail("the removal does not end");
}

/** The bytes of rows, in their order. */
export function bytesIn(
  rows: readonly HistoryRow[],
): (Uint8Array | undefined)[] {
  return rows.map(({ bytes }) => bytes);
}
