/** The store over a Redis Cluster. */
import assert from "node:assert/strict";
import { keySlot } from "../../../src/store/redis/key_slot.ts";
import { needs } from "../../support/needs.ts";
import { startCluster } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";
import { assertAllThere, Writer } from "./writers.ts";

Deno.test({
  name:
    "over a cluster nothing acknowledged is lost when masters are killed and frozen",
  ...needs("redis-server", "redis-cli"),
  async fn() {
    await using redis = await startCluster({ masters: 3, replicas: 2 });
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await using c = await openMember(redis.url, { name: "c" });
    assert.equal(a.store.replicas, 1);
    const layers = ["default", "a", "b", "c", "d", "hall/l2"];
    const shards = new Set(layers.map((layer) => a.map.shardOf(layer)));
    assert.equal(shards.size, a.map.shards.length);
    const writers = layers.map((layer, i) =>
      new Writer([a, b, c][i % 3]!, i * 1_000_000, layer)
    );
    const untilAllHave = async (more: number) => {
      const counts = writers.map(({ acknowledged }) => acknowledged.length);
      await until(
        () =>
          writers.every(({ acknowledged }, i) =>
            acknowledged.length >= counts[i]! + more
          ),
        {
          deadline: 60_000,
          what: () =>
            [a, b, c].map(({ store }) => store.problem()?.message).join(),
        },
      );
    };
    await untilAllHave(50);
    const slot = keySlot(a.store.keys.journal(a.map.shardOf("default")));
    const first = await redis.masterOf(slot);
    await first.kill();
    await untilAllHave(50);
    const second = await redis.masterOf(slot);
    second.freeze();
    await untilAllHave(50);
    second.thaw();
    await first.restart();
    await untilAllHave(50);
    for (const writer of writers) await writer.stop();
    await assertSameMaps([a, b, c]);
    assertAllThere(b, writers);
    await using late = await openMember(redis.url, { name: "late" });
    await assertSameMaps([a, late]);
    assert.deepEqual([...a.warnings, ...b.warnings, ...c.warnings], []);
  },
});
