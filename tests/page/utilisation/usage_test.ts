/** Shares of known time: cells, zones, hours of the week, lists and CSV. */
import assert from "node:assert/strict";
import { placeDetail, Places } from "../../../src/page/utilisation/places.ts";
import type { UtilisationAnswer } from "../../../src/history/answers.ts";
import {
  changeScaleOf,
  changesPerDay,
  Usage,
  valueOf,
} from "../../../src/page/utilisation/usage.ts";
import { describeTimes } from "../../../src/page/utilisation/usage_text.ts";
import {
  describeWeek,
  weekOf,
  withoutTimeBefore,
} from "../../../src/page/utilisation/week.ts";
import { zoneUsage } from "../../../src/page/utilisation/zone_usage.ts";

const HOUR_SECONDS = 3600;
const MONDAY = Date.parse("2026-11-23T00:00:00Z");
const DAY_MS = 86_400_000;

type Row = readonly [
  x: number,
  y: number,
  occupied: number,
  known: number,
  changes?: number,
  last?: number | null,
];

/** An answer for 10 hours. */
function usageOf(
  rows: readonly Row[],
  other: Partial<UtilisationAnswer> = {},
): Usage {
  return new Usage({
    ...{ layer: "hall", from: MONDAY, to: MONDAY + DAY_MS, days: [1] },
    ...{ hours: [8, 18], timezone: "UTC", dayCount: 1, gaps: [] },
    seconds: 10 * HOUR_SECONDS,
    cells: {
      x: rows.map(([x]) => x),
      y: rows.map(([, y]) => y),
      occupied: rows.map(([, , hours]) => hours * HOUR_SECONDS),
      known: rows.map(([, , , hours]) => hours * HOUR_SECONDS),
      changes: rows.map((row) => row[4] ?? 0),
      last: rows.map((row) => row[5] ?? null),
    },
    week: { occupied: [], known: [] },
    ...other,
  });
}

