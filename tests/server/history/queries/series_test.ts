/** Series of zones and regions equal a recount second by second. */
import assert from "node:assert/strict";
import type { Series, Step } from "../../../../src/history/answers.ts";
import type { Region } from "../../../../src/protocol/region.ts";
import {
  type CellSeconds,
  DAY,
  HOUR,
  type RecordedDays,
  recordedDays,
  START,
  stepsOf,
  ZONE,
} from "./support.ts";

const HALL: Region = { x0: -20, y0: 0, x1: 19, y1: 29 };
const QUARTER = 900;
const GAPS = [
  { from: START + 20 * HOUR + 17, to: START + 22 * HOUR + 5 },
  { from: START + 47 * HOUR, to: START + 50 * HOUR + 1 },
];

/** What all cells together are in one second. */
interface Moment {
  readonly cells: number;
  readonly known: number;
  readonly count: number;
}

function momentOf(cells: readonly CellSeconds[], second: number): Moment {
  let [reported, known, count] = [0, 0, 0];
  for (const cell of cells) {
    if (cell.has(second)) reported++;
    const value = cell.value(second);
    if (value === undefined) continue;
    known++;
    count += value;
  }
  return { cells: reported, known, count };
}

type Columns = Pick<
  Series,
  "least" | "mean" | "most" | "occupied" | "known" | "entries" | "start"
>;

/** Counts in the simplest way. */
function recount(
  recorded: RecordedDays,
  cells: readonly CellSeconds[],
  range: { from: number; to: number; step: Step },
  ofCells: boolean,
): Columns {
  const columns = {
    ...{ start: [], least: [], mean: [], most: [], occupied: [], known: [] },
    entries: [],
  } as unknown as Record<keyof Columns, (number | null)[]>;
  const moments = new Map<number, Moment>();
  const momentAt = (second: number) => {
    let moment = moments.get(second);
    if (!moment) moments.set(second, moment = momentOf(cells, second));
    return moment;
  };
  for (const { from, to } of stepsOf(range.from, range.to, range.step)) {
    let [known, occupied, entries, sum, cellSeconds] = [0, 0, 0, 0, 0];
    let [least, most, mostCells] = [Infinity, -Infinity, 0];
    for (let second = from; second < to; second++) {
      const moment = momentAt(second);
      mostCells = Math.max(mostCells, moment.cells);
      if (moment.known === 0 || recorded.isGap(second)) continue;
      cellSeconds += moment.known;
      known++;
      sum += moment.count;
      least = Math.min(least, moment.count);
      most = Math.max(most, moment.count);
      if (moment.count === 0) continue;
      occupied++;
      if (wasFree(recorded, momentAt, second)) entries++;
    }
    const all = ofCells ? mostCells * (to - from) : to - from;
    const some = ofCells ? cellSeconds : known;
    const value = (number: number) => known === 0 ? null : number;
    columns.start.push(from * 1000);
    columns.least.push(value(least));
    columns.mean.push(value(sum / known));
    columns.most.push(value(most));
    columns.occupied.push(value(occupied / known));
    columns.entries.push(value(entries));
    columns.known.push(all === 0 ? 0 : some / all);
  }
  return columns as Columns;
}

/** True if the last known second before, in the same hour, was free. */
function wasFree(
  recorded: RecordedDays,
  momentAt: (second: number) => Moment,
  second: number,
): boolean {
  const hour = Math.floor(second / HOUR) * HOUR;
  let before = second - 1;
  for (; before >= hour; before--) {
    if (momentAt(before).known > 0 && !recorded.isGap(before)) break;
  }
  const { known, count } = momentAt(before);
  return known > 0 && count === 0;
}

function assertColumns(actual: Series, expected: Columns): void {
  for (const name of Object.keys(expected) as (keyof Columns)[]) {
    assert.equal(actual[name].length, expected[name].length, name);
    for (const [i, value] of expected[name].entries()) {
      const is = actual[name][i]!;
      const isClose = value === null || is === null
        ? value === is
        : Math.abs(value - is) < 1e-9 * Math.max(1, Math.abs(value));
      assert.ok(isClose, `${name} ${i}: ${is}, not ${value}`);
    }
  }
}

