import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { readingsEntry } from "../support.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";

const T0 = 1_700_000_000_000;
const LEASE = "{occupancy/0}:lease";
const MIB = 1024 * 1024;

Deno.test({
  name:
    "a checkpoint that was due when maxmemory was reached frees the memory of the journal",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({
      args: ["--maxmemory-policy", "noeviction"],
    });
    // Nothing writes checkpoints.
    await redis.command("SET", LEASE, "1:other:run");
    await using a = await openMember(redis.url, { name: "a", shards: 1 });
    const random = randomIntegers(3);
    const write = () =>
      a.store.commit([
        readingsEntry(
          T0,
          Array.from(
            { length: 20_000 },
            () => [random(100), random(100), random(3)] as const,
          ),
        ),
      ]);
    const used = async () => Number(await redis.info("used_memory"));
    const before = await used();
    while (await used() < before + 4 * MIB) await write();
    await redis.command("CONFIG", "SET", "maxmemory", `${await used() - MIB}`);
    // It is refused until there is memory: nothing is delivered meanwhile.
    let isDone = false;
    const refused = write().then(() => void (isDone = true));
    await until(() => /memory is full/.test(a.store.problem()?.message ?? ""));
    assert.equal(isDone, false);
    // Also a server that starts now can do it.
    await using b = await openMember(redis.url, { name: "b", shards: 1 });
    await redis.command("DEL", LEASE);
    await refused;
    assert.ok(await redis.text("HGET", "{occupancy/0}:checkpoint", "id"));
    await write();
    await assertSameMaps([a, b]);
    for (const { warnings } of [a, b]) {
      assert.deepEqual(
        warnings.filter((line) => !/no replicas/.test(line)),
        [],
      );
    }
  },
});
