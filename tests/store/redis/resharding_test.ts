/** A slot of a cluster moves to another node while servers write. */
import assert from "node:assert/strict";
import { keySlot } from "../../../src/store/redis/key_slot.ts";
import { needs } from "../../support/needs.ts";
import { type RedisServer, startCluster } from "../../support/redis.ts";
import { readingsEntry } from "../support.ts";
import { moveSlot } from "./move_slot.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";

const T0 = 1_700_000_000_000;

Deno.test({
  name: "servers go on when the slot of a shard moves to another master",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    const shard = a.map.shardOf("hall");
    const slot = keySlot(`{occupancy/${shard}}:journal`);
    const from = await redis.masterOf(slot);
    const masters: RedisServer[] = [];
    for (const server of redis.servers) {
      if (await server.info("role") === "master") masters.push(server);
    }
    const [to, ...others] = masters.filter((server) => server !== from);
    const commits: Promise<void>[] = [];
    const write = () => {
      const x = commits.length;
      const { store } = x % 2 === 0 ? a : b;
      const entry = readingsEntry(T0 + x, [[x, 0, 1]], "hall");
      commits.push(Promise.resolve(store.commit([entry])));
      return Promise.resolve();
    };
    for (let i = 0; i < 20; i++) await write();
    await Promise.all(commits);
    await moveSlot(slot, { from, to: to!, others }, write);
    for (let i = 0; i < 20; i++) await write();
    await Promise.all(commits);
    assert.equal(await redis.masterOf(slot), to);
    await assertSameMaps([a, b]);
    const hall = a.map.layer("hall")!;
    for (const x of commits.keys()) {
      assert.equal(hall.get(x, 0)?.value, 1, `${x}`);
    }
  },
});
