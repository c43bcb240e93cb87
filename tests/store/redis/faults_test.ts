/** Failures of Redis and of the network between it and the servers. */
import assert from "node:assert/strict";
import { readingsEntry } from "../support.ts";
import { cutProxy } from "../../support/cut_proxy.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer as Server, startReplicated } from "../../support/redis.ts";
import { until, within } from "../../support/until.ts";
import { readJournal } from "./journal_model.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";
import { promote } from "./promote.ts";
import { assertAllThere, cellsOf, LAYER, T0, Writer } from "./writers.ts";

Deno.test({
  name: "commits whose answers are lost are applied once",
  ...needs("redis-server"),
  async fn() {
    await using redis = await startReplicated(2);
    await using proxy = cutProxy(redis.master.port);
    await using a = await openMember(`redis://127.0.0.1:${proxy.port}`, {
      name: "a",
    });
    await using b = await openMember(redis.master.url, { name: "b" });
    assert.equal(a.store.replicas, 1);
    const writers = [new Writer(a, 0), new Writer(a, 100_000)];
    for (let i = 0; i < 10; i++) {
      const count = a.deliveries.length;
      await until(() => a.deliveries.length > count + 20);
      proxy.drop();
    }
    for (const writer of writers) await writer.stop();
    await assertSameMaps([a, b]);
    assertAllThere(b, writers);
    assert.equal(b.map.layer(LAYER)!.size, b.map.of(LAYER).revision);
  },
});

Deno.test({
  name: "a cut network delays commits, and is reported",
  ...needs("redis-server"),
  async fn() {
    await using redis = await Server.start();
    await using proxy = cutProxy(redis.port);
    await using a = await openMember(`redis://127.0.0.1:${proxy.port}`);
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]])]);
    for (const swallowed of ["delayed", "lost"] as const) {
      const reports = a.problems.length;
      proxy.cut(swallowed);
      let isDone = false;
      const commit = a.store.commit([readingsEntry(T0, [[1, 1, 2]])])
        .then(() => isDone = true);
      commit.catch(() => {}); // if an assertion fails first
      await until(() => a.problems.length > reports);
      assert.match(a.problems.at(-1)!.message, /did not answer within 2000 ms/);
      assert.equal(isDone, false);
      await a.store.shared.sync([0]); // resolves at once
      proxy.heal();
      await within(commit, "the commit");
      await until(() => a.store.problem() === undefined);
      assert.equal(a.problems.at(-1), undefined);
    }
  },
});

Deno.test({
  name: "nothing acknowledged is lost when a frozen master is replaced",
  ...needs("redis-server"),
  async fn() {
    await using redis = await startReplicated(2);
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await using c = await openMember(redis.url, { name: "c" });
    const writers = [a, b, c].flatMap((member, i) => [
      new Writer(member, i * 1_000_000),
      new Writer(member, i * 1_000_000 + 100_000),
    ]);
    await until(() => writers.every((one) => one.acknowledged.length > 50));
    redis.master.freeze();
    const master = await promote(redis);
    const counts = writers.map((one) => one.acknowledged.length);
    await until(
      () =>
        writers.every((one, i) => one.acknowledged.length > counts[i]! + 50),
      {
        what: () => String(a.store.problem()?.message),
      },
    );
    redis.master.thaw();
    await redis.master.command("REPLICAOF", "127.0.0.1", `${master.port}`);
    for (const writer of writers) await writer.stop();
    await assertSameMaps([a, b, c]);
    assertAllThere(c, writers);
    await using late = await openMember(redis.url, { name: "late" });
    await assertSameMaps([a, late]);
    assert.deepEqual(a.warnings, []);
  },
});

Deno.test({
  name: "an entry that a failover loses was applied by no server",
  ...needs("redis-server"),
  async fn() {
    await using redis = await startReplicated(2);
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    await assertSameMaps([a, b]);
    const shard = a.map.shardOf(LAYER);
    const [, fields] = (await readJournal(redis.master, shard))[0]!;
    for (const replica of redis.replicas) replica.freeze();
    await redis.master.command(
      ...["XADD", `{occupancy/${shard}}:journal`, "*", "w", "other:1"],
      ...["c", fields.get("c")!, "d", fields.get("d")!],
    );
    // Its own marker cannot become safe either.
    await until(() => a.store.problem() !== undefined);
    assert.match(a.store.problem()!.message, /0 of 1 replicas/);
    assert.equal(a.store.shared.lag.entries, 1);
    assert.ok(a.store.shared.lag.ms > 100);
    assert.equal(a.deliveries.length, 1);
    await redis.master.kill();
    for (const replica of redis.replicas) replica.thaw();
    await promote(redis);
    await a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    await assertSameMaps([a, b]);
    assert.deepEqual(cellsOf(a), new Set([1, 2]));
    assert.equal(a.map.of(LAYER).revision, 2);
    assert.equal(a.store.shared.lag.entries, 0);
  },
});

Deno.test({
  name: "an entry whose writer is dead is applied once it is safe",
  ...needs("redis-server"),
  async fn() {
    await using redis = await startReplicated(1);
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    const shard = a.map.shardOf(LAYER);
    const [, fields] = (await readJournal(redis.master, shard))[0]!;
    const add = (...writer: string[]) =>
      redis.master.command(
        ...["XADD", `{occupancy/${shard}}:journal`, "*", ...writer],
        ...["c", fields.get("c")!, "d", fields.get("d")!],
      );
    await add("w", "other:7");
    await add("w", "other:7"); // a repeat
    await add("w", "other:6"); // and a late one
    await until(() => b.deliveries.length === 2);
    await assertSameMaps([a, b]);
    assert.equal(b.deliveries.length, 2);
  },
});
