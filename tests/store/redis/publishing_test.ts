/** Which server of a store in Redis holds the leases, and what it leaves. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { openMember, SHARDS, type TestMember } from "./redis_members.ts";

/** Returns the number of leases that a server holds. */
function held({ store }: TestMember): number {
  const { leases } = store.shared;
  return Array.from({ length: SHARDS }, (_, i) => leases.holds(i))
    .filter((holds) => holds).length;
}

Deno.test({
  name:
    "the leases of a server without a broker go to another one, after its work",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    let isConnected = true;
    await using a = await openMember(redis.url, {
      name: "a",
      canPublish: () => isConnected,
    });
    await until(() => held(a) === SHARDS);
    const completed: number[] = [];
    a.store.shared.leases.beforeRelease((shard) => {
      assert.ok(a.store.shared.leases.holds(shard), "it is held until then");
      completed.push(shard);
      return Promise.resolve();
    });
    await using b = await openMember(redis.url, { name: "b" });
    isConnected = false;
    await until(() => held(b) === SHARDS);
    assert.equal(held(a), 0);
    assert.deepEqual(completed.toSorted(), [...Array(SHARDS).keys()]);
  },
});
