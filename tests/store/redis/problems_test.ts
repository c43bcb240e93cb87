/** Bad input of all kinds: keys of others, damage, Redis that refuses. */
import assert from "node:assert/strict";
import { StoreError } from "../../../src/store/store.ts";
import { readingsEntry } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer, startReplicated } from "../../support/redis.ts";
import { until, within } from "../../support/until.ts";
import { readJournal } from "./journal_model.ts";
import { assertSameMaps, openMember, revisionsOf } from "./redis_members.ts";

const T0 = 1_700_000_000_000;
const LAYER = "default";
const META = "{occupancy}:meta";

async function assertRefused(
  opening: Promise<unknown>,
  message: RegExp,
  hint: RegExp,
): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.match(error.message, message);
    assert.match(error.hint!, hint);
    return true;
  });
}

Deno.test({
  name: "a keyspace with other shards or of another version is refused",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await (await openMember(redis.url, { shards: 8 })).store.close();
    await assertRefused(
      openMember(redis.url, { shards: 4 }),
      /its map has 8 shards, this server 4/,
      /--shards 8/,
    );
    await redis.command("HSET", META, "format", "2\x1b[31m");
    await assertRefused(
      openMember(redis.url, { shards: 8 }),
      /format 2\\x1b\[31m, this server knows format 1/,
      /version/,
    );
    await redis.command("SET", META, "soup");
    await assertRefused(openMember(redis.url), /WRONGTYPE/, /another prefix/);
  },
});

Deno.test({
  name: "of two servers with one name the second is refused",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    const first = await openMember(redis.url, { name: "hall" });
    await assertRefused(
      openMember(redis.url, { name: "hall" }),
      /Another server uses the name "hall"/,
      /--name/,
    );
    await first.store.close();
    await using _ = await openMember(redis.url, { name: "hall" });
  },
});

Deno.test({
  name: "a server finds its own time of the last entry alive",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    const first = await openMember(redis.url, { name: "a" });
    assert.equal(first.store.lastAlive, undefined);
    await first.store.commit([{ kind: "alive", now: T0 }]);
    await first.store.close();
    await using other = await openMember(redis.url, { name: "b" });
    assert.equal(other.store.lastAlive, undefined);
    await using again = await openMember(redis.url, { name: "a" });
    assert.equal(again.store.lastAlive, T0);
  },
});

Deno.test({
  name: "damaged entries are skipped by all servers, with a warning",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    const shard = a.map.shardOf(LAYER);
    const other = (shard + 1) % a.map.shards.length;
    const [, fields] = (await readJournal(redis, shard))[0]!;
    const [c, d] = [fields.get("c")!, fields.get("d")!];
    const add = (shard: number, ...fields: (string | Uint8Array)[]) =>
      redis.command("XADD", `{occupancy/${shard}}:journal`, "*", ...fields);
    await add(shard, "w", "x:1", "k", "*", "c", "123", "d", d);
    await add(shard, "w", "x:2", "k", "9999999999999-0", "c", c, "d", "soup");
    await add(shard, "w", "x:3", "k", "*", "c", "1043980748", "d", "soup");
    await add(shard, "w", "soup", "k", "*", "c", c, "d", d);
    await add(shard, "soup", "soup");
    await add(shard, "w", "x:4", "k", "*", "c", c);
    await add(other, "w", "x:1", "k", "*", "c", c, "d", d);
    await a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    await assertSameMaps([a, b]);
    assert.equal(a.map.layer(LAYER)!.size, 2);
    assert.equal(a.deliveries.length, 2);
    for (const { store, warnings } of [a, b]) {
      assert.equal(store.shared.damagedEntries, 7);
      assert.equal(warnings.filter((line) => /damaged/.test(line)).length, 1);
    }
    await using late = await openMember(redis.url, { name: "late" });
    await assertSameMaps([a, late]);
    assert.equal(late.store.shared.damagedEntries, 7);
  },
});

Deno.test({
  name: "an own entry that is damaged in Redis is written again",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a", follow: false });
    const commit = a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    commit.catch(() => {}); // if an assertion fails first
    const shard = a.map.shardOf(LAYER);
    const key = `{occupancy/${shard}}:journal`;
    const [id] = await until(async () => (await readJournal(redis, shard))[0]);
    await redis.command("DEL", key);
    await redis.command(
      ...["XADD", key, id, "w", `${a.store.run}:1`, "k", "*"],
      ...["c", "1", "d", "soup"],
    );
    await using b = await openMember(redis.url, { name: "b" });
    a.store.shared.follow({
      apply: () => Promise.resolve(),
      onProblem: () => {},
    });
    await within(commit, "the commit");
    await until(() => b.map.layer(LAYER)?.size === 1);
    assert.equal(a.store.shared.damagedEntries, 1);
  },
});

Deno.test({
  name: "without memory in Redis commits wait",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url);
    await redis.command("CONFIG", "SET", "maxmemory", "1mb");
    let isDone = false;
    const commit = a.store.commit([
      readingsEntry(T0, [[1, 1, 1]], LAYER),
      readingsEntry(
        T0,
        Array.from({ length: 60_000 }, (_, i) => [i * 7919 % 90_001, i, i]),
      ),
    ]).then(() => isDone = true);
    commit.catch(() => {}); // if an assertion fails first
    await until(() => a.problems.length > 0);
    assert.match(a.problems[0]!.message, /its memory is full \(maxmemory\)/);
    assert.match(a.problems[0]!.hint!, /maxmemory/);
    assert.equal(isDone, false);
    assert.equal(a.deliveries.length, 0);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await within(commit, "the commit");
    await until(() => a.problems.at(-1) === undefined);
    assert.ok(a.deliveries.length > 2);
    await using b = await openMember(redis.url, { name: "b" });
    await assertSameMaps([a, b]);
  },
});

