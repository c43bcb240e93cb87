/** Copies of the history between SQLite files and real Redis. */
import assert from "node:assert/strict";
import type { HistoryTables } from "../../../src/store/store.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { tempDir } from "../../support/temp.ts";
import { bytesFor, QueuedWork } from "../history_support.ts";
import { openMember } from "../redis/redis_members.ts";
import { commitAndApply, execSql, readingsEntry } from "../support.ts";
import { copy, fillHistory, HISTORY_HOUR, open, T0 } from "./support.ts";

const LAYERS = ["a", "b", "c", "hall/ä"];
/** More than a page of the list of tiles has. */
const TILES = 1003;
const DAY = 20_000;

/** Makes a store with rows of each kind in several layers. */
async function fillAllKinds(path: string): Promise<void> {
  const { store, map } = await open(path);
  const work = new QueuedWork();
  store.historyWork = work;
  work.add((tables) => {
    for (let tx = 0; tx < TILES; tx++) {
      tables.appendPart("a", tx - 500, 3, HISTORY_HOUR, bytesFor(tx));
    }
    for (const [i, layer] of LAYERS.entries()) {
      for (let n = 0; n < 5; n++) {
        tables.putBlock(layer, -n, i, HISTORY_HOUR - 3 * n, bytesFor(n));
        tables.putFrame(layer, 1, i, HISTORY_HOUR - 24 * n, bytesFor(n + i));
        tables.putCellDay(layer, 1, i, DAY - n, bytesFor(7 * n, 300));
        tables.appendPart(layer, 9, 9, HISTORY_HOUR, bytesFor(n));
        tables.appendPart(layer, 9, 9, HISTORY_HOUR + 1, bytesFor(n));
      }
      tables.putZoneDay(`desk ${i}`, layer, DAY, bytesFor(i));
      tables.putZoneDay(`desk ${i}`, layer, DAY - 2, bytesFor(i + 1));
    }
    tables.putMeta("closedTo", HISTORY_HOUR);
    tables.putMeta("sampled0", 5);
    tables.addGap({ from: 1, to: 2 });
    tables.addGap({ from: 70, to: 1_700_000_000 });
  });
  commitAndApply(store, map, readingsEntry(T0, [[1, 2, 3]], "a"));
  store.close(map);
}

/** All that can be read of a history; frames at the hours that tests use. */
async function contentsOf(history: HistoryTables) {
  const tiles: unknown[] = [];
  for (const layer of history.layers()) {
    for (const { tx, ty } of await history.tilesOf(layer, undefined, 9999)) {
      const tile = [layer, tx, ty] as const;
      const frames: unknown[] = [];
      for (let hour = HISTORY_HOUR; hour > HISTORY_HOUR - 200; hour -= 24) {
        frames.push(await history.frameBefore(...tile, hour));
      }
      tiles.push([
        ...[tile, frames, await history.cellDays(...tile, 0, 2 * DAY)],
        await history.tileRows(...tile, 0, 2 * HISTORY_HOUR),
      ]);
    }
  }
  const zones = await history.zones();
  const { bytes: _, ...size } = history.size(); // counts keys differently
  return {
    ...{ size, tiles, zones, layers: history.layers() },
    days: await Promise.all(
      zones.map(({ zone }) => history.zoneDays(zone, 0, 2 * DAY)),
    ),
    meta: [...history.meta].filter(([key]) => key !== "sampled0").sort(),
    gaps: history.gaps({ from: 0, to: 2 ** 40 }),
    open: history.openHours(),
  };
}

async function contentsOfFile(path: string) {
  const { store } = await open(path);
  const contents = await contentsOf(store.history);
  const { meta } = store.history;
  const sampled = meta.get("sampled0");
  store.close();
  return { contents, sampled };
}

Deno.test({
  name: "the history goes from a file to Redis and back, with 1 or 4 shards",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using dir = await tempDir();
    const from = `${dir.path}/map.db`;
    await fillAllKinds(from);
    const { contents, sampled } = await contentsOfFile(from);
    assert.equal(sampled, 5);
    assert.equal(contents.size.parts.rows, TILES + 10 * LAYERS.length);
    for (const shards of [1, 4]) {
      const address = `${redis.url}/of-${shards}`;
      const there = await copy(from, address, { redis: { shards } });
      const { parts, blocks, frames, cellDays, zoneDays } = contents.size;
      const rows = [parts, blocks, frames, cellDays, zoneDays]
        .reduce((sum, { rows }) => sum + rows, 0);
      assert.equal(there.history, rows + 1 + 2, "with a number and two gaps");
      // A server reads it, and can write: its lease is a later one.
      const member = await openMember(address, { shards, replicas: 0 });
      const { history } = member.store;
      assert.equal(await history.shared.lead(1), true);
      assert.deepEqual(await contentsOf(history), contents);
      assert.equal(history.meta.get("sampled0"), undefined);
      await member[Symbol.asyncDispose]();
      const back = `${dir.path}/back-${shards}.db`;
      const again = await copy(address, back);
      assert.equal(again.history, there.history);
      const last = await contentsOfFile(back);
      assert.deepEqual(last.contents, contents);
      assert.equal(last.sampled, undefined, "all cells are recorded once");
    }
  },
});

Deno.test({
  name: "damaged rows of the history are counted, and the rest is copied",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await using dir = await tempDir();
    const from = `${dir.path}/map.db`;
    await fillHistory(from);
    await execSql(
      from,
      "UPDATE history_part SET bytes = x'00' WHERE id = (SELECT max(id) FROM history_part)",
    );
    const warnings: string[] = [];
    const result = await copy(from, redis.url, {
      onWarning: (line) => warnings.push(line),
    });
    assert.equal(result.history, 1199 + 4);
    assert.deepEqual(warnings, [
      "The history has 1 damaged row that cannot be copied: this time is missing in the copy",
    ]);
    await copy(redis.url, `${dir.path}/back.db`);
    const { contents } = await contentsOfFile(`${dir.path}/back.db`);
    assert.equal(contents.size.parts.rows, 1199);
    assert.equal(contents.size.frames.rows, 1);
  },
});
