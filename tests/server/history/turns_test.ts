/** The care for the history takes short turns of the event loop. */
import assert from "node:assert/strict";
import process from "node:process";
import { setImmediate } from "node:timers";
import { encodeChanges } from "../../../src/history/changes_codec.ts";
import { DAY_SECONDS, hourOf } from "../../../src/history/hour.ts";
import { TileChanges } from "../../../src/history/tile_changes.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { BEGAN } from "../../../src/server/history/parts.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import { batchesOf } from "../../../src/server/history/zone_rollups.ts";
import type { Zone } from "../../../src/zones/mod.ts";
import { randomIntegers } from "../../support/random.ts";
import { resultOf } from "../../support/work.ts";
import { CaredStore, DAY, memoryStore, rectangle } from "./support.ts";

const HOUR = 3600;
const MAX_TURN_MS = 50;

/** Measures the turns of the event loop while it works. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  const { threadCpuUsage } = process as unknown as {
    threadCpuUsage(): { user: number; system: number };
  };
  const cpuMs = () => {
    const { user, system } = threadCpuUsage();
    return (user + system) / 1000;
  };
  let longest = 0;
  let isDone = false;
  let [wall, cpu] = [performance.now(), cpuMs()];
  const step = () => {
    // Other processes do not count.
    const turn = Math.min(performance.now() - wall, cpuMs() - cpu);
    longest = Math.max(longest, turn);
    [wall, cpu] = [performance.now(), cpuMs()];
    if (!isDone) setImmediate(step);
  };
  setImmediate(step);
  await work();
  isDone = true;
  await new Promise<void>((resolve) => setImmediate(() => resolve()));
  return longest;
}

/** Cells of whole tiles change in each of some seconds. */
async function recordTiles(
  cared: CaredStore,
  options: { tiles: number; hours: number; every: number; random: number },
): Promise<void> {
  const random = randomIntegers(options.random);
  const changes = new TileChanges();
  await cared.write((tables) => tables.putMeta(BEGAN, DAY));
  for (let hour = 0; hour < options.hours; hour++) {
    for (let tx = 0; tx < options.tiles; tx++) {
      for (let part = 0; part < 12; part++) {
        changes.clear();
        for (let second = 0; second < 300; second += options.every) {
          const at = DAY + hour * HOUR + part * 300 + second;
          for (let key = 0; key < 1024; key++) {
            changes.push(key, at, random(4) & 1, 0);
          }
        }
        changes.sortPart();
        const number = hourOf(DAY) + hour;
        const bytes = encodeChanges(changes, number, { compress: false });
        await cared.write((tables) => {
          tables.appendPart("a", tx, 0, number, bytes);
        });
      }
    }
  }
}

Deno.test("a tile that changes in each second is closed in short turns", async () => {
  const cared = new CaredStore(await memoryStore());
  await recordTiles(cared, { tiles: 1, hours: 1, every: 1, random: 1 });
  const before = new TileFrame();
  const tile = { layer: "a", tx: 0, ty: 0 };
  const reader = new TileReader(cared.tables);
  await resultOf(reader.stateAt(tile, DAY + HOUR, before));
  const longest = await longestTurn(() => cared.care(DAY + 2 * HOUR));
  const after = new TileFrame();
  await resultOf(reader.stateAt(tile, DAY + HOUR, after));
  assert.deepEqual(after.value, before.value);
  const changes = new TileChanges();
  assert.ok(await resultOf(reader.readChanges(tile, hourOf(DAY), changes)));
  const { length } = changes;
  assert.ok(length <= 2 ** 18 && length > 2 ** 14, `${length} changes`);
  assert.ok(longest <= MAX_TURN_MS, `${longest} ms`);
  cared.close();
});

Deno.test("closing a day and pruning it take short turns", async () => {
  const cared = new CaredStore(await memoryStore());
  await recordTiles(cared, { tiles: 6, hours: 24, every: 60, random: 2 });
  const closing = await longestTurn(() => cared.care(DAY + DAY_SECONDS));
  assert.ok(cared.tables.size().cellDays.rows === 6);
  const pruned = cared.reopen({ keepSeconds: HOUR });
  const pruning = await longestTurn(() =>
    pruned.care(DAY + DAY_SECONDS + 2 * HOUR)
  );
  assert.equal(pruned.tables.size().blocks.rows, 0);
  assert.ok(closing <= MAX_TURN_MS, `${closing} ms`);
  assert.ok(pruning <= MAX_TURN_MS, `${pruning} ms`);
  pruned.close();
});

Deno.test("zones are counted together while they have few positions", () => {
  const zonesWith = (positions: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      bounds: { x0: i, y0: 0, x1: i + 1, y1: 1 },
      positions,
    }));
  const sizes = (zones: ReturnType<typeof zonesWith>) =>
    [...batchesOf(zones)].map(({ length }) => length);
  assert.deepEqual(sizes(zonesWith(5, 150)), [64, 64, 22]);
  assert.deepEqual(sizes(zonesWith(8000, 7)), [3, 3, 1]);
  assert.deepEqual(sizes(zonesWith(100_000, 2)), [1, 1]);
  assert.deepEqual(sizes([]), []);
});

Deno.test("the hour of many large zones over the same cells is closed in short turns", async () => {
  const zones = new Map<string, Zone>();
  for (let i = 0; i < 64; i++) {
    const zone = rectangle(`z${i}`, "a", [0, 0, 1, 1]);
    const ring = Array.from({ length: 7500 }, (_, k): [number, number] => {
      const angle = 2 * Math.PI * k / 7500;
      return [16 + 1000 * Math.cos(angle), i + 1000 * Math.sin(angle)];
    });
    ring.push(ring[0]!);
    zones.set(zone.name, { ...zone, polygons: [[ring]] });
  }
  const cared = new CaredStore(await memoryStore(), { zones });
  await recordTiles(cared, { tiles: 3, hours: 1, every: 100, random: 3 });
  const longest = await longestTurn(() => cared.care(DAY + 2 * HOUR));
  assert.equal(cared.tables.size().zoneDays.rows, 64);
  assert.ok(longest <= MAX_TURN_MS, `${longest} ms`);
  cared.close();
});
