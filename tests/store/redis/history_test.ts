/** The history in Redis: its writer, other members, and failures. */
import assert from "node:assert/strict";
import type { HistoryTables } from "../../../src/store/store.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { bytesFor, QueuedWork } from "../history_support.ts";
import { openMember, type TestMember } from "./redis_members.ts";

const HOUR = 490_000;
const LAYERS = ["a", "b", "c", "d", "e", "f"];
const SIZES = "{occupancy/*}:history:sizes";

/** A member of several, and its work. */
class Writer implements AsyncDisposable {
  readonly work = new QueuedWork();
  readonly member: TestMember;

  constructor(member: TestMember) {
    this.member = member;
    member.store.historyWork = this.work;
  }

  get tables(): HistoryTables {
    return this.member.store.history;
  }

  async lead(fence: number): Promise<boolean> {
    return await this.tables.shared!.lead(fence);
  }

  /** Commits a change. Returns why that failed. */
  async change(step: (tables: HistoryTables) => void) {
    this.work.add(step);
    return await this.member.store.commitHistory();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.member[Symbol.asyncDispose]();
  }
}

async function open(redis: RedisServer, name: string): Promise<Writer> {
  return new Writer(
    await openMember(redis.url, { name, follow: false, replicas: 0 }),
  );
}

/** A row in each of some layers, which are in several shards. */
function writeAll(n: number) {
  return (tables: HistoryTables) => {
    for (const layer of LAYERS) {
      tables.appendPart(layer, 1, 2, HOUR + 1, bytesFor(n));
      tables.putBlock(layer, 1, 2, HOUR, bytesFor(n));
    }
    tables.putMeta("n", n);
  };
}

Deno.test({
  name: "what a former writer sends changes nothing, in any shard",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await open(redis, "a");
    await using b = await open(redis, "b");
    assert.equal(await a.lead(1), true);
    assert.equal(await a.change(writeAll(1)), undefined);
    assert.equal(await b.lead(2), true);
    assert.equal(b.tables.meta.get("n"), 1);
    const late = await a.change(writeAll(99));
    assert.match(late!.message, /Another server writes the history/);
    assert.equal(a.work.waiting, 1, "it would be written again");
    await b.tables.refresh();
    for (const layer of LAYERS) {
      const [block] = await b.tables.blocks(layer, 1, 2, HOUR, HOUR);
      assert.deepEqual(block!.bytes, bytesFor(1));
      assert.equal((await b.tables.hourRows(layer, 1, 2, HOUR + 1)).length, 1);
    }
    assert.equal(b.tables.meta.get("n"), 1);
    // Nor does it lead again with its old lease.
    assert.equal(await a.lead(1), false);
    assert.equal(await b.change(writeAll(3)), undefined);
    assert.equal(b.tables.meta.get("n"), 3);
  },
});

Deno.test({
  name: "a member that does not write has what is written after a refresh",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await open(redis, "a");
    await using b = await open(redis, "b");
    await a.lead(1);
    await a.change(writeAll(1));
    await a.change((t) => {
      t.putZoneDay("hall", "a", 20_000, bytesFor(1));
      t.addGap({ from: 5, to: 9 });
    });
    await b.tables.refresh();
    assert.deepEqual(b.tables.layers(), LAYERS);
    assert.deepEqual(b.tables.openHours(), [HOUR + 1]);
    assert.deepEqual(b.tables.size(), a.tables.size());
    assert.deepEqual(b.tables.gaps({ from: 0, to: 100 }), [{ from: 5, to: 9 }]);
    assert.equal((await b.tables.zones()).length, 1);
    const before = [...b.tables.meta];
    await a.change((t) => t.deleteLayer("a"));
    await until(async () => {
      await b.tables.refresh();
      return !b.tables.layers().includes("a");
    });
    assert.notDeepEqual([...b.tables.meta], before, "a question is repeated");
    assert.deepEqual(await b.tables.zones(), []);
    assert.deepEqual(await b.tables.tilesOf("a", undefined, 9), []);
  },
});

