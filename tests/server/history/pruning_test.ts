/** What is deleted is the oldest, and what remains is the same as before. */
import assert from "node:assert/strict";
import { CellHours } from "../../../src/history/cell_hours.ts";
import {
  decodeCellHours,
  encodeCellHours,
} from "../../../src/history/cell_hours_codec.ts";
import { mergeGaps } from "../../../src/history/gaps.ts";
import { DAY_SECONDS, hourOf, startOf } from "../../../src/history/hour.ts";
import { TileChanges } from "../../../src/history/tile_changes.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { keyOf } from "../../../src/grid/tiles.ts";
import { oldestRollupDay } from "../../../src/server/history/oldest.ts";
import { BEGAN } from "../../../src/server/history/parts.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import type { HistoryTables } from "../../../src/store/store.ts";
import type { Zones } from "../../../src/zones/mod.ts";
import { permitted } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { tempDir } from "../../support/temp.ts";
import { resultOf } from "../../support/work.ts";
import {
  type CaredOptions,
  CaredStore,
  type Change,
  DAY,
  memoryStore,
  randomChanges,
  rectangle,
} from "./support.ts";

const HOUR = 3600;
const FROM = DAY + 7 * HOUR + 123;
const TO = DAY + 4 * DAY_SECONDS + 5 * HOUR;
const FIRST_DAY = hourOf(DAY) / 24;
const GAP = {
  from: DAY + 2 * DAY_SECONDS - 500,
  to: DAY + 2 * DAY_SECONDS + 5,
};
const ZONES: Zones = new Map([
  rectangle("left", "a", [-40, 0, 0, 40]),
  rectangle("far", "a", [-40, 990, 40, 1010]),
].map((zone) => [zone.name, zone]));

/** Most cells stop to change after a day. */
const CHANGES: readonly Change[] = [
  ...randomChanges(11, FROM, FROM + DAY_SECONDS, 2000),
  ...randomChanges(11, FROM + DAY_SECONDS, TO, 2500)
    .filter(({ x, y }) => x >= 0 && y < 40),
];

/** All cells that there are, by tile. */
const CELLS = Map.groupBy(
  new Set(CHANGES.map(({ layer, x, y }) => `${layer} ${x} ${y}`)),
  (cell) => {
    const [layer, x, y] = cell.split(" ");
    return `${layer} ${Number(x) >> 5} ${Number(y) >> 5}`;
  },
);

/** Everything that can be read of some times. */
async function readAll(
  tables: HistoryTables,
  from: number,
): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  const random = randomIntegers(3);
  const times: number[] = [];
  for (let i = 0; i < 100; i++) times.push(FROM + random(TO - FROM));
  for (let at = startOf(hourOf(FROM)); at < TO; at += 3 * HOUR) times.push(at);
  const reader = new TileReader(tables);
  const frame = new TileFrame();
  for (const [address, cells] of CELLS) {
    const [layer, tx, ty] = address.split(" ");
    const tile = { layer: layer!, tx: Number(tx), ty: Number(ty) };
    const keys = cells.map((cell) => {
      const [, x, y] = cell.split(" ").map(Number);
      return keyOf(x!, y!);
    });
    for (const time of times) {
      if (time < from) continue;
      await resultOf(reader.stateAt(tile, time, frame));
      all.set(
        `${address} at ${time}`,
        keys.map((k) => [frame.has[k], frame.value[k], frame.stale[k]]),
      );
    }
    const oldest = oldestRollupDay(tables)!;
    for (let day = oldest; day < FIRST_DAY + 4; day++) {
      all.set(`${address} on ${day}`, await cellDay(tables, tile, day));
    }
  }
  for (const name of ZONES.keys()) {
    const oldest = oldestRollupDay(tables)!;
    for (
      const { day, bytes } of await tables.zoneDays(name, oldest, FIRST_DAY + 9)
    ) {
      all.set(`${name} on ${day}`, bytes);
    }
  }
  return all;
}

/** The rollup of a day, made of the one before if there is none. */
async function cellDay(
  tables: HistoryTables,
  { layer, tx, ty }: { layer: string; tx: number; ty: number },
  day: number,
): Promise<unknown> {
  const hours = new CellHours();
  const [row] = await tables.cellDays(layer, tx, ty, day, day);
  if (row !== undefined) decodeCellHours(row.bytes!, day, hours);
  else {
    const before = await tables.cellDayBefore(layer, tx, ty, day);
    if (before === undefined) return undefined;
    decodeCellHours(before.bytes!, before.day, hours);
    const state = new TileFrame();
    hours.copyEnd(state);
    hours.clear(day);
    const span = { from: startOf(day * 24), to: startOf(day * 24 + 24) };
    const gaps = mergeGaps(tables.gaps(span));
    const none = new TileChanges();
    for (let hour = 0; hour < 24; hour++) {
      hours.addHour(hour, state, none, gaps);
    }
  }
  return encodeCellHours(hours).toHex(); // quick to compare
}

