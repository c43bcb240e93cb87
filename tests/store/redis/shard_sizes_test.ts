/** The sizes of shards in a real Redis. */
import assert from "node:assert/strict";
import { Keys } from "../../../src/store/redis/keys.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";

Deno.test({
  name: "ShardSizes reads sizes at most every 10 s, and none while Redis fails",
  ...needs("redis-server"),
  fn: async () => {
    const { ShardSizes } = await import(
      "../../../src/store/redis/shard_sizes.ts"
    );
    const { openDeployment } = await import(
      "../../../src/store/redis/connect.ts"
    );
    const { parseRedisAddress } = await import(
      "../../../src/store/redis/address.ts"
    );
    await using redis = await RedisServer.start();
    const deployment = await openDeployment(parseRedisAddress(redis.url));
    const keys = new Keys(deployment.prefix);
    await redis.command("XADD", keys.journal(1), "*", "d", "x".repeat(5000));
    await redis.command(
      "HSET",
      keys.ofShard(1, "chunks"),
      "1",
      "y".repeat(9000),
    );
    let now = 0;
    const sizes = new ShardSizes({
      ...{ deployment, keys, shards: 2, clock: () => now },
    });
    assert.equal(sizes.latest, undefined);
    await sizes.refresh();
    const [empty, filled] = sizes.latest!;
    assert.deepEqual(empty, {
      ...{ journalEntries: 0, journalBytes: 0, checkpointBytes: 0 },
    });
    assert.equal(filled!.journalEntries, 1);
    assert.ok(filled!.journalBytes > 5000);
    assert.ok(filled!.checkpointBytes > 9000);
    await redis.command("XADD", keys.journal(1), "*", "d", "x");
    now = 9999;
    await sizes.refresh();
    assert.equal(sizes.latest![1]!.journalEntries, 1);
    now = 10_000;
    await sizes.refresh();
    assert.equal(sizes.latest![1]!.journalEntries, 2);
    await redis.kill();
    now = 20_000;
    await sizes.refresh();
    assert.equal(sizes.latest, undefined);
    await redis.restart();
    now = 30_000;
    await sizes.refresh();
    assert.equal(sizes.latest![1]!.journalEntries, 0);
    sizes.close();
    deployment.close();
  },
});
