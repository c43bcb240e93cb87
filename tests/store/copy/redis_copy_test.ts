/** Copies of a store between SQLite files and real Redis. */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import type { OccupancyMap } from "../../../src/grid/mod.ts";
import { needs } from "../../support/needs.ts";
import {
  RedisServer,
  startCluster,
  startReplicated,
} from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { tempDir } from "../../support/temp.ts";
import { openMember } from "../redis/redis_members.ts";
import { readingsEntry } from "../support.ts";
import { copy, fill, open, OWNERS, redisAndFile, T0 } from "./support.ts";

const KEPT = OWNERS.filter((owner) => owner !== "broker");

/** The cells of each layer with everything, in a defined order. */
function cellsOf(map: OccupancyMap) {
  return [...map.layers()].map(([layer, grid]) => {
    const cells: string[] = [];
    grid.scan((...cell) => cells.push(JSON.stringify(cell)));
    return [layer, grid.revision, ...cells.sort()];
  }).sort(([a], [b]) => a! < b! ? -1 : 1);
}

/** There and back again: the last file has what the first one has. */
async function assertRoundTrip(address: string, shards?: number) {
  await using dir = await tempDir();
  const [from, back] = [`${dir.path}/map.db`, `${dir.path}/back.db`];
  await fill(from, "clean");
  const warnings: string[] = [];
  const there = await copy(from, address, {
    onWarning: (line) => warnings.push(line),
    redis: { shards },
  });
  assert.deepEqual(there, { cells: 5, layers: 3, records: 9 });
  assert.match(
    warnings.join(),
    /^The state of the embedded broker .*2 records/,
  );
  const result = await copy(address, back, { onWarning: () => {} });
  assert.deepEqual(result, there);
  const original = await open(from);
  const copied = await open(back);
  assert.deepEqual(cellsOf(copied.map), cellsOf(original.map));
  assert.deepEqual(copied.map.ageing, original.map.ageing);
  assert.ok(copied.map.revision >= original.map.revision);
  assert.equal(copied.store.lastAlive, T0 + 3000);
  for (const owner of KEPT) {
    assert.deepEqual(
      [...copied.store.records.load(owner)],
      [...original.store.records.load(owner)],
    );
  }
  original.store.close();
  copied.store.close();
}

Deno.test({
  name: "a map goes from a file to Redis and back, with any number of shards",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await assertRoundTrip(redis.url);
    assert.equal(await redis.text("HGET", "{occupancy}:meta", "shards"), "16");
    assert.equal(await redis.text("HGET", "{occupancy}:meta", "format"), "1");
    await assertRoundTrip(`${redis.url}/site`, 3);
    // No member, lease or journal is left.
    assert.doesNotMatch(await redis.text("KEYS", "*"), /member:|lease|journal/);
    assert.equal(await redis.text("SCARD", "{site}:members"), "0");
    // From prefix to prefix, with the same shards.
    await using dir = await tempDir();
    await copy(`${redis.url}/site`, `${redis.url}/other`);
    assert.equal(await redis.text("HGET", "{other}:meta", "shards"), "3");
    await copy(`${redis.url}/other`, `${dir.path}/other.db`);
  },
});

Deno.test({
  name: "a backup of servers with replicas leaves their number as it is",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(1);
    await using dir = await tempDir();
    const { master } = redis;
    const server = await openMember(redis.url);
    assert.equal(server.store.replicas, 1);
    const journal = `{occupancy/${server.map.shardOf("hall")}}:journal`;
    await server.store.commit([readingsEntry(T0, [[1, 2, 3]], "hall")]);
    await server[Symbol.asyncDispose]();
    const entries = async (): Promise<Buffer[][]> =>
      (await master.command("XRANGE", journal, "-", "+"))
        .map(([, fields]: [unknown, Buffer[]]) => fields);
    // As a server leaves it that was killed: no entry says that it is safe.
    const [[w, run, ...fields]] = await entries() as [[Buffer, Buffer]];
    const content = fields.slice(fields.findIndex((one) => `${one}` === "c"));
    await master.command("DEL", journal);
    await master.command("XADD", journal, "*", w, run, ...content);
    const result = await copy(redis.url, `${dir.path}/copy.db`);
    assert.equal(result.cells, 1);
    assert.equal(
      await master.text("HGET", "{occupancy}:meta", "replicas"),
      "1",
    );
    const after = await entries();
    assert.equal(after.length, 2); // with the marker of the copy
    assert.deepEqual(
      after.filter((fields) => fields.some((one) => `${one}` === "*")),
      [],
    );
    // Without the replica it is not known what a failure would lose.
    await master.command("DEL", journal);
    await master.command("XADD", journal, "*", w, run, ...content);
    await redis.replicas[0]!.kill();
    const warnings: string[] = [];
    const other = await copy(redis.url, `${dir.path}/other.db`, {
      onWarning: (line) => warnings.push(line),
    });
    assert.equal(other.cells, 0);
    assert.match(
      warnings.join(),
      /fewer replicas .* \(1\): what they wrote last may be missing/,
    );
  },
});