const STEPS: readonly Step[] = ["15m", "1h", "1d", "1w"];

Deno.test("series of a zone equal a recount: with gaps, over a change of the clock", async () => {
  const recorded = await recordedDays({ count: 900, gaps: GAPS });
  const { queries, to } = recorded;
  const cells = recorded.seconds("a", HALL);
  for (const [i, step] of STEPS.entries()) {
    // From within the time, and from before it, up to the present.
    const from = i % 2 === 0 ? START + 9 * HOUR : START - DAY;
    const series = await queries.zoneSeries({
      zone: "hall",
      from: from * 1000,
      to: to * 1000 + 5_000_000,
      step,
      timezone: ZONE,
    });
    assert.deepEqual(
      [series.from, series.to, series.layer, series.zone, series.damaged],
      [from * 1000, to * 1000, "a", { name: "hall", title: "hall" }, undefined],
    );
    assert.deepEqual(
      series.gaps,
      GAPS.map(({ from, to }) => [from * 1000, to * 1000]),
    );
    assertColumns(series, recount(recorded, cells, { from, to, step }, false));
  }
  recorded.cared.close();
});

Deno.test("series of regions equal a recount", async () => {
  const recorded = await recordedDays({ seed: 2, count: 900, gaps: GAPS });
  const { queries, to } = recorded;
  for (const [i, step] of STEPS.entries()) {
    const from = i % 2 === 0 ? START + 30 * HOUR + QUARTER : START;
    const region = i === 3 ? undefined : { x0: -7, y0: 2, x1: 40, y1: 1000 };
    const series = await queries.regionSeries({
      layer: "a",
      region,
      from: from * 1000 + 1, // widened to whole quarters
      to: (to - HOUR) * 1000 - 1,
      step,
    });
    const end = Math.ceil((to - HOUR) / QUARTER) * QUARTER;
    assert.deepEqual([series.from, series.to], [from * 1000, end * 1000]);
    const range = { from, to: end, step };
    const cells = recorded.seconds("a", region);
    assertColumns(series, recount(recorded, cells, range, true));
  }
  recorded.cared.close();
});

Deno.test("hours that are not closed are counted from their parts", async () => {
  const to = START + 30 * HOUR + 77;
  const recorded = await recordedDays({
    ...{ seed: 3, count: 300, from: START, to, closedTo: START + HOUR },
  });
  const range = { from: START, to, step: "1h" } as const;
  const series = await recorded.queries.zoneSeries({
    zone: "tall",
    from: START * 1000,
    to: to * 1000,
    step: "1h",
  });
  assert.equal(series.capacity, 30);
  const cells = recorded.seconds("a");
  assertColumns(series, recount(recorded, cells, range, false));
  recorded.cared.close();
});

Deno.test("before the kept changes, of a region the mean of the rollups is known", async () => {
  const recorded = await recordedDays({
    ...{ seed: 4, count: 900, keepSeconds: DAY + HOUR },
  });
  const { queries, to, cared } = recorded;
  const { oldest, oldestRollup } = queries.info();
  assert.ok(oldest! > oldestRollup! + DAY * 1000, "some changes are deleted");
  const from = START + 12 * HOUR;
  const series = await queries.regionSeries({
    layer: "a",
    from: from * 1000,
    to: to * 1000,
    step: "1h",
  });
  // The rollups know how long cells were occupied, not their values.
  const cells = recorded.seconds("a");
  for (const [i, start] of series.start.entries()) {
    if (start < oldest! - HOUR * 1000) {
      assert.deepEqual(
        [series.least[i], series.most[i], series.occupied[i]],
        [null, null, null],
      );
    } else if (start >= oldest!) assert.notEqual(series.least[i], null);
    let [occupied, known, most] = [0, 0, 0];
    for (let second = start / 1000; second < start / 1000 + HOUR; second++) {
      if (second >= to) break;
      most = Math.max(most, momentOf(cells, second).cells);
      for (const cell of cells) {
        const value = cell.value(second);
        if (value === undefined) continue;
        known++;
        if (value > 0) occupied++;
      }
    }
    if (start >= oldest! - HOUR * 1000) continue;
    assert.ok(Math.abs(series.mean[i]! - occupied / HOUR) < 1e-9, `${i}`);
    const share = known / HOUR / cells.length;
    assert.ok(series.known[i]! <= 1 && series.known[i]! >= share - 1e-9);
  }
  cared.close();
});

