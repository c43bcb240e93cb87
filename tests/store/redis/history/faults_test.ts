/** The history while Redis, its masters or the network fail. */
import assert from "node:assert/strict";
import { keySlot } from "../../../../src/store/redis/key_slot.ts";
import { cutProxy } from "../../../support/cut_proxy.ts";
import { needs } from "../../../support/needs.ts";
import {
  RedisServer,
  startCluster,
  startReplicated,
} from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";
import { moveSlot } from "../move_slot.ts";
import { promote } from "../promote.ts";
import { bytes, HOUR, openHistory, textsOf } from "./support.ts";

Deno.test({
  name: "writes whose answers are lost are written again, and count once",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using proxy = cutProxy(redis.port);
    await using a = await openHistory(`redis://127.0.0.1:${proxy.port}`);
    assert.equal(await a.history.shared.lead(1), true);
    const expected: string[] = [];
    let failures = 0;
    for (let i = 0; i < 30; i++) {
      a.work.add((t) => {
        for (let tx = 0; tx < 300; tx++) {
          t.appendPart("hall", tx, 0, HOUR, bytes(`part ${i}`));
          t.putBlock("hall", tx, 0, HOUR - 1 - i, bytes(`block ${i}`));
        }
        t.putMeta("sampled0", i);
      });
      expected.push(`part ${i}`);
      const done = a.member.store.commitHistory();
      // Each time a little later.
      for (let turn = 0; turn < i; turn++) await Promise.resolve();
      if (i % 3 === 0) proxy.drop();
      if (await done !== undefined) {
        failures++;
        assert.ok(a.member.store.historyProblem?.hint);
      }
      await a.changeSurely(() => {});
      assert.equal(a.member.store.historyProblem, undefined);
    }
    assert.ok(failures > 3, `${failures} failures`);
    await using b = await openHistory(redis.url, { name: "b" });
    await b.history.open();
    for (const { history } of [a, b]) {
      assert.equal(history.meta.get("sampled0"), 29);
      assert.equal(history.size().blocks.rows, 30 * 300);
      for (const tx of [0, 150, 299]) {
        assert.deepEqual(
          textsOf(await history.hourRows("hall", tx, 0, HOUR)),
          expected,
        );
      }
    }
    assert.deepEqual(a.history.size(), b.history.size());
  },
});

Deno.test({
  name: "without Redis the history reports it, and goes on by itself",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using proxy = cutProxy(redis.port);
    await using a = await openHistory(`redis://127.0.0.1:${proxy.port}`);
    await a.history.shared.lead(1);
    await a.change((t) => t.appendPart("hall", 1, 2, HOUR, bytes("1")));
    proxy.cut("lost");
    a.work.add((t) => t.appendPart("hall", 1, 2, HOUR, bytes("2")));
    const error = await a.member.store.commitHistory();
    assert.match(error!.message, /did not answer|connection/);
    assert.ok(error!.hint);
    assert.equal(a.member.store.historyProblem, error);
    assert.equal(a.work.waiting, 1);
    proxy.heal();
    await a.changeSurely(() => {});
    assert.equal(a.member.store.historyProblem, undefined);
    assert.deepEqual(
      textsOf(await a.history.hourRows("hall", 1, 2, HOUR)),
      ["1", "2"],
    );
  },
});

Deno.test({
  name: "what is committed is on a replica, and there after a failover",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(2);
    await using a = await openHistory(redis.url);
    assert.equal(a.member.store.replicas, 1);
    // False while the replicas do not confirm: the server tries again.
    await until(() => a.history.shared.lead(1));
    const written: string[] = [];
    const write = async () => {
      const text = `part ${written.length}`;
      written.push(text);
      await a.changeSurely((t) => {
        t.appendPart("hall", 1, 2, HOUR, bytes(text));
        t.putMeta("sampled0", written.length);
      });
    };
    for (let i = 0; i < 5; i++) await write();
    // Without replicas nothing is committed.
    for (const replica of redis.replicas) replica.freeze();
    let isDone = false;
    const waiting = write().then(() => isDone = true);
    await until(() => a.member.store.historyProblem !== undefined);
    assert.match(
      a.member.store.historyProblem!.message,
      /0 of 1 replicas|did not answer/,
    );
    assert.equal(isDone, false);
    await redis.master.kill();
    for (const replica of redis.replicas) replica.thaw();
    await promote(redis);
    await waiting;
    for (let i = 0; i < 5; i++) await write();
    assert.deepEqual(
      textsOf(await a.history.hourRows("hall", 1, 2, HOUR)),
      written,
    );
    assert.equal(a.history.meta.get("sampled0"), written.length);
    // A later writer has it too.
    await using b = await openHistory(redis.url, { name: "b" });
    await until(() => b.history.shared.lead(2));
    assert.equal(b.history.meta.get("sampled0"), written.length);
  },
});