Deno.test({
  name:
    "after a failure memory is as Redis has it, and the work is written again",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await open(redis, "a");
    await a.lead(1);
    await a.change(writeAll(1));
    redis.freeze();
    const failed = a.change(writeAll(2));
    const problem = await failed;
    assert.ok(problem !== undefined && problem.hint !== undefined);
    assert.equal(a.member.store.historyProblem, problem);
    assert.equal(a.tables.meta.get("n"), 1);
    redis.thaw();
    await until(async () =>
      await a.member.store.commitHistory() === undefined && !a.work.hasWork
    );
    assert.equal(a.member.store.historyProblem, undefined);
    assert.equal(a.tables.meta.get("n"), 2);
    for (const layer of LAYERS) {
      const rows = await a.tables.hourRows(layer, 1, 2, HOUR + 1);
      // The one whose answer was lost may be there twice.
      assert.deepEqual(rows[0]!.bytes, bytesFor(1));
      assert.deepEqual(rows.at(-1)!.bytes, bytesFor(2));
    }
  },
});

Deno.test({
  name: "a damaged row has no bytes, and hides no other",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await open(redis, "a");
    await a.lead(1);
    await a.change((t) => {
      for (const hour of [0, 1, 2]) {
        t.putBlock("a", 1, 2, HOUR + hour, bytesFor(hour));
      }
      t.appendPart("a", 1, 2, HOUR + 3, bytesFor(3));
      t.appendPart("a", 1, 2, HOUR + 3, bytesFor(4));
    });
    const keys = await redis.command("KEYS", `*:blocks:*:${HOUR + 1}`);
    const [field] = await redis.command("HKEYS", keys[0]);
    await redis.command("HSET", keys[0], field, "not a row");
    const [parts] = await redis.command("KEYS", `*:part:*`);
    await redis.command("APPEND", parts, "xyz");
    const rows = await a.tables.blocks("a", 1, 2, HOUR, HOUR + 9);
    assert.deepEqual(
      rows.map(({ bytes }) => bytes),
      [bytesFor(0), undefined, bytesFor(2)],
    );
    assert.deepEqual(
      (await a.tables.hourRows("a", 1, 2, HOUR + 3)).map(({ bytes }) => bytes),
      [bytesFor(3), bytesFor(4), undefined],
    );
  },
});

Deno.test({
  name: "when Redis has used most of maxmemory, the tables say so",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await open(redis, "a");
    await a.lead(1);
    await a.change(writeAll(1));
    assert.equal(a.tables.shared!.memoryFull, false);
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    await using b = await open(redis, "b");
    await b.lead(2);
    // It is written still: only a checkpoint of what it covers frees memory.
    assert.equal(await b.change(writeAll(2)), undefined);
    assert.equal(b.tables.shared!.memoryFull, true);
  },
});

Deno.test({
  name: "many tiles are written, listed and deleted in steps",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await open(redis, "a");
    await a.lead(1);
    const tiles = 10_000;
    await a.change((t) => {
      for (let tx = 0; tx < tiles; tx++) {
        t.appendPart("a", tx, 0, HOUR, bytesFor(tx));
        t.putFrame("a", tx, 0, HOUR, bytesFor(tx));
      }
    });
    assert.equal(a.tables.size().parts.rows, tiles);
    const listed = await a.tables.tilesOf("a", undefined, tiles + 1);
    assert.deepEqual(listed.map(({ tx }) => tx), [...Array(tiles).keys()]);
    await a.change((t) => t.deleteLayer("a"));
    for (let isDone = false; !isDone;) {
      let removal: ReturnType<HistoryTables["deleteRest"]>;
      await a.change((t) => {
        removal = t.deleteRest(2000);
      });
      assert.ok(removal!.rows <= 2000);
      isDone = removal!.done;
    }
    assert.equal(a.tables.size().bytes, 0);
    const left = await redis.command("KEYS", "*history:*");
    for (const key of left) {
      assert.match(`${key}`, /:(fence|sizes|numbers)$/, SIZES);
    }
  },
});
