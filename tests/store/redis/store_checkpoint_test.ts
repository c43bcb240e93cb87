import assert from "node:assert/strict";
import { applyEntry } from "../../../src/store/store.ts";
import { needs } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { assertSameMap, readingsEntry } from "../support.ts";
import { isTrimmed } from "./journal_model.ts";
import { assertSameMaps, openMember, SHARDS } from "./redis_members.ts";

const T0 = 1_700_000_000_000;

Deno.test({
  name:
    "stores of two servers write checkpoints, trim, and load from them while both write",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    // Its server stands still and does not read.
    await using late = await openMember(redis.url, {
      name: "late",
      follow: false,
    });
    const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
    await until(() =>
      shards.every((shard) =>
        a.store.leases.holds(shard) || b.store.leases.holds(shard)
      )
    );
    const random = randomIntegers(3);
    const write = async () => {
      for (const [i, { store }] of [a, b].entries()) {
        const rows = Array.from(
          { length: 20_000 },
          () => [random(100), random(100), random(3)] as const,
        );
        await store.commit([readingsEntry(T0 + i, rows, `layer ${random(9)}`)]);
      }
    };
    const key = (shard: number, name: string) => `{occupancy/${shard}}:${name}`;
    const checkpoints = async () => {
      const ids = shards.map((shard) =>
        redis.text("HGET", key(shard, "checkpoint"), "id")
      );
      return (await Promise.all(ids)).filter((id) => id !== "null").length;
    };
    await until(async () => {
      await write();
      return await checkpoints() > 1;
    });
    await using c = await openMember(redis.url, { name: "c" });
    await write();
    await assertSameMaps([a, b, c]);
    // What is old enough is trimmed.
    await until(async () => {
      const trimmed = await Promise.all(
        shards.map((shard) => isTrimmed(redis, key(shard, "journal"))),
      );
      return trimmed.includes(true);
    });
    const reloaded: number[] = [];
    late.store.shared.follow({
      apply: ({ entries, shard }) => {
        for (const entry of entries) applyEntry(late.map, entry, shard);
        return Promise.resolve();
      },
      onProblem: () => {},
      onReloaded: (shard) => void reloaded.push(shard),
    });
    await late.store.shared.sync(shards);
    await until(() => reloaded.length > 0);
    await late.store.shared.sync(shards);
    assertSameMap(late.map, a.map);
    assert.match(late.warnings.join("\n"), /loads the shard anew/);
    assert.deepEqual(
      [...a.warnings, ...b.warnings, ...c.warnings].filter((line) =>
        !/no replicas/.test(line)
      ),
      [],
    );
  },
});

Deno.test({
  name: "records are in a checkpoint, also after the journal was trimmed",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { shards: 1 });
    const id = a.store.records.add("zones", () => Uint8Array.of(7));
    await a.store.records.flushed();
    const random = randomIntegers(4);
    await until(async () => {
      const rows = Array.from(
        { length: 20_000 },
        () => [random(100), random(100), random(3)] as const,
      );
      await a.store.commit([readingsEntry(T0, rows)]);
      return await redis.text("EXISTS", "{occupancy/0}:checkpoint") === "1";
    });
    // As trimmed up to the checkpoint, whatever the age of the entries is.
    const position = await redis.text(
      ...["HGET", "{occupancy/0}:checkpoint", "position"],
    );
    await redis.command("XTRIM", "{occupancy/0}:journal", "MINID", position);
    await using b = await openMember(redis.url, { name: "b", shards: 1 });
    assert.deepEqual([...b.store.records.load("zones")], [
      [id, Uint8Array.of(7)],
    ]);
    await assertSameMaps([a, b]);
  },
});