Deno.test("a deleted zone has its rollups, a new one only the open hours", async () => {
  const recorded = await recordedDays({ seed: 5, count: 300 });
  const { queries, zones, to } = recorded;
  const hall = zones.get("hall")!;
  recorded.zones = new Map([["new", { ...hall, name: "new", title: "New" }]]);
  const ask = (zone: string) =>
    queries.zoneSeries({
      zone,
      from: (START + DAY) * 1000,
      to: to * 1000,
      step: "1h",
    });
  const old = await ask("hall");
  const isKnown = (series: Series) => series.known.map((known) => known > 0);
  const closed = old.known.length - 2;
  assert.deepEqual(
    isKnown(old),
    old.known.map((_, i) => i < closed),
  );
  const fresh = await ask("new");
  assert.equal(fresh.zone!.title, "New");
  assert.deepEqual(
    isKnown(fresh),
    old.known.map((_, i) => i >= closed),
  );
  recorded.cared.close();
});

Deno.test("an old hour that is open again leaves the rollups of zones as they are", async () => {
  const recorded = await recordedDays({ seed: 6, count: 300 });
  const { queries, to, cared } = recorded;
  const ask = () =>
    queries.zoneSeries({
      zone: "hall",
      from: (START + 12 * HOUR) * 1000,
      to: to * 1000,
      step: "15m",
    });
  const before = await ask();
  await cared.record([
    { layer: "a", x: 1, y: 1, second: START + DAY, value: 9, stale: 0 },
  ]);
  assert.ok(cared.tables.openHours().includes((START + DAY) / HOUR));
  const after = await ask();
  const closed = before.start.length - 8;
  assert.deepEqual(after.most.slice(0, closed), before.most.slice(0, closed));
  cared.close();
});

Deno.test("a damaged rollup of a zone, and a damaged part, are said so", async () => {
  const recorded = await recordedDays({ seed: 6, count: 300 });
  const { queries, to, cared, log } = recorded;
  const { database } = cared.tables as unknown as {
    database: { exec(sql: string): void };
  };
  const ask = () =>
    queries.zoneSeries({
      zone: "hall",
      from: (START + 12 * HOUR) * 1000,
      to: to * 1000,
      step: "1h",
    });
  const before = await ask();
  const day = START / DAY + 1;
  database.exec(
    `UPDATE history_zone_day SET bytes = x'05' WHERE (id & 2097151) = ${day}`,
  );
  const after = await ask();
  assert.deepEqual(after.damaged, [
    [day * DAY * 1000, (day + 1) * DAY * 1000],
  ]);
  for (const [i, start] of after.start.entries()) {
    if (Math.floor(start / 1000 / DAY) === day) {
      assert.deepEqual([after.mean[i], after.known[i]], [null, 0]);
    } else assert.equal(after.mean[i], before.mean[i]);
  }
  assert.equal(log.length, 1);
  database.exec(`UPDATE history_part SET crc32 = 0`);
  const open = Math.floor(to / HOUR) - 1;
  const { damaged } = await queries.regionSeries({
    layer: "a",
    from: open * HOUR * 1000,
    to: to * 1000,
    step: "15m",
  });
  assert.ok(damaged!.length > 0);
  cared.close();
});