async function assertRemains(
  tables: HistoryTables,
  before: ReadonlyMap<string, unknown>,
): Promise<number> {
  const after = await readAll(tables, tables.meta.get(BEGAN)!);
  for (const [key, value] of after) {
    assert.deepEqual(value, before.get(key), key);
  }
  return after.size;
}

/** A closed history, and all that can be read of it. */
async function closed() {
  const cared = new CaredStore(await memoryStore(), { zones: ZONES });
  await cared.write((tables) => tables.addGap(GAP));
  await cared.record(CHANGES);
  await cared.care(TO);
  assert.deepEqual(cared.log, []);
  return { cared, before: await readAll(cared.tables, 0) };
}

Deno.test("hours that are older than they are kept are deleted", async () => {
  const { cared, before } = await closed();
  const pruned = cared.reopen({ keepSeconds: DAY_SECONDS + 4 * HOUR });
  const { tables } = pruned;
  await pruned.care(TO);
  assert.deepEqual(pruned.log, []);
  const limit = hourOf(TO) - 28;
  assert.equal(tables.meta.get(BEGAN), startOf(limit));
  assert.ok(tables.oldestHour()! >= limit);
  const remaining = await assertRemains(tables, before);
  assert.ok(remaining < before.size && remaining > before.size / 5);
  // Not the rollups, and of each tile one frame before.
  assert.equal(tables.oldestDay(), FIRST_DAY);
  assert.ok(tables.frameBefore("a", -1, 31, limit) !== undefined);
  pruned.close();
});

Deno.test("the oldest hours are deleted above a size, also of the open day", async () => {
  const { cared, before } = await closed();
  const { bytes } = cared.tables.size();
  const maxBytes = Math.round(bytes * 0.6);
  const pruned = cared.reopen({ maxBytes });
  await pruned.care(TO);
  assert.ok(pruned.tables.size().bytes <= 0.95 * maxBytes);
  assert.equal(await assertRemains(pruned.tables, before) < before.size, true);
  pruned.close();
});

Deno.test("a day that is pruned before its end has the same rollup", async () => {
  const all = new CaredStore(await memoryStore());
  await all.record(CHANGES);
  await all.care(DAY + DAY_SECONDS + HOUR);
  const first = new CaredStore(await memoryStore());
  await first.record(CHANGES.filter(({ second }) => second < DAY + 15 * HOUR));
  await first.care(DAY + 15 * HOUR);
  const maxBytes = first.tables.size().bytes / 2;
  const small = first.reopen({ maxBytes });
  await small.care(DAY + 15 * HOUR);
  const pruned = small.reopen({});
  assert.ok(pruned.tables.meta.get(BEGAN)! > FROM + 2 * HOUR);
  await pruned.record(
    CHANGES.filter(({ second }) => second >= DAY + 15 * HOUR),
  );
  await pruned.care(DAY + DAY_SECONDS + HOUR);
  for (const address of CELLS.keys()) {
    const [layer, tx, ty] = address.split(" ");
    const tile = { layer: layer!, tx: Number(tx), ty: Number(ty) };
    assert.deepEqual(
      await cellDay(pruned.tables, tile, FIRST_DAY),
      await cellDay(all.tables, tile, FIRST_DAY),
      address,
    );
  }
  all.close();
  pruned.close();
});

Deno.test("what was recorded before a time can be deleted", async () => {
  const { cared, before } = await closed();
  const { keeper, tables } = cared;
  const limit = DAY + 2 * DAY_SECONDS + 7 * HOUR + 99;
  const done = keeper.prune(limit);
  assert.equal(keeper.prune(limit), undefined, "one after the other");
  await done;
  assert.equal(tables.meta.get(BEGAN), limit - 99, "whole hours");
  assert.equal(tables.oldestDay(), FIRST_DAY + 2, "whole days");
  assert.ok(await assertRemains(tables, before) > 30);
  const { bytes } = tables.size();
  await keeper.prune(limit);
  await keeper.prune(0);
  assert.equal(tables.size().bytes, bytes, "nothing more");
  // Not hours that are not closed yet, and not the last day of rollups.
  await keeper.prune(TO + 1000 * HOUR);
  assert.equal(tables.meta.get(BEGAN), startOf(hourOf(TO)));
  assert.equal(tables.oldestDay(), FIRST_DAY + 3);
  await assertRemains(tables, before);
  assert.deepEqual(cared.log, []);
  cared.close();
});