Deno.test({
  name: "nothing is missing when the slot of a shard moves during the writes",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster({ replicas: 0 });
    await using a = await openHistory(redis.url);
    assert.equal(await a.history.shared.lead(1), true);
    const slot = keySlot(a.key("hall", "fence"));
    const from = await redis.masterOf(slot);
    const [to, ...others] = redis.servers.filter((one) => one !== from);
    const written: string[] = [];
    let failures = 0;
    // Each write adds to keys that are there, and makes others.
    const write = async () => {
      const i = written.length;
      written.push(`part ${i}`);
      a.work.add((t) => {
        t.appendPart("hall", 1, 2, HOUR, bytes(`part ${i}`));
        t.appendPart("hall", 1, 2, HOUR + i, bytes(`new ${i}`));
        t.putBlock("hall", 1, 2, HOUR - 1 - i, bytes(`block ${i}`));
        t.putCellDay("hall", 1, 2, i, bytes(`day ${i}`));
        t.putFrame("hall", 10 + i, 2, HOUR, bytes(`frame ${i}`));
        t.appendPart("hall", 10 + i, 2, HOUR, bytes(`tile ${i}`));
      });
      if (await a.member.store.commitHistory() !== undefined) failures++;
    };
    for (let i = 0; i < 5; i++) await write();
    assert.equal(failures, 0);
    await moveSlot(slot, { from, to: to!, others }, write);
    assert.ok(failures > 0, "some were written again");
    await a.changeSurely(() => {});
    await write();
    assert.equal(await redis.masterOf(slot), to);
    const count = written.length;
    const { history } = a;
    const states = await history.tileRows("hall", 1, 2, 0, HOUR + count);
    assert.deepEqual(states.open.map(({ hour }) => hour - HOUR), [
      ...written.keys(),
    ]);
    assert.deepEqual(
      textsOf(states.open[0]!.parts).filter((text) => text !== "new 0"),
      written,
    );
    for (const [i, { hour, parts }] of states.open.entries()) {
      assert.ok(textsOf(parts).includes(`new ${i}`), `hour ${hour}`);
    }
    assert.equal(states.blocks.length, count);
    assert.equal((await history.cellDays("hall", 1, 2, 0, 999)).length, count);
    const { blocks, frames, cellDays } = history.size();
    assert.deepEqual(
      [blocks.rows, frames.rows, cellDays.rows],
      [count, count, count],
    );
    // The hour is open until all of its tiles are closed.
    for (let i = 0; i < count; i++) {
      const end = await a.change((t) => t.endHour(HOUR));
      assert.equal(end.isEnded, false, `without ${i} tiles`);
      await a.change((t) => t.dropParts("hall", 10 + i, 2, HOUR));
    }
    for (let i = 0; i < count; i++) {
      await a.change((t) =>
        t.putBlock("hall", 1, 2, HOUR + i, bytes("closed"))
      );
      const end = await a.change((t) => t.endHour(HOUR + i));
      assert.equal(end.isEnded, true, `hour ${i}`);
    }
    assert.deepEqual(history.openHours(), []);
  },
});

Deno.test({
  name: "when Redis has used most of maxmemory, the tables say so",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openHistory(redis.url, { name: "a" });
    await a.history.shared.lead(1);
    await a.change((t) => t.putMeta("n", 1));
    assert.equal(a.history.shared.memoryFull, false);
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    await using b = await openHistory(redis.url, { name: "b" });
    await b.history.shared.lead(2);
    // It is written still: only a checkpoint of what it covers frees memory.
    await b.change((t) => t.appendPart("hall", 1, 2, HOUR, bytes("x")));
    assert.equal(b.history.shared.memoryFull, true);
  },
});