Deno.test({
  name: "a server can trim the journals of a map that was copied into Redis",
  ...needs("redis-server"),
  fn: async () => {
    await using setup = await redisAndFile();
    const { redis, from } = setup;
    await copy(from, redis.url, { onWarning: () => {} });
    const { TRIM_JOURNAL } = await import(
      "../../../src/store/redis/checkpoint_scripts.ts"
    );
    const keys = ["lease", "checkpoint", "journal"]
      .map((name) => `{occupancy/0}:${name}`);
    await redis.command("SET", keys[0]!, "1:a:run");
    const trimmed = await redis.command(
      ...["EVAL", TRIM_JOURNAL, "3", ...keys, "1:a:run", "0", "500"],
    );
    assert.equal(trimmed, 1); // nothing is left to trim
  },
});

Deno.test({
  name: "a map goes to a cluster and back",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster({ masters: 3, replicas: 1 });
    await assertRoundTrip(redis.url);
  },
});

Deno.test({
  name: "a map in Redis, and one that servers use, is not replaced by mistake",
  ...needs("redis-server"),
  fn: async () => {
    await using setup = await redisAndFile();
    const { redis, dir, from } = setup;
    const quiet = { onWarning: () => {} };
    await redis.command("SET", "{occupancyx}:other", "kept");
    await copy(from, redis.url, quiet);
    await assert.rejects(copy(from, redis.url, quiet), {
      name: "StoreError",
      message: `Cannot write to ${redis.url}: it has a map`,
    });
    await redis.command("SADD", "{occupancy}:members", "a");
    await redis.command("SET", "{occupancy}:member:a", "run");
    await assert.rejects(copy(from, redis.url, { ...quiet, force: true }), {
      message: `Cannot write to ${redis.url}: it is used by 1 server (a)`,
    });
    await redis.command("DEL", "{occupancy}:member:a");
    await redis.command("SET", "{occupancy/3}:unknown", "gone");
    // A source that cannot be read costs nothing.
    await assert.rejects(
      copy(`${dir.path}/none.db`, redis.url, { ...quiet, force: true }),
      /no such file/,
    );
    await copy(redis.url, `${dir.path}/copy.db`);
    await copy(from, redis.url, { ...quiet, force: true });
    assert.equal(await redis.text("EXISTS", "{occupancy/3}:unknown"), "0");
    assert.equal(await redis.text("GET", "{occupancyx}:other"), "kept");
    await assert.rejects(copy(`${redis.url}/none`, `${dir.path}/x.db`), {
      message: `Cannot copy ${redis.url}/none: it has no map`,
    });
    assert.equal(await redis.text("EXISTS", "{none}:meta"), "0");
  },
});

Deno.test({
  name: "servers do not use a copy that is not complete, and another one does",
  ...needs("redis-server"),
  fn: async () => {
    await using setup = await redisAndFile();
    const { redis, from } = setup;
    const quiet = { onWarning: () => {} };
    // As a copy that was killed leaves it.
    await redis.command(
      ...["HSET", "{occupancy}:meta", "format", "copy", "shards", "4"],
    );
    await redis.command("SET", "{occupancy/0}:chunks", "half");
    await redis.command("SADD", "{occupancy}:members", "store-copy");
    await redis.command("SET", "{occupancy}:member:store-copy", "copy");
    await assert.rejects(copy(from, redis.url, quiet), {
      message: `Cannot write to ${redis.url}: another copy is running`,
    });
    await redis.command("DEL", "{occupancy}:member:store-copy"); // expires
    const { openStore } = await import("../../../src/store/open.ts");
    const { OccupancyMap } = await import("../../../src/grid/mod.ts");
    const store = await openStore(redis.url, { durability: "fsync" });
    const map = new OccupancyMap({}, { shards: 4 });
    await assert.rejects(async () => await store.load(map), {
      message: /a copy of a map into it is not complete$/,
    });
    await store.close();
    await copy(from, redis.url, quiet);
    // One that fails removes what it wrote.
    const abort = new AbortController();
    const copying = copy(from, `${redis.url}/b`, {
      ...{ ...quiet, signal: abort.signal },
    });
    copying.catch(() => {});
    await until(async () => await redis.text("EXISTS", "{b}:meta") === "1");
    abort.abort(new Error("stopped"));
    await assert.rejects(copying, /stopped/);
    assert.equal(await redis.text("KEYS", "{b*"), "");
  },
});
