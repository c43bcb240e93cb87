import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { startReplicated } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { readingsEntry } from "../support.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";

const T0 = 1_700_000_000_000;
const CHECKPOINT = "{occupancy/0}:checkpoint";

Deno.test({
  name: "checkpoints go on with another master, and a server loads them there",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(2);
    await using a = await openMember(redis.url, { name: "a", shards: 1 });
    await using b = await openMember(redis.url, { name: "b", shards: 1 });
    const random = randomIntegers(3);
    const write = async () => {
      const rows = Array.from(
        { length: 20_000 },
        () => [random(700), random(700), random(3)] as const,
      );
      await a.store.commit([readingsEntry(T0, rows)]);
    };
    const idOn = (server = redis.master) =>
      server.text("HGET", CHECKPOINT, "id");
    await until(async () => {
      await write();
      return await idOn() !== "null";
    });
    // In the middle of the next one, or between two.
    for (let i = 0; i < 9; i++) await write();
    const [successor, other] = redis.replicas as [
      typeof redis.master,
      typeof redis.master,
    ];
    await redis.master.kill();
    await successor.command("REPLICAOF", "NO", "ONE");
    await other.command("REPLICAOF", "127.0.0.1", `${successor.port}`);
    const before = await idOn(successor);
    await until(async () => {
      await write();
      return await idOn(successor) !== before;
    });
    await using c = await openMember(redis.url, { name: "c", shards: 1 });
    await assertSameMaps([a, b, c]);
    assert.ok(c.map.size > 0);
  },
});