Deno.test({
  name: "Redis may be away at the start and later",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start({
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    await using a = await openMember(redis.url, { name: "a" });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    await redis.kill();
    const commit = a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    commit.catch(() => {}); // if an assertion fails first
    await until(() => a.problems.length > 0);
    assert.match(a.problems[0]!.message, /Cannot connect to Redis at|closed/);
    assert.match(a.problems[0]!.hint!, /Start Redis/);
    const opening = openMember(redis.url, { name: "b" });
    await redis.restart();
    await within(commit, "the commit");
    await using b = await opening;
    await assertSameMaps([a, b]);
    assert.equal(a.problems.at(-1), undefined);
    assert.equal(a.map.layer(LAYER)!.size, 2);
  },
});

Deno.test({
  name: "too few replicas: commits wait until there are enough",
  ...needs("redis-server"),
  async fn() {
    await using redis = await startReplicated(1);
    await using a = await openMember(redis.url, { replicas: 1 });
    await redis.replicas[0]!.kill();
    // A server that starts meanwhile does not do without the replica.
    await using b = await openMember(redis.master.url, { name: "b" });
    assert.equal(b.store.replicas, 1);
    let isDone = false;
    // In several entries of one transaction.
    const rows = Array.from(
      { length: 60_000 },
      (_, i) => [i * 7919 % 90_001, i, i] as const,
    );
    const commit = a.store.commit([readingsEntry(T0, rows, LAYER)])
      .then(() => isDone = true);
    commit.catch(() => {}); // if an assertion fails first
    await until(() => a.problems.length > 0);
    assert.match(a.problems[0]!.message, /0 of 1 replicas/);
    assert.match(a.problems[0]!.hint!, /--redis-replicas/);
    assert.equal(isDone, false);
    await redis.replicas[0]!.restart();
    await within(commit, "the commit");
    // It was appended once: only the wait was repeated.
    const shard = a.map.shardOf(LAYER);
    const contents = (await readJournal(redis.master, shard))
      .filter(([, fields]) => fields.has("d"));
    assert.equal(contents.length, a.deliveries.length);
    assert.ok(contents.length > 5);
  },
});

Deno.test({
  name:
    "without replicas the store warns that a failure of Redis loses readings",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    assert.equal(a.store.replicas, 0);
    assert.match(a.warnings[0]!, /has no replicas/);
    await using b = await openMember(redis.url, { name: "b", replicas: 0 });
    assert.deepEqual(b.warnings, []);
  },
});

Deno.test({
  name: "a master that became a replica is reported until it is one again",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url);
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    await redis.command("REPLICAOF", "127.0.0.1", "1");
    const commit = a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    commit.catch(() => {}); // if an assertion fails first
    await until(() => a.problems.length > 0);
    assert.match(a.problems[0]!.message, /replica|master/);
    await redis.command("REPLICAOF", "NO", "ONE");
    await within(commit, "the commit");
    assert.equal(a.map.layer(LAYER)!.size, 2);
  },
});

Deno.test({
  name: "a journal that something else trimmed is reported",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b", follow: false });
    const shard = a.map.shardOf(LAYER);
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    await a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    const [, [id]] = await readJournal(redis, shard) as [unknown, [string]];
    await redis.command("XTRIM", `{occupancy/${shard}}:journal`, "MINID", id);
    b.store.shared.follow({
      apply: () => Promise.resolve(),
      onProblem: () => {},
    });
    await until(() => b.store.problem());
    assert.match(b.warnings.at(-1)!, /not in Redis any more/);
    assert.match(b.store.problem()!.message, /no checkpoint has them/);
    assert.match(b.store.problem()!.hint!, /backup/);
  },
});

Deno.test({
  name: "a server whose Redis lost all keys has an empty map, and goes on",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    await redis.command("FLUSHALL");
    await until(() => a.map.size === 0);
    assert.match(a.warnings.at(-1)!, /not in Redis any more/);
    await a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    assert.equal(a.map.layer(LAYER)!.size, 1);
  },
});

Deno.test({
  name: "close ends what waits",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    const a = await openMember(redis.url);
    await redis.kill();
    const commit = a.store.commit([
      readingsEntry(T0, [[1, 1, 1]]),
      { kind: "alive", now: T0 },
    ]);
    const sync = a.store.shared.sync([0, 1]);
    const rejected = assert.rejects(commit, /was closed/);
    await a.store.close();
    await rejected;
    await assert.rejects(a.store.commit([]), /was closed/);
    await sync;
    await a.store.close();
  },
});

Deno.test({
  name: "a large commit is divided, with the same revisions everywhere",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await a.store.commit([
      readingsEntry(
        T0,
        Array.from({ length: 200_000 }, (_, i) => [i * 7919 % 90_001, i, i]),
      ),
      readingsEntry(T0, [[-1, -1, -1]], "small"),
    ]);
    await assertSameMaps([a, b]);
    assert.deepEqual(revisionsOf(a), revisionsOf(b));
    for (const shard of a.map.shards.keys()) {
      for (const [, fields] of await readJournal(redis, shard)) {
        assert.ok((fields.get("d")?.length ?? 0) < 80 * 1024);
      }
    }
    const indexes = a.deliveries.flatMap(({ own }) => own!.indexes);
    assert.ok(indexes.filter((index) => index === 0).length > 20);
    assert.equal(indexes.filter((index) => index === 1).length, 1);
  },
});
