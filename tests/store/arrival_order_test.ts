/** The map and its file do not depend on the order of arrival. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { needs } from "../support/needs.ts";
import { serverLog } from "../support/server_log.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const NOW = 1_760_000_000_000;
const READINGS = 10_000;
/** Cells along each side: about 25 readings for each cell. */
const SIDE_CELLS = 20;
const MAX_SKEW_MS = 60_000;
/** Number of additional readings beyond the allowed skew. */
const FUTURE_READINGS = 100;
const MAX_MESSAGE_READINGS = 300;

interface Reading {
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly time: number;
}

Deno.test({
  name:
    "any order of 10,000 timed readings gives the same map, with and without duplicates",
  ...needs(),
  fn: async () => {
    const { SqliteStore } = await import("../../src/store/sqlite.ts");
    await using folder = await tempDir();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.nat()),
        fc.constantFrom(0, 0.3, 1),
        async (numbers, repeatedShare) => {
          const next = (below: number) => numbers.next().value! % below;
          const readings = makeReadings(next);
          const expected = modelOf(readings);
          const future = readings.filter(isFuture).length;
          for (let order = 0; order < 2; order++) {
            const path = `${folder.path}/${run++}.sqlite`;
            const open = () =>
              new SqliteStore({
                path,
                durability: "commit",
                maxJournalBytes: 20_000, // many checkpoints
              });
            const sent = shuffle([
              ...readings,
              ...readings.filter(() => next(1000) < 1000 * repeatedShare),
            ], next);
            const map = new OccupancyMap({ maxSkew: MAX_SKEW_MS });
            const stats = await serve(open(), map, messagesOf(sent, next));
            assert.deepEqual(contentsOf(map), expected);

            const { accepted, refused } = stats;
            const late = refused.get("late") ?? 0;
            const sentFuture = sent.filter(isFuture).length;
            assert.ok(sentFuture >= future);
            assert.equal(refused.get("future"), sentFuture);
            assert.equal(accepted + late + sentFuture, sent.length);
            assert.equal(refused.size, late > 0 ? 2 : 1);

            const reopened = new OccupancyMap();
            const store = open();
            store.load(reopened);
            store.close();
            assert.deepEqual(contentsOf(reopened), expected);
            assert.equal(reopened.revision, map.revision);
          }
        },
      ),
      { numRuns: 10 },
    );
  },
});

/**
 * Readings of different cells or times: for equal ones the order matters. Those
 * ahead of the clock are stored with the time of receipt, so a cell has at most
 * one.
 */
function makeReadings(next: (below: number) => number): Reading[] {
  const readings: Reading[] = [];
  const used = new Set<string>();
  while (readings.length < READINGS) {
    const reading = {
      x: next(SIDE_CELLS) - SIDE_CELLS / 2,
      y: next(SIDE_CELLS) - SIDE_CELLS / 2,
      value: next(5) - 1,
      time: NOW + MAX_SKEW_MS - next(1_000_000),
    };
    const key = `${reading.x},${reading.y},${Math.min(reading.time, NOW)}`;
    if (used.has(key)) continue;
    used.add(key);
    readings.push(reading);
  }
  for (let i = 0; i < FUTURE_READINGS; i++) {
    readings.push({ ...readings[i]!, time: NOW + MAX_SKEW_MS + 1 + next(1e6) });
  }
  return readings;
}

function isFuture({ time }: Reading): boolean {
  return time > NOW + MAX_SKEW_MS;
}

/** The latest reading of each cell, sorted. */
function modelOf(readings: readonly Reading[]): Reading[] {
  const cells = new Map<string, Reading>();
  for (const reading of readings) {
    if (isFuture(reading)) continue;
    const key = `${reading.x},${reading.y}`;
    const present = cells.get(key);
    const time = Math.min(reading.time, NOW);
    if (present === undefined || time > present.time) {
      cells.set(key, { ...reading, time });
    }
  }
  return sorted([...cells.values()]);
}

function contentsOf(map: OccupancyMap): Reading[] {
  const cells: Reading[] = [];
  map.layer("default")?.scan((x, y, value, time) =>
    cells.push({ x, y, value, time })
  );
  return sorted(cells);
}

function sorted(cells: Reading[]): Reading[] {
  return cells.sort((a, b) => a.x - b.x || a.y - b.y);
}

/** Shuffles in place (Fisher and Yates). */
function shuffle(
  readings: Reading[],
  next: (below: number) => number,
): Reading[] {
  for (let i = readings.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [readings[i], readings[j]] = [readings[j]!, readings[i]!];
  }
  return readings;
}

/** Payloads with one or more readings each. */
function messagesOf(
  readings: readonly Reading[],
  next: (below: number) => number,
): string[] {
  const messages: string[] = [];
  for (let at = 0; at < readings.length;) {
    const end = at + 1 + next(next(2) === 0 ? 3 : MAX_MESSAGE_READINGS);
    messages.push(
      readings.slice(at, end)
        .map(({ x, y, value, time }) => `${x},${y},${value},${time}`)
        .join("\n"),
    );
    at = end;
  }
  return messages;
}

/** Passes messages to a server in groups of 50. Returns its statistics. */
async function serve(
  store: import("../../src/store/store.ts").Store,
  map: OccupancyMap,
  messages: readonly string[],
) {
  const link = new FakeLink();
  const server = new Server({
    link,
    store,
    map,
    topics: new Topics(),
    name: "me",
    version: "0",
    log: serverLog(),
    clock: () => NOW,
    changesInterval: 0,
  });
  await server.start();
  for (let at = 0; at < messages.length; at += 50) {
    const group = messages.slice(at, at + 50)
      .map((payload) => incoming("occupancy/data", payload));
    for (const message of group) link.handlers.message(message);
    const last = group.at(-1)!;
    await until(() => link.acknowledged.at(-1) === last);
  }
  await server.stop();
  return server.stats;
}