function zone(
  name: string,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
) {
  return {
    ...{ name, title: name, layer: "hall", capacity: undefined },
    polygons: [[[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]],
  } as const;
}

Deno.test("time without readings counts neither as occupied nor as free", () => {
  const usage = usageOf([[0, 0, 3, 10], [1, 0, 3, 6], [2, 0, 4, 4.9]]);
  const shares = [0, 1, 2].map((row) => usage.use(row).share);
  assert.deepEqual(shares, [0.3, 0.5, NaN], "less than half known: unknown");
  assert.equal(usage.use(2).knownShare, 0.49);
  assert.equal(valueOf(usage.use(2), "occupied", 1), NaN);
  assert.equal(valueOf(usage.use(2), "known", 1), 0.49);
  assert.equal(usage.find({ x: 1, y: 0 }), 1);
  assert.equal(usage.find({ x: 1, y: 1 }), undefined);
});

Deno.test("an answer without time or cells has no shares", () => {
  const none = usageOf([]);
  assert.equal(none.knownShare, 0);
  assert.equal(changeScaleOf(none), 1);
  const empty = usageOf([[0, 0, 0, 0]], { seconds: 0 });
  assert.equal(empty.use(0).share, NaN);
  assert.equal(empty.use(0).knownShare, 0);
});

Deno.test("the scale of changes ignores a few faulty sensors", () => {
  const rows = Array.from({ length: 200 }, (_, x): Row => [x, 0, 1, 10, 5]);
  const usage = usageOf([...rows, [0, 1, 1, 10, 65_535]]);
  assert.equal(changesPerDay(usage.use(0)), 12);
  assert.equal(changeScaleOf(usage), 20);
  assert.equal(valueOf(usage.use(200), "changes", 20), 1);
});

Deno.test("the share of a zone is that of its cells together", () => {
  const usage = usageOf([
    [-1, -1, 2, 10, 3, 100],
    [0, 0, 8, 10, 5, 300],
    [40, 40, 10, 10, 1, 900],
    [41, 40, 0, 1],
  ]);
  const [west, all, store, none] = zoneUsage(usage, [
    zone("west", [-2, -2, 1, 1]),
    zone("all", [-100, -100, 100, 100]),
    zone("store", [41, 40, 42, 41]),
    zone("none", [5, 5, 9, 9]),
  ]);
  assert.deepEqual(west!.rows, [0, 1]);
  assert.equal(west!.use.share, 0.5);
  assert.equal(west!.use.changes, 8);
  assert.equal(west!.use.last, 300);
  assert.deepEqual(west!.bounds, { x0: -1, y0: -1, x1: 0, y1: 0 });
  assert.equal(all!.use.cells, 4);
  assert.equal(all!.use.share, 20 / 31);
  assert.equal(store!.use.share, NaN, "too little is known");
  assert.equal(none!.use.share, NaN);
  assert.equal(none!.bounds, undefined);
});

Deno.test("cells without any reading do not count in a zone, but are named", () => {
  const usage = usageOf([
    [0, 0, 5, 10, 2, 300],
    [1, 0, 0, 9, 0, null], // a desk that is never used counts
    // Walls, or sensors that never reported.
    ...[2, 3, 4, 5, 6].map((x): Row => [x, 0, 0, 0]),
  ]);
  const [room, wall] = zoneUsage(usage, [
    zone("room", [0, 0, 7, 1]),
    zone("wall", [2, 0, 7, 1]),
  ]);
  assert.equal(room!.use.cells, 2);
  assert.equal(room!.use.share, 5 / 19, "most of the area is wall");
  assert.equal(room!.use.knownShare, 0.95);
  assert.equal(room!.unreported, 5);
  assert.equal(room!.rows.length, 7, "the map and the list have them all");
  assert.equal(usage.knownShare, 0.95);
  assert.equal(wall!.use.share, NaN);
  assert.equal(wall!.use.cells, 0);
  assert.equal(wall!.unreported, 5);
  const places = new Places(usage, [room!, wall!]);
  assert.equal(placeDetail(places.zone(room!)), "2 cells, 5 without readings");
  assert.equal(placeDetail(places.zone(wall!)), "5 cells without readings");
  assert.equal(describeTimes(places.zone(wall!).use), "no readings");
});

Deno.test("the week counts the time of cells with readings only", () => {
  const hours = (seconds: number) =>
    Array.from(
      { length: 7 },
      (_, day) => new Array<number>(24).fill(day === 0 ? seconds : 0),
    );
  const { answer } = usageOf([[0, 0, 5, 10], [1, 0, 0, 0], [2, 0, 0, 0]], {
    week: { occupied: hours(HOUR_SECONDS / 2), known: hours(HOUR_SECONDS) },
  });
  const [monday] = weekOf(answer);
  assert.equal(monday![0]!.share, 0.5);
  assert.equal(monday![0]!.known, 1);
});

Deno.test("a zone with a hole has no cells in it", () => {
  const rows = Array.from({ length: 100 }, (_, i): Row => [
    ...[i % 10, Math.floor(i / 10), 1, 10] as const,
  ]);
  const outer = zone("ring", [0, 0, 10, 10]).polygons[0][0];
  const hole = zone("hole", [4, 4, 6, 6]).polygons[0][0];
  const [ring] = zoneUsage(usageOf(rows), [{
    ...zone("ring", [0, 0, 10, 10]),
    polygons: [[outer, hole]],
  }]);
  assert.equal(ring!.rows.length, 96);
});

Deno.test("lists are sorted by any column; what is unknown comes last", () => {
  const usage = usageOf([
    [0, 0, 5, 10, 9, 500],
    [1, 0, 1, 10, 2, 100],
    [2, 0, 0, 2, 0, 50],
    [3, 0, 0, 10, 0, null],
  ]);
  const zones = zoneUsage(usage, [
    zone("b10", [0, 0, 2, 1]),
    zone("b9", [2, 0, 4, 1]),
  ]);
  const places = new Places(usage, zones);
  const cells = (...order: readonly [Parameters<Places["list"]>[2], boolean]) =>
    places.list("cells", undefined, ...order, 10).map(({ row }) => row);
  assert.deepEqual(cells("occupied", false), [3, 1, 0, 2]);
  assert.deepEqual(cells("occupied", true), [0, 1, 3, 2]);
  assert.deepEqual(cells("known", false)[0], 2);
  assert.deepEqual(cells("last", false), [3, 2, 1, 0], "never used first");
  assert.deepEqual(cells("changes", true), [0, 1, 3, 2]);
  assert.deepEqual(cells("name", true), [3, 2, 1, 0]);
  assert.deepEqual(
    places.list("zones", undefined, "name", false, 10).map(({ name }) => name),
    ["b9", "b10"],
  );
  assert.equal(places.cell(0).zone, "b10");
  assert.equal(places.list("cells", [1, 2], "name", false, 1).length, 1);
});

Deno.test("the week has only hours of which enough is known", () => {
  const week = (value: (day: number, hour: number) => number) =>
    Array.from(
      { length: 7 },
      (_, day) => Array.from({ length: 24 }, (_, hour) => value(day, hour)),
    );
  // A Monday of two cells: 2 hours are known in each hour.
  const { answer } = usageOf([[0, 0, 5, 10], [1, 0, 5, 10]], {
    week: {
      occupied: week((day, hour) =>
        day === 0 ? HOUR_SECONDS * (hour === 10 ? 1.5 : 0.5) : 0
      ),
      known: week((day, hour) =>
        day === 0 ? HOUR_SECONDS * (hour === 12 ? 0.9 : 2) : 0
      ),
    },
  });
  const rows = weekOf(answer);
  assert.equal(rows.length, 1);
  const shares = rows[0]!.map(({ share }) => share);
  assert.deepEqual(shares, [
    ...[0.25, 0.25, 0.75, 0.25, NaN, 0.25, 0.25, 0.25, 0.25, 0.25],
  ]);
  assert.equal(rows[0]![4]!.known, 0.45);
  assert.equal(describeWeek(rows), "Busiest Mon 10–11, quietest Mon 8–10");
  assert.equal(describeWeek([]), "");
});

Deno.test("the hours of the week are those of the time zone", () => {
  const occupied = Array.from({ length: 7 }, () => Array(24).fill(0));
  const known = Array.from({ length: 7 }, () => Array(24).fill(0));
  known[6]![23] = HOUR_SECONDS;
  occupied[6]![23] = HOUR_SECONDS;
  // Two hours of Sunday in New York: Monday from 3:00 to 5:00 in UTC.
  const { answer } = usageOf([[0, 0, 1, 1]], {
    from: MONDAY + 3 * HOUR_SECONDS * 1000,
    to: MONDAY + 5 * HOUR_SECONDS * 1000,
    ...{ days: [7], hours: [22, 24], timezone: "America/New_York" },
    week: { occupied, known },
  });
  const [row] = weekOf(answer);
  assert.deepEqual(row!.map(({ share }) => share), [NaN, 1]);
});

Deno.test("the begin of the hour in which the recording began does not count", () => {
  const HOUR_MS = 1000 * HOUR_SECONDS;
  const from = MONDAY + 9 * HOUR_MS;
  const { answer } = usageOf([[0, 0, 0.2, 0.4]], {
    ...{ from, to: from + HOUR_MS, seconds: HOUR_SECONDS },
  });
  const began = from + 0.6 * HOUR_MS;
  const clipped = withoutTimeBefore(answer, began);
  assert.equal(clipped.from, began);
  assert.equal(Math.round(clipped.seconds), 0.4 * HOUR_SECONDS);
  assert.equal(new Usage(clipped).use(0).share, 0.5);
  assert.equal(withoutTimeBefore(answer, from - 1), answer);
  assert.equal(
    withoutTimeBefore(answer, from + HOUR_MS),
    answer,
    "a time before the first record that the user has asked for",
  );
  // An hour that is not chosen has no time to take away.
  const evening = { ...answer, hours: [18, 24] as const, seconds: 0 };
  assert.equal(withoutTimeBefore(evening, began).seconds, 0);
});
