import assert from "node:assert/strict";
import type { ChangesJson } from "../../../src/page/feed/history_requests.ts";
import { PastHour } from "../../../src/page/history/past_hour.ts";
import { PastMapState } from "../../../src/page/history/past_map.ts";
import { ZoneTallies } from "../../../src/page/history/zone_tallies.ts";
import type { ZoneDefinition } from "../../../src/page/zones/zone_definitions.ts";
import { shapeOf } from "../../../src/page/zones/zone_shapes.ts";
import type { ZoneState } from "../../../src/zones/zone_state.ts";
import { Random } from "../../../src/simulate/random.ts";

const HOUR_MS = 3_600_000;
const SIDE = 12;

/** A change: second of the hour, cell, value, stale. */
type Change = readonly [
  second: number,
  x: number,
  y: number,
  value: number,
  stale: number,
];

function zone(
  name: string,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
): ZoneDefinition {
  return {
    ...{ name, layer: "default", title: name, capacity: 10 },
    polygons: [[[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]],
  };
}

const ZONES = new Map(
  [
    zone("a", [0, 0, 5, 5]),
    zone("b", [3, 3, 30, 30]),
    zone("c", [50, 0, 60, 5]),
  ]
    .map((one) => [one.name, one]),
);

function hourOf(
  from: number,
  start: readonly Change[],
  changes: readonly Change[],
): PastHour {
  const columns = (rows: readonly Change[]) => ({
    x: rows.map(([, x]) => x),
    y: rows.map(([, , y]) => y),
    value: rows.map(([, , , value]) => value),
    stale: rows.map(([, , , , stale]) => stale),
    since: rows.map(([second]) => from + 1000 * second),
  });
  const json: ChangesJson = {
    ...{ from, to: from + HOUR_MS, gaps: [] },
    start: { at: from, gap: false, cells: columns(start) },
    changes: columns(changes),
  };
  return new PastHour(json);
}

/** Random hours of which each begins with the end of the one before. */
function makeHours(random: Random, count: number): PastHour[] {
  const state = new Map<string, Change>();
  const hours: PastHour[] = [];
  for (let hour = 0; hour < count; hour++) {
    const start = [...state.values()].map((change): Change => [
      -1,
      ...change.slice(1) as [number, number, number, number],
    ]);
    const seconds = Array.from({ length: 150 }, () => random.below(3600))
      .sort((a, b) => a - b);
    const changes = seconds.map((second): Change => {
      const [x, y] = [random.below(SIDE), random.below(SIDE)];
      const value = random.below(5) - 1;
      const stale = value >= 0 && random.chance(0.2) ? 1 : 0;
      const change: Change = [second, x, y, value, stale];
      state.set(`${x},${y}`, change);
      return change;
    });
    hours.push(hourOf(hour * HOUR_MS, start, changes));
  }
  return hours;
}

/** Counts the cells at a time anew. */
function recount(hour: PastHour, ms: number) {
  const cells = new Map<string, readonly [number, number, number, number]>();
  for (const { x, y, value, stale, since } of [hour.start, hour.changes]) {
    x.forEach((_, i) => {
      if (since[i]! > ms) return;
      cells.set(`${x[i]},${y[i]}`, [x[i]!, y[i]!, value[i]!, stale[i]!]);
    });
  }
  return [...cells.values()];
}

Deno.test("the map at random times, and its counts and zones, equal a recount", () => {
  const random = new Random(17);
  const hours = makeHours(random, 5);
  const map = new PastMapState();
  let tallies: ZoneTallies | undefined;
  for (let round = 0; round < 400; round++) {
    // Mostly small steps, as of a replay and of a drag.
    const hour = hours[random.below(hours.length)]!;
    const ms = hour.from + 1000 * random.below(3600);
    const replaced = map.show(hour, ms);
    if (replaced || tallies === undefined) {
      tallies = new ZoneTallies(
        [...ZONES.values()].map(shapeOf),
        ZONES,
        map.cells.table,
      );
      map.zones = tallies;
    }
    tallies.update(ms);
    const expected = recount(hour, ms);
    const { table } = map.cells;
    assert.equal(table.length, expected.length);
    for (const [x, y, value, stale] of expected) {
      const row = table.find(x, y);
      assert.deepEqual([table.value[row], table.stale[row]], [value, stale]);
    }
    const isFresh = ([, , value, stale]: readonly number[]) =>
      value! >= 0 && stale === 0;
    const fresh = expected.filter(isFresh);
    const sum = (rows: typeof expected) =>
      rows.reduce((total, [, , value]) => total + value, 0);
    assert.equal(map.counts.people, sum(fresh));
    assert.equal(map.counts.free, fresh.filter((row) => row[2] === 0).length);
    for (
      const [name, [x0, y0, x1, y1]] of [
        ["a", [0, 0, 5, 5]],
        ["b", [3, 3, 30, 30]],
      ] as const
    ) {
      const inside = expected.filter(([x, y]) =>
        x >= x0 && x < x1 && y >= y0 && y < y1
      );
      const state: ZoneState = tallies.states.get(name)!;
      assert.equal(state.cells, inside.length, name);
      const known = inside.filter(isFresh);
      assert.equal(state.count, sum(known), name);
      assert.equal(state.occupied === null, known.length === 0, name);
    }
  }
  assert.equal(tallies!.states.get("c")!.occupied, null);
});

Deno.test("in a gap all zones are unknown, and known again after it", () => {
  const map = new PastMapState();
  map.show(hourOf(0, [[0, 1, 1, 3, 0]], []), 0);
  const tallies = new ZoneTallies(
    [...ZONES.values()].map(shapeOf),
    ZONES,
    map.cells.table,
  );
  tallies.isKnown = false;
  tallies.update(0);
  assert.equal(tallies.states.get("a")!.occupied, null);
  assert.equal(tallies.states.get("a")!.percent, null);
  tallies.isKnown = true;
  assert.deepEqual([...tallies.update(0)].sort(), ["a", "b", "c"]);
  assert.equal(tallies.states.get("a")!.count, 3);
  assert.equal(tallies.states.get("a")!.percent, 30);
});

Deno.test("the sum at the begin of each minute equals a recount", () => {
  const [, hour] = makeHours(new Random(5), 2);
  for (let minute = 0; minute < 60; minute += 7) {
    const ms = hour!.from + minute * 60_000;
    const expected = recount(hour!, ms).reduce(
      (sum, [, , value, stale]) => sum + (stale === 0 ? Math.max(0, value) : 0),
      0,
    );
    assert.equal(hour!.sumAt(ms + 30_000), expected);
  }
});
