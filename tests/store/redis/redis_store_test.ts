import assert from "node:assert/strict";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { applyEntry, type Entry } from "../../../src/store/store.ts";
import { assertSameMap, readingsEntry } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { assertSameMaps, openMember, SHARDS } from "./redis_members.ts";

const T0 = 1_700_000_000_000;

Deno.test({
  name: "RedisStore delivers own entries in order, and those of others",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    const commit = [
      readingsEntry(T0, [[1, 2, 3]], "hall"),
      readingsEntry(T0, [[1, 2, 4], [5, 6, 7]], "hall"),
    ];
    await a.store.commit(commit);
    assert.equal(a.map.layer("hall")?.get(1, 2)?.value, 4);
    const [delivery] = a.deliveries;
    assert.equal(delivery!.own?.commit, commit);
    assert.deepEqual(delivery!.own.indexes, [0, 1]);
    assert.equal(delivery!.entries[0], commit[0]);
    await b.store.shared.sync([b.map.shardOf("hall")]);
    assert.equal(b.deliveries[0]!.own, undefined);
    assert.equal(b.map.layer("hall")?.get(1, 2)?.value, 4);
    await b.store.commit([readingsEntry(T0 + 1, [[1, 2, 5]], "hall")]);
    await assertSameMaps([a, b]);
    assert.equal(a.map.layer("hall")?.get(1, 2)?.value, 5);
  },
});

Deno.test({
  name: "RedisStore restores the map from the journals",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    const model = new OccupancyMap({}, { shards: SHARDS });
    const entries: Entry[] = [
      {
        kind: "configure",
        now: T0,
        ageing: { staleAfter: 1000, forgetAfter: 5000, maxSkew: 60_000 },
      },
      ...Array.from(
        { length: 50 },
        (_, i) => readingsEntry(T0 + i, [[i, i % 7, i]], `layer-${i % 9}`),
      ),
      { kind: "age", now: T0 + 3000 },
      { kind: "delete", now: T0 + 3001, layer: "layer-3" },
    ];
    {
      await using first = await openMember(redis.url);
      for (const entry of entries) {
        applyEntry(model, entry);
        await first.store.commit([entry]);
      }
      assertSameMap(first.map, model);
    }
    await using second = await openMember(redis.url, { follow: false });
    assertSameMap(second.map, model);
  },
});

Deno.test({
  name: "records are the same on all servers, and after a restart",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    const b = await openMember(redis.url, { name: "b" });
    const changes: string[] = [];
    a.store.records.observe("zones", () => changes.push("zones"));
    b.store.records.add("zones", () => new TextEncoder().encode("hall"));
    await b.store.close(); // what is staged is committed
    await a.store.shared.sync([0]);
    assert.deepEqual(changes, ["zones"]);
    await using late = await openMember(redis.url, { name: "b" });
    for (const { store } of [a, late]) {
      const [record] = store.records.load("zones");
      assert.equal(new TextDecoder().decode(record![1]), "hall");
    }
  },
});
