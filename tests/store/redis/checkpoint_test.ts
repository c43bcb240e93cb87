import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import {
  decodeChunk,
  encodeChunk,
} from "../../../src/store/redis/chunk_value.ts";
import { StoreError } from "../../../src/store/store.ts";
import { needs } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { RedisServer } from "../../support/redis.ts";
import { until, within } from "../../support/until.ts";
import { assertSameMap, readingsEntry } from "../support.ts";
import {
  assertLoads,
  CHECKPOINT,
  chunkIds,
  CHUNKS,
  JOURNAL,
  journalLength,
  Member,
  someReadings,
  T0,
} from "./checkpoint_support.ts";
import { journalInfo } from "./journal_model.ts";

Deno.test("a damaged chunk is not decoded, also under another id", () => {
  const chunk = {
    ...{ id: 7, layer: "Büro ü", bytes: Uint8Array.of(1, 2, 3), first: 5 },
    began: undefined,
  };
  const value = encodeChunk(chunk);
  assert.deepEqual(decodeChunk(7, value), chunk);
  const marked = { ...chunk, bytes: new Uint8Array(0), began: T0 };
  assert.deepEqual(decodeChunk(7, encodeChunk(marked)), marked);
  assert.throws(() => decodeChunk(8, value), RangeError);
  for (let i = 0; i <= value.length; i++) {
    assert.throws(() => decodeChunk(7, value.subarray(0, i - 1)), RangeError);
    if (i === value.length) break;
    value[i]! ^= 4;
    assert.throws(() => decodeChunk(7, value), RangeError);
    value[i]! ^= 4;
  }
});

Deno.test({
  name: "checkpoints and journal give the map, whatever was done in between",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(5);
    const layers = ["a", "b", "c"];
    for (let round = 0, now = T0; round < 12; round++) {
      for (let i = 0; i < 6; i++) {
        now += random(1000);
        const layer = layers[random(3)]!;
        await a.commit(
          random(8) === 0
            ? { kind: "delete", now, layer }
            : random(8) === 0
            ? { kind: "age", now: now += 60_000 }
            : someReadings(random, now, layer),
        );
      }
      if (round === 6) {
        const ageing = { staleAfter: 9, forgetAfter: Infinity, maxSkew: 7 };
        await a.commit({ kind: "configure", now, ageing });
      }
      if (round % 2 === 1) await a.checkpoint();
      await assertLoads(redis, a);
    }
    assert.deepEqual(a.warnings, []);
    // What no checkpoint needs is deleted.
    await until(async () => {
      const bytes = Number(await redis.text("MEMORY", "USAGE", CHUNKS));
      return bytes < 1_000_000;
    });
  },
});

Deno.test({
  name: "a checkpoint writes only tiles that changed since the last one",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(6);
    await a.commit(someReadings(random, T0, "large", 30_000));
    await a.checkpoint();
    const first = await chunkIds(redis);
    assert.ok(first.length > 5, `${first.length} chunks`);
    await a.commit(readingsEntry(T0, [[1, 1, 1]], "small"));
    await a.checkpoint();
    const second = await chunkIds(redis);
    assert.equal(second.length, first.length + 1);
    await assertLoads(redis, a);
  },
});

Deno.test({
  name: "the journal is trimmed behind a checkpoint, and never before",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await using late = await Member.start(redis);
    const random = randomIntegers(9);
    for (let i = 0; i < 1500; i++) {
      await a.commit(someReadings(random, T0 + i, "default", 3));
    }
    assert.equal(await journalLength(redis), 1500);
    await a.lead();
    await a.checkpoint();
    const position = await redis.text("HGET", CHECKPOINT, "position");
    await until(async () => await journalLength(redis) < 200);
    const [[first]] = await redis.command("XRANGE", JOURNAL, "-", "+");
    assert.ok(
      Number(`${first}`.split("-")[0]) <= Number(position.split("-")[0]),
    );
    // A reader notices that it misses entries.
    const info = await journalInfo(redis, JOURNAL);
    assert.match(info.get("max-deleted-entry-id")!, /^[1-9]\d*-\d+$/);
    await assertLoads(redis, a);
    // It loads the shard anew; no revision goes back.
    const before = late.map.revision;
    await late.reload();
    assert.ok(late.map.revision > before);
    assertSameMap(late.map, a.map);
  },
});

