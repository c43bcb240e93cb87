/** The sources of readings in the journals in Redis. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { EntryEncoder } from "../../../src/store/entry_codec.ts";
import type { Entry } from "../../../src/store/store.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { readingsEntry } from "../support.ts";
import {
  assertSameMaps,
  openMember,
  type TestMember,
} from "./redis_members.ts";

const T0 = 1_700_000_000_000;

/** An entry with a reading of each of some sources. */
function entryOf(names: readonly string[], layer = "hall"): Entry {
  const entry = readingsEntry(T0, names.map((_, i) => [i, 0, 1]), layer);
  const sources = ["", ...new Set(names.filter((name) => name !== ""))];
  const indexes = new Map(sources.map((name, i) => [name, i]));
  const sourceIndex = Uint32Array.from(names, (name) => indexes.get(name)!);
  return { ...entry, sources: { sources, sourceIndex } } as Entry;
}

/** The sources of all readings, in the order of their delivery. */
function sourcesIn({ deliveries }: TestMember): string[] {
  return sourcesOf(deliveries.flatMap(({ entries }) => entries));
}

function sourcesOf(entries: readonly Entry[]): string[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "apply") return [];
    const { length } = entry.readings;
    const { sources = [""], sourceIndex } = entry.sources ?? {};
    return Array.from({ length }, (_, i) => sources[sourceIndex?.[i] ?? 0]!);
  });
}

Deno.test({
  name:
    "the sources of readings reach the other servers, in entries that are not too large",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    await using b = await openMember(redis.url, { name: "b" });
    await a.store.commit([entryOf(["cam-1", "cam-1", "", "cam-2"])]);
    await a.store.commit([entryOf(["", ""])]);
    // The names take much more than the readings.
    const long = Array.from(
      { length: 3000 },
      (_, i) => `${i}`.padEnd(200, "é"),
    );
    await a.store.commit([entryOf(long)]);
    await assertSameMaps([a, b]);
    const expected = ["cam-1", "cam-1", "", "cam-2", "", "", ...long];
    assert.deepEqual(sourcesIn(b), expected);
    const key = a.store.keys.journal(a.map.shardOf("hall"));
    const entries: [string, Uint8Array[]][] = await redis.command(
      ...["XRANGE", key, "-", "+"],
    );
    const sizes = entries.map(([, fields]) =>
      fields.reduce((sum, { length }) => sum + length, 0)
    );
    assert.ok(Math.max(...sizes) < 150_000, `${Math.max(...sizes)} bytes`);
    // One that starts later reads them too.
    const loaded: Entry[] = [];
    await using c = await openMember(redis.url, {
      name: "c",
      follow: false,
      apply: (entry) => loaded.push(entry),
    });
    assert.deepEqual(c.deliveries, []);
    assert.deepEqual(sourcesOf(loaded), expected);
  },
});

Deno.test({
  name: "entries without sources are applied, also those with damaged ones",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a" });
    const key = a.store.keys.journal(a.map.shardOf("hall"));
    const content = new EntryEncoder().encode([
      readingsEntry(T0, [[1, 1, 1]], "hall"),
    ]).slice();
    const json = '[[0,["cam"],[1,1]]]';
    const other = '[[0,["cam"],[1,2]]]';
    const fields: (string | Uint8Array)[][] = [
      [], // of an earlier version
      ["s", `${crc32(json)} ${json}`],
      ["s", `${crc32(json)} ${other}`],
      ["s", `${crc32(other)} ${other}`],
      ["s", new Uint8Array([255, 0, 32])],
      ["s", ""],
    ];
    for (const [i, more] of fields.entries()) {
      await redis.command(
        ...["XADD", key, "*", "w", `other:${i + 1}`, "k", "*"],
        ...["c", `${crc32(content)}`, "d", content, ...more],
      );
    }
    await until(() => sourcesIn(a).length === fields.length);
    assert.deepEqual(sourcesIn(a), ["", "cam", "", "", "", ""]);
    assert.equal(a.map.layer("hall")?.get(1, 1)?.value, 1);
    assert.equal(a.store.shared.damagedEntries, 0, "no reading is lost");
    const lines = a.warnings.filter((line) => line.includes("sources"));
    assert.equal(lines.length, 1, "limited");
    assert.match(lines[0]!, /applied without them\. Check the memory/);
  },
});
