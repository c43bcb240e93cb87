/** Checkpoints in Redis wait for the history of what they cover. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import {
  assertLoads,
  CHUNKS,
  Member,
  someReadings,
  T0,
} from "./checkpoint_support.ts";

Deno.test({
  name: "a checkpoint is complete when the history has what it covers",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const asked: number[] = [];
    let recorded = 0;
    await using a = await Member.start(redis, {
      isRecorded: (shard, revision) => {
        assert.equal(shard, 0);
        asked.push(revision);
        return recorded >= revision;
      },
    });
    await a.lead();
    const random = randomIntegers(1);
    await a.commit(someReadings(random, T0));
    const { revision } = a.map.shards[0]!;
    await until(() => {
      a.begin();
      return a.isWriting && asked.length > 3;
    });
    assert.equal(await a.inForce(), "null");
    const chunks = await redis.command("HLEN", CHUNKS);
    assert.ok(chunks > 0, "its chunks are written");
    // What comes meanwhile is not of the checkpoint.
    await a.commit(someReadings(random, T0 + 1));
    recorded = revision;
    await until(async () => await a.inForce() !== "null");
    assert.deepEqual([...new Set(asked)], [revision]);
    await until(() => !a.isWriting);
    await assertLoads(redis, a);
  },
});

Deno.test({
  name: "a history that fails does not let the journal grow on",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis, {
      isRecorded: () => false,
      minJournalBytes: 20_000,
    });
    await a.lead();
    const random = randomIntegers(2);
    await a.commit(someReadings(random, T0));
    await until(() => {
      a.begin();
      return a.isWriting;
    });
    assert.equal(await a.inForce(), "null");
    await until(async () => {
      await a.commit(someReadings(random, T0));
      return await a.inForce() !== "null";
    });
    assert.ok(a.state.bytes >= 60_000, `${a.state.bytes} bytes`);
    await until(() => !a.isWriting);
    await assertLoads(redis, a);
  },
});