Deno.test({
  name: "a server loads the map while its checkpoint is replaced",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await Member.start(redis);
    await a.lead();
    const random = randomIntegers(12);
    await a.commit(someReadings(random, T0, "default", 100_000));
    await a.checkpoint();
    let ends = false;
    const writing = (async () => {
      while (!ends) {
        await a.commit(someReadings(random, T0, "default", 5000));
        await a.checkpoint();
      }
    })();
    writing.catch(() => {}); // if a start fails first
    try {
      for (let i = 0; i < 10; i++) {
        await using b = await Member.start(redis);
        assert.ok(b.map.size > 0);
      }
    } finally {
      ends = true;
    }
    await within(writing, "the last checkpoint");
    await assertLoads(redis, a);
  },
});

Deno.test({
  name: "damaged checkpoints are reported, not loaded",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    {
      await using a = await Member.start(redis);
      await a.lead();
      await a.commit(someReadings(randomIntegers(13), T0));
      await a.checkpoint();
    }
    const damages: [string, () => Promise<void>][] = [
      ["a wrong checksum", async () => {
        const [id] = await chunkIds(redis);
        const chunk = await redis.command("HGET", CHUNKS, `${id}`);
        chunk[50] ^= 1;
        await redis.command("HSET", CHUNKS, `${id}`, chunk);
      }],
      ["cells of", async () => {
        const [id] = await chunkIds(redis);
        await redis.command("HDEL", CHUNKS, `${id}`);
      }],
      ["the checkpoint has a wrong checksum", async () => {
        await redis.command("HSET", CHECKPOINT, "position", "1-1");
      }],
    ];
    for (const [text, damage] of damages) {
      await damage();
      await assert.rejects(Member.start(redis), (error) => {
        assert.ok(error instanceof StoreError);
        assert.match(error.message, new RegExp(text));
        assert.match(error.hint!, /backup/);
        return true;
      });
    }
  },
});

Deno.test({
  name: "records are in the checkpoint of shard 0",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    let parts: [string, Uint8Array][] = [["head", Uint8Array.of(1)]];
    const restored: unknown[] = [];
    const records = {
      save: () => parts,
      restore: (all: Iterable<unknown>) => void restored.push([...all]),
    };
    await using a = await Member.start(redis, { records });
    await a.lead();
    await a.commit(someReadings(randomIntegers(14), T0));
    await a.checkpoint();
    parts = [["head", Uint8Array.of(2)], [
      "4",
      crypto.getRandomValues(new Uint8Array(9)),
    ]];
    await a.checkpoint();
    await using _b = await Member.start(redis, { records });
    assert.deepEqual(
      (restored.at(-1) as typeof parts).map((
        [name, bytes],
      ) => [name, crc32(bytes)]),
      parts.map(([name, bytes]) => [name, crc32(bytes)]),
    );
    await until(async () =>
      (await redis.command("HKEYS", CHUNKS)).filter((name: unknown) =>
        `${name}`.includes(":")
      ).length === 2
    );
  },
});

Deno.test({
  name: "large records do not cause more checkpoints than the journal is worth",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const size = 200_000;
    await using a = await Member.start(redis, {
      records: { save: () => [["head", new Uint8Array(size)]], restore() {} },
      minJournalBytes: 1000,
    });
    await a.lead();
    const random = randomIntegers(16);
    const write = () =>
      a.commit(readingsEntry(
        T0,
        Array.from(
          { length: 2000 },
          () => [random(9), random(9), random(3)] as const,
        ),
      ));
    await write();
    await a.checkpoint();
    await until(() => !a.isWriting);
    const inForce = await a.inForce();
    const start = a.state.bytes;
    while (a.state.bytes - start < 0.8 * size) {
      await write();
      assert.ok(!a.isWriting, `after ${a.state.bytes - start} bytes`);
      assert.equal(await a.inForce(), inForce);
    }
    await until(async () => {
      await write();
      return await a.inForce() !== inForce;
    });
  },
});

Deno.test({
  name: "damaged records leave the map as it was, when a shard is loaded anew",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    let isDamaged = false;
    const records = { save: () => [], restore() {} };
    await using a = await Member.start(redis, { records });
    await using late = await Member.start(redis, {
      records: {
        save: () => [],
        restore: () => {
          if (isDamaged) throw new StoreError("damaged", { hint: "backup" });
        },
      },
    });
    await a.lead();
    await a.commit(someReadings(randomIntegers(17), T0));
    await a.checkpoint();
    isDamaged = true;
    const before = late.map.revision;
    await assert.rejects(late.reload(), /damaged/);
    assert.equal(late.map.revision, before);
    assert.equal(late.map.size, 0);
    isDamaged = false;
    await late.reload();
    assertSameMap(late.map, a.map);
  },
});
