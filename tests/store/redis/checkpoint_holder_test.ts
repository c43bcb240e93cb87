import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { Running } from "../../support/processes.ts";
import { randomIntegers } from "../../support/random.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { assertSameMap, readingsEntry } from "../support.ts";
import {
  assertLoads,
  chunkIds,
  CHUNKS,
  giveLease,
  journalLength,
  Member,
  someReadings,
  T0,
} from "./checkpoint_support.ts";

Deno.test({
  name: "a deleted layer stays deleted, also if another server writes all anew",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await using b = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(7);
    await a.commit(someReadings(random, T0, "gone", 5000));
    await a.commit(someReadings(random, T0, "again", 5000));
    await a.commit(someReadings(random, T0, "stays", 5000));
    await b.read();
    await a.checkpoint();
    for (const member of [a, b]) {
      const other = member === a ? b : a;
      // First with the chunks of this server, then of the other one.
      await member.lead();
      other.lease = undefined;
      await member.commit({ kind: "delete", now: T0, layer: "gone" });
      await member.commit({ kind: "delete", now: T0, layer: "again" });
      await member.commit(someReadings(random, T0, "again", 10));
      await other.read();
      await assertLoads(redis, member);
      await member.checkpoint();
      await assertLoads(redis, member);
      assertSameMap(a.map, b.map);
    }
  },
});

Deno.test({
  name: "a new holder goes on with the chunks that it loaded, or replaces all",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(8);
    await a.commit(someReadings(random, T0, "large", 30_000));
    await a.checkpoint();
    const first = await chunkIds(redis);
    await using b = await Member.start(redis);
    a.lease = undefined;
    await b.lead();
    await b.commit(readingsEntry(T0, [[1, 1, 1]], "small"));
    await b.checkpoint();
    const second = await chunkIds(redis);
    assert.deepEqual(second.filter((id) => first.includes(id)), first);
    await a.read();
    b.lease = undefined;
    await a.lead();
    // Something that no server knows: it is deleted too.
    await redis.command("HSET", CHUNKS, `${Math.max(...second) + 5}`, "x");
    await a.checkpoint();
    await until(async () => {
      const third = await chunkIds(redis);
      return third.every((id) => id > Math.max(...second) + 5);
    });
    await assertLoads(redis, a);
  },
});

Deno.test({
  name: "a server suspended beyond its lease commits and trims nothing",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(10);
    await a.commit(someReadings(random, T0, "default", 50_000));
    await a.checkpoint();
    const inForce = await a.inForce();
    const chunks = await chunkIds(redis);
    // It does not learn that it lost the lease.
    await giveLease(redis, "other");
    await a.commit(someReadings(random, T0, "default", 50_000));
    const length = await journalLength(redis);
    a.begin();
    assert.ok(a.isWriting);
    await until(() => !a.isWriting);
    assert.equal(await a.inForce(), inForce);
    assert.deepEqual(await chunkIds(redis), chunks);
    assert.equal(await journalLength(redis), length);
    await assertLoads(redis, a);
    // With a lease it goes on.
    await a.lead();
    await a.checkpoint();
    await assertLoads(redis, a);
  },
});

Deno.test({
  name: "a lease that ends in the middle of a checkpoint leaves the last one",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(11);
    await a.commit(someReadings(random, T0));
    await a.checkpoint();
    const inForce = await a.inForce();
    const count = (await chunkIds(redis)).length;
    await a.commit(someReadings(random, T0, "default", 150_000));
    a.begin();
    await until(async () => (await chunkIds(redis)).length > count + 3, {
      changed: () => Promise.resolve(),
    });
    await giveLease(redis, "other");
    await until(() => !a.isWriting);
    assert.equal(await a.inForce(), inForce);
    await assertLoads(redis, a);
    // The next holder deletes what the other one has left.
    const left = Math.max(...await chunkIds(redis));
    await using b = await Member.start(redis);
    await b.lead();
    await b.checkpoint();
    await until(async () => !(await chunkIds(redis)).includes(left));
    await assertLoads(redis, b);
  },
});

Deno.test({
  name: "a new holder that fails before its first commit deletes nothing",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await using b = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(15);
    await a.commit(someReadings(random, T0, "default", 200_000));
    await b.read();
    await a.checkpoint();
    const inForce = await a.inForce();
    const chunks = await chunkIds(redis);
    a.lease = undefined;
    for (let i = 0; i < 2; i++) {
      await b.lead();
      await until(async () => {
        b.begin();
        const first = b.lease!.fence * 2 ** 28;
        return (await chunkIds(redis)).some((id) => id > first);
      }, { changed: () => Promise.resolve() });
      await giveLease(redis, "other");
      await until(() => !b.isWriting);
      assert.equal(await b.inForce(), inForce);
      const left = new Set(await chunkIds(redis));
      assert.ok(chunks.every((id) => left.has(id)), `attempt ${i}`);
      await assertLoads(redis, a);
    }
    await b.lead();
    await b.checkpoint();
    await assertLoads(redis, b);
  },
});

Deno.test({
  name: "a server killed in the middle of a checkpoint loses nothing",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const program = new URL("./checkpoint_writer.ts", import.meta.url).pathname;
    for (let i = 0; i < 2; i++) {
      await using writer = new Running(Deno.execPath(), [
        ...["run", "--allow-all", "--no-check", program, redis.url],
      ]);
      const before = (await chunkIds(redis)).length;
      await until(async () => (await chunkIds(redis)).length > before + 3 * i);
      writer.kill("SIGKILL");
      await writer.ended();
      await using model = await Member.start(redis);
      assert.ok(model.map.size > 0);
      // The journal is not trimmed: it gives the same map alone.
      const whole = await Member.replay(redis);
      assertSameMap(model.map, whole);
    }
  },
});
