/** Who writes the history in Redis, and what the other members have of it. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { RedisServer } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";
import { removeAll } from "../../history_contract.ts";
import { bytes, DAY, HOUR, openHistory, textsOf } from "./support.ts";

Deno.test({
  name: "what a former writer sends changes nothing, and it says so",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openHistory(redis.url, { name: "a" });
    await using b = await openHistory(redis.url, { name: "b" });
    assert.equal(await a.history.shared.lead(5), true);
    await a.change((t) => {
      t.appendPart("hall", 1, 2, HOUR, bytes("of a"));
      t.putMeta("sampled0", 1);
    });
    assert.equal(await b.history.shared.lead(6), true);
    // In each of the shards.
    const layers = Array.from({ length: 40 }, (_, i) => `layer ${i}`);
    const shards = layers.map((layer) => a.member.map.shardOf(layer));
    assert.equal(new Set(shards).size, 4);
    const size = b.history.size();
    a.work.add((t) => {
      for (const layer of [...layers, "hall"]) {
        t.appendPart(layer, 1, 2, HOUR, bytes("late"));
        t.putFrame(layer, 1, 2, HOUR, bytes("late"));
      }
      t.putMeta("sampled0", 2);
      t.addGap({ from: 1, to: 2 });
      t.deleteLayer("hall");
      t.endHour(HOUR);
    });
    const error = await a.member.store.commitHistory();
    assert.match(error!.message, /Another server writes the history/);
    assert.ok(error!.hint);
    assert.equal(a.work.hasWork, true);
    await b.history.open();
    assert.deepEqual(b.history.layers(), ["hall"]);
    assert.deepEqual(b.history.size(), size);
    assert.deepEqual([...b.history.meta], [["sampled0", 1]]);
    assert.deepEqual(b.history.gaps({ from: 0, to: 9 }), []);
    assert.deepEqual(b.history.openHours(), [HOUR]);
    // It does not write before it leads again, with a later lease.
    await a.member.store.commitHistory();
    assert.equal(await a.history.shared.lead(5), false);
    assert.equal(await a.history.shared.lead(7), true);
    await a.change((t) => t.putMeta("sampled0", 3));
    assert.equal(a.history.meta.get("sampled0"), 3);
    assert.equal(a.work.hasWork, false);
    assert.deepEqual(a.history.layers().length, 40);
  },
});

Deno.test({
  name: "other members have what was written after a refresh",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openHistory(redis.url, { name: "a" });
    await using b = await openHistory(redis.url, { name: "b" });
    await a.history.shared.lead(1);
    await a.change((t) => {
      t.appendPart("hall", 1, 2, HOUR + 1, bytes("part"));
      t.putBlock("roof", 3, 4, HOUR, bytes("block"));
      t.putCellDay("roof", 3, 4, DAY, bytes("cells"));
      t.putZoneDay("z", "roof", DAY, bytes("zone"));
      t.putMeta("sampled1", 8);
      t.addGap({ from: 5, to: 7 });
    });
    // One that was just read is shared for a while.
    await until(async () => {
      await b.history.refresh();
      return b.history.layers().length === 2;
    });
    for (const { history } of [a, b]) {
      assert.deepEqual(history.layers(), ["hall", "roof"]);
      assert.deepEqual(history.openHours(), [HOUR + 1]);
      assert.deepEqual(history.oldestHour(), HOUR);
      assert.deepEqual(history.oldestDay(), DAY);
      assert.deepEqual([...history.meta], [["sampled1", 8]]);
      assert.deepEqual(history.gaps({ from: 0, to: 99 }), [{
        from: 5,
        to: 7,
      }]);
      assert.deepEqual(history.size(), a.history.size());
      assert.deepEqual(
        (await history.zones()).map(({ zone, layer }) => [zone, layer]),
        [["z", "roof"]],
      );
      assert.deepEqual(
        textsOf(await history.hourRows("hall", 1, 2, HOUR + 1)),
        ["part"],
      );
    }
  },
});

Deno.test({
  name: "a layer that was deleted and is recorded again has only new rows",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openHistory(redis.url, { name: "a" });
    await a.history.shared.lead(1);
    const { change, history } = a;
    const fill = (text: string, tiles: number) =>
      change((t) => {
        for (let tx = 0; tx < tiles; tx++) {
          t.putBlock("hall", tx, 0, HOUR, bytes(text));
          t.putFrame("hall", tx, 0, HOUR, bytes(text));
          t.appendPart("hall", tx, 0, HOUR + 1, bytes(text));
        }
        t.putZoneDay("z", "hall", DAY, bytes(text));
      });
    await fill("old", 200);
    await change((t) => {
      t.deleteLayer("hall");
    });
    assert.deepEqual(history.layers(), []);
    assert.deepEqual(await history.zones(), []);
    assert.deepEqual(await history.tilesOf("hall", undefined, 9), []);
    await fill("new", 2);
    // Its rows go, also by a member that starts afterwards.
    await using b = await openHistory(redis.url, { name: "b" });
    await b.history.shared.lead(2);
    const { rows, steps } = await removeAll(() =>
      b.change((t) => t.deleteRest(50))
    );
    assert.ok(rows >= 601, `${rows} rows`);
    assert.ok(steps > 10, `${steps} steps`);
    for (let tx = 0; tx < 3; tx++) {
      const texts = tx < 2 ? ["new"] : [];
      assert.deepEqual(
        textsOf(await history.blocks("hall", tx, 0, HOUR, HOUR)),
        texts,
      );
      assert.deepEqual(
        textsOf(await history.hourRows("hall", tx, 0, HOUR + 1)),
        texts,
      );
    }
    assert.deepEqual(textsOf(await history.zoneDays("z", 0, DAY)), ["new"]);
    assert.equal(b.history.size().blocks.rows, 2);
    assert.equal(b.history.size().parts.rows, 2);
  },
});

Deno.test({
  name: "10,000 tiles are written, read and removed in steps that are short",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openHistory(redis.url, { name: "a" });
    const { change, history } = a;
    await history.shared.lead(1);
    await redis.command("CONFIG", "SET", "slowlog-log-slower-than", "20000");
    await redis.command("CONFIG", "SET", "slowlog-max-len", "1000");
    await change((t) => {
      for (let i = 0; i < 10_000; i++) {
        t.appendPart("hall", i % 100, Math.floor(i / 100), HOUR, bytes("part"));
      }
    });
    const all: string[] = [];
    let after: { tx: number; ty: number } | undefined;
    for (;;) {
      const page = await history.tilesOf("hall", undefined, 999, after);
      all.push(...page.map(({ tx, ty }) => `${tx} ${ty}`));
      if (page.length < 999) break;
      after = page.at(-1)!;
    }
    assert.equal(new Set(all).size, 10_000);
    assert.equal(all.length, 10_000);
    for (let closed = 0; closed < 10_000;) {
      const tiles = await history.openTiles(HOUR, 500);
      assert.ok(tiles.length > 0, `${closed} tiles are closed`);
      closed += tiles.length;
      await change((t) => {
        for (const { layer, tx, ty } of tiles) {
          t.putBlock(layer, tx, ty, HOUR, bytes("block"));
        }
      });
    }
    assert.equal((await change((t) => t.endHour(HOUR))).isEnded, true);
    assert.equal(history.size().parts.rows, 0);
    assert.equal(history.size().blocks.rows, 10_000);
    await change((t) => t.deleteLayer("hall"));
    const { rows, steps } = await removeAll(() =>
      change((t) => t.deleteRest(500))
    );
    assert.equal(rows, 10_000);
    assert.ok(steps >= 20, `${steps} steps`);
    assert.equal(history.size().bytes, 0);
    // On a machine with other work, a step may take a few times longer.
    const slow = await redis.command("SLOWLOG", "GET", "10");
    assert.deepEqual(
      (slow as unknown as [number, number, number, string[]][])
        .map(([, , us, [command]]) => `${command} ${us} us`),
      [],
    );
  },
});

Deno.test({
  name: "a zone that moves to a layer in another shard keeps its rollups",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openHistory(redis.url, { name: "a" });
    await a.history.shared.lead(1);
    const layers = Array.from({ length: 40 }, (_, i) => `layer ${i}`);
    const inShard = (shard: number) =>
      layers.find((layer) => a.member.map.shardOf(layer) === shard)!;
    const [from, to] = [inShard(3), inShard(0)];
    for (const day of [DAY, DAY + 1]) {
      await a.change((t) => t.putZoneDay("hall", from, day, bytes(`${day}`)));
    }
    for (const text of ["hour 11", "hour 12"]) {
      const row = (await a.history.zoneDays("hall", DAY + 1, DAY + 1))[0]!;
      const before = new TextDecoder().decode(row.bytes);
      await a.change((t) =>
        t.putZoneDay("hall", to, DAY + 1, bytes(`${before}, ${text}`))
      );
    }
    const days = await a.history.zoneDays("hall", DAY, DAY + 9);
    assert.deepEqual(textsOf(days), [
      `${DAY}`,
      `${DAY + 1}, hour 11, hour 12`,
    ]);
    assert.deepEqual(await a.history.zones(), [
      { zone: "hall", layer: to, firstDay: DAY, lastDay: DAY + 1 },
    ]);
    assert.equal(a.history.size().zoneDays.rows, 2);
  },
});
