/** Copies into real Redis that fail, stand still, or are ended. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { openRedisTarget } from "../../../src/store/copy/redis_target.ts";
import { openStore } from "../../../src/store/open.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { copy, redisAndFile } from "./support.ts";

const MEMBER = "{occupancy}:member:store-copy";
const QUIET = { onWarning: () => {} };
const NOTHING = { records: undefined, lastAlive: undefined };

/** Begins a copy of an empty map. */
async function begin(url: string, signal = new AbortController().signal) {
  const address = parseRedisAddress(url);
  const target = await openRedisTarget(address, false, {}, signal);
  const map = await target.begin(1);
  return { target, write: () => target.write(map, NOTHING, []) };
}

/** All keys with their contents. */
async function contentsOf(redis: RedisServer): Promise<string[]> {
  const keys: unknown[] = await redis.command("KEYS", "*");
  return await Promise.all(
    keys.map(String).sort().map(async (key) =>
      `${key} ${(await redis.command("DUMP", key)).toString("hex")}`
    ),
  );
}

Deno.test({
  name: "a copy that stood still does not touch the one that began after it",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const first = await begin(redis.url);
    await first.write();
    // As if it had not renewed its entry for 20 seconds.
    await redis.command("DEL", MEMBER);
    const second = await begin(redis.url);
    await second.write();
    const before = await contentsOf(redis);
    await assert.rejects(first.target.complete(), {
      name: "StoreError",
      message: /^The copy into redis:.* stood still for too long/,
    });
    await first.target[Symbol.asyncDispose]();
    assert.deepEqual(await contentsOf(redis), before);
    // One that publishes late does not either.
    await second.target.complete();
    await second.target[Symbol.asyncDispose]();
    assert.equal(await redis.text("HGET", "{occupancy}:meta", "format"), "1");
    assert.equal(await redis.text("EXISTS", MEMBER), "0");
  },
});

Deno.test({
  name: "two copies at the same time: one is refused, the other complete",
  ...needs("redis-server"),
  fn: async () => {
    await using setup = await redisAndFile();
    const { redis, dir, from } = setup;
    const results = await Promise.allSettled(
      [1, 2].map(() => copy(from, redis.url, QUIET)),
    );
    const failed = results.filter(({ status }) => status === "rejected");
    assert.equal(failed.length, 1);
    assert.match(
      String((failed[0] as PromiseRejectedResult).reason),
      /another copy is running|it has a map/,
    );
    const { cells } = await copy(redis.url, `${dir.path}/back.db`);
    assert.equal(cells, 5);
  },
});

Deno.test({
  name: "servers do not use what is left of a map whose deletion failed",
  ...needs("redis-server"),
  fn: async () => {
    await using setup = await redisAndFile();
    const { redis, from } = setup;
    await copy(from, redis.url, QUIET);
    await redis.command(
      ...["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all", "-unlink"],
    );
    const url = redis.url.replace("://", "://ann:secret@");
    await assert.rejects(copy(from, url, { ...QUIET, force: true }), {
      name: "StoreError",
      message: /refuses a command: NOPERM/,
    });
    const store = await openStore(redis.url, { durability: "fsync" });
    const map = new OccupancyMap({}, { shards: 16 });
    await assert.rejects(async () => await store.load(map), {
      message: /a copy of a map into it is not complete$/,
    });
    await store.close();
    await redis.command("DEL", MEMBER); // expires
    await copy(from, redis.url, QUIET);
  },
});

Deno.test({
  name: "a full Redis ends a copy with a message, at any step",
  ...needs("redis-server"),
  fn: async () => {
    await using setup = await redisAndFile();
    const { redis, from } = setup;
    const maxmemory = (limit: string) =>
      redis.command("CONFIG", "SET", "maxmemory", limit);
    await maxmemory("1");
    await assert.rejects(copy(from, redis.url, QUIET), {
      name: "StoreError",
      message: /its memory is full/,
      hint: "Raise maxmemory of Redis. Nothing was copied.",
    });
    await maxmemory("0");
    const { target, write } = await begin(redis.url);
    await maxmemory("1");
    await assert.rejects(write(), {
      name: "StoreError",
      message: /its memory is full/,
    });
    await target[Symbol.asyncDispose]();
    assert.deepEqual(await contentsOf(redis), []);
  },
});

Deno.test({
  name: "a copy that is ended while it writes says why, and leaves nothing",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const abort = new AbortController();
    const { target, write } = await begin(redis.url, abort.signal);
    abort.abort(new Error("stopped"));
    await assert.rejects(write(), /stopped/);
    await target[Symbol.asyncDispose]();
    assert.deepEqual(await contentsOf(redis), []);
  },
});