Deno.test("a deletion fails if the server stops", async () => {
  const { cared } = await closed();
  const done = cared.keeper.prune(TO)!;
  cared.keeper.stop();
  await assert.rejects(done, /the server is stopping/);
  await assert.rejects(cared.keeper.prune(TO)!, /the server is stopping/);
  cared.close();
});

Deno.test("without cells, only what the open day needs is kept", async () => {
  const { cared, before } = await closed();
  const pruned = cared.reopen({ cells: false });
  await pruned.care(TO);
  const { tables } = pruned;
  assert.equal(tables.meta.get(BEGAN), DAY + 4 * DAY_SECONDS);
  assert.equal(tables.oldestHour(), hourOf(DAY) + 96);
  assert.ok(await assertRemains(tables, before) > 50);
  pruned.close();
});

Deno.test("rollups that are older than they are kept are deleted", async () => {
  const { cared, before } = await closed();
  const pruned = cared.reopen({
    keepRollupsSeconds: 2 * DAY_SECONDS,
    keepSeconds: DAY_SECONDS,
  });
  await pruned.care(TO);
  const { tables } = pruned;
  assert.equal(tables.oldestDay(), FIRST_DAY + 2);
  const deleted = await tables.zoneDays("left", 0, FIRST_DAY + 1);
  assert.equal(deleted.length, 0);
  assert.ok(await assertRemains(tables, before) > 30);
  // A gap stays as long as a rollup needs it.
  assert.deepEqual(tables.gaps({ from: 0, to: TO }), [GAP]);
  const later = pruned.reopen({ keepRollupsSeconds: DAY_SECONDS });
  await later.care(TO);
  assert.equal(tables.oldestDay(), FIRST_DAY + 3);
  assert.deepEqual(tables.gaps({ from: 0, to: TO }), []);
  await assertRemains(tables, before);
  later.close();
});

Deno.test("a layer that is deleted is removed, and is not there again", async () => {
  const { cared } = await closed();
  await cared.write((tables) => {
    tables.deleteLayer("a");
    tables.putMeta("deletedTo0", TO * 1000);
  });
  const rows = () => {
    const { blocks, frames, cellDays, zoneDays } = cared.tables.size();
    return [blocks, frames, cellDays, zoneDays].map(({ rows }) => rows);
  };
  const before = rows();
  await cared.care(TO + HOUR);
  assert.deepEqual(cared.tables.layers(), ["b"]);
  assert.ok(rows().every((count, i) => count < before[i]! / 2));
  assert.equal(rows()[3], 0);
  cared.close();
});

Deno.test("pruning that is killed is completed by the next start", {
  ignore: !permitted(),
}, async () => {
  const { SqliteStore } = await import("../../../src/store/sqlite.ts");
  const { OccupancyMap } = await import("../../../src/grid/mod.ts");
  await using dir = await tempDir();
  const open = (path: string, options: CaredOptions) => {
    const store = new SqliteStore({ path, durability: "commit" });
    const cared = new CaredStore(store, { zones: ZONES, ...options });
    store.load(new OccupancyMap());
    return cared;
  };
  const prepared = `${dir.path}/prepared.db`;
  const cared = open(prepared, {});
  await cared.write((tables) => tables.addGap(GAP));
  await cared.record(CHANGES);
  await cared.care(TO);
  const before = await readAll(cared.tables, 0);
  cared.close();
  const options = {
    keepSeconds: DAY_SECONDS,
    keepRollupsSeconds: 2 * DAY_SECONDS,
  };
  let transactions = 0;
  let size: unknown;
  // First the whole.
  for (let dead = Infinity; dead > 0; dead -= dead < 20 ? 1 : 7) {
    const path = `${dir.path}/${dead}.db`;
    await Deno.copyFile(prepared, path);
    const killed = open(path, { ...options, maxTransactions: dead });
    assert.equal(await killed.care(TO), dead === Infinity);
    await assertRemains(killed.tables, before);
    killed.close();
    const again = open(path, options);
    assert.ok(await again.care(TO));
    await assertRemains(again.tables, before);
    const { blocks, frames, cellDays, zoneDays } = again.tables.size();
    size ??= { blocks, frames, cellDays, zoneDays };
    assert.deepEqual({ blocks, frames, cellDays, zoneDays }, size, `${dead}`);
    again.close();
    if (dead === Infinity) dead = transactions = killed.transactions;
  }
  assert.ok(transactions > 10);
});
