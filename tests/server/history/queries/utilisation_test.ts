/** The utilisation of cells equals a recount second by second. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type {
  Utilisation,
  UtilisationQuery,
} from "../../../../src/history/answers.ts";
import {
  localHourOf,
  timeZoneOf,
  weekdayOf,
} from "../../../../src/history/calendar.ts";
import { CellHours } from "../../../../src/history/cell_hours.ts";
import {
  decodeCellHours,
  encodeCellHours,
} from "../../../../src/history/cell_hours_codec.ts";
import { startOf } from "../../../../src/history/hour.ts";
import { TileChanges } from "../../../../src/history/tile_changes.ts";
import { TileFrame } from "../../../../src/history/tile_frame.ts";
import { randomIntegers } from "../../../support/random.ts";
import {
  type CellSeconds,
  DAY,
  HOUR,
  pruneTo,
  type RecordedDays,
  recordedDays,
  START,
  ZONE,
} from "./support.ts";

const GAPS = [
  { from: START + 20 * HOUR + 17, to: START + 22 * HOUR + 5 },
  { from: START + 47 * HOUR, to: START + 50 * HOUR + 1 },
];

/** The numbers of one cell. */
interface Use {
  occupied: number;
  known: number;
  changes: number;
  last: number;
}

/** A cell in hours that count, and by local day. */
function recount(
  recorded: RecordedDays,
  cell: CellSeconds,
  hours: readonly { start: number; counts: boolean; day: number }[],
  to: number,
): Use & { days: Map<number, { occupied: number; known: number }> } {
  const use = { occupied: 0, known: 0, changes: 0, last: NaN };
  const days = new Map<number, { occupied: number; known: number }>();
  for (const { start, counts, day } of hours) {
    const ofDay = days.get(day) ?? { occupied: 0, known: 0 };
    if (counts) days.set(day, ofDay);
    for (let second = start; second < Math.min(to, start + HOUR); second++) {
      if (counts && cell.isChange(second)) use.changes++;
      const value = cell.value(second);
      if (value === undefined || recorded.isGap(second)) continue;
      if (value > 0) use.last = second;
      if (!counts) continue;
      use.known++;
      ofDay.known++;
      if (value === 0) continue;
      use.occupied++;
      ofDay.occupied++;
    }
  }
  return { ...use, days };
}

/** Asks, and compares all numbers. */
async function assertUse(
  recorded: RecordedDays,
  query: UtilisationQuery,
): Promise<Utilisation> {
  const answer = await recorded.queries.utilisation(query);
  const zone = timeZoneOf(query.timezone ?? ZONE);
  const { days = [1, 2, 3, 4, 5, 6, 7], hours: [first, end] = [0, 24] } = query;
  const from = Math.floor(query.from / 1000 / HOUR) * HOUR;
  const to = Math.min(
    Math.ceil(query.to / 1000 / HOUR) * HOUR,
    recorded.to,
  );
  const hours: { start: number; counts: boolean; day: number }[] = [];
  let seconds = 0;
  for (let start = from; start < to; start += HOUR) {
    const local = localHourOf(zone, start / HOUR);
    const counts = days.includes(weekdayOf(zone, start / HOUR)) &&
      local >= first && local < end;
    const middle = start + HOUR / 2;
    const date = Math.floor((middle + zone.offsetAt(middle)) / DAY);
    hours.push({ start, counts, day: zone.firstAt(date * DAY) * 1000 });
    if (counts) seconds += Math.min(HOUR, to - start);
  }
  assert.deepEqual([answer.from, answer.to], [from * 1000, to * 1000]);
  assert.equal(answer.seconds, seconds);
  const cells = recorded.seconds(query.layer, query.region);
  const at = new Map<string, number>();
  for (let i = 0; i < answer.cells.length; i++) {
    at.set(`${answer.cells.x[i]} ${answer.cells.y[i]}`, i);
  }
  const sums = { occupied: 0, known: 0 };
  for (const cell of cells) {
    const expected = recount(recorded, cell, hours, to);
    const i = at.get(`${cell.x} ${cell.y}`);
    if (i === undefined) {
      assert.ok(!cell.has(to - 1), "a cell is missing");
      continue;
    }
    at.delete(`${cell.x} ${cell.y}`);
    const { occupied, known, changes, last } = answer.cells;
    assert.deepEqual(
      [occupied[i], known[i], changes[i]],
      [expected.occupied, expected.known, expected.changes],
      `cell ${cell.x} ${cell.y}`,
    );
    const late = Number.isNaN(expected.last)
      ? Number.isNaN(last[i]) ? 0 : NaN
      : last[i]! / 1000 - expected.last;
    // In a rollup that is cut off, it is known to the hour.
    const mostLate = to < recorded.to ? HOUR : 1;
    assert.ok(late >= 0 && late < mostLate, `last ${last[i]}, ${late} s late`);
    sums.occupied += expected.occupied;
    sums.known += expected.known;
    if (!query.byDay) continue;
    const byDay = answer.byDay!;
    assert.deepEqual(byDay.start, [...expected.days.keys()]);
    assert.deepEqual(
      byDay.occupied[i],
      [...expected.days.values()].map(({ occupied }) => occupied),
    );
    assert.deepEqual(
      byDay.known[i],
      [...expected.days.values()].map(({ known }) => known),
    );
  }
  assert.deepEqual([...at.keys()], [], "cells that are not in the region");
  const total = (week: readonly (readonly number[])[]) =>
    week.flat().reduce((sum, seconds) => sum + seconds, 0);
  assert.equal(total(answer.week.occupied), sums.occupied);
  assert.equal(total(answer.week.known), sums.known);
  for (const [day, ofDay] of answer.week.known.entries()) {
    for (const [hour, seconds] of ofDay.entries()) {
      const counts = days.includes(day + 1) && hour >= first && hour < end;
      assert.ok(counts || seconds === 0, `day ${day}, hour ${hour}`);
    }
  }
  assert.equal(
    answer.dayCount,
    new Set(hours.filter(({ counts }) => counts).map(({ day }) => day)).size,
  );
  return answer;
}

const REGION = { x0: -10, y0: 3, x1: 20, y1: 1000 };

Deno.test("utilisation equals a recount: filters, gaps, a change of the clock", async () => {
  const recorded = await recordedDays({ count: 1500, gaps: GAPS });
  const { from, to } = recorded;
  const all = { layer: "a", from: START * 1000, to: to * 1000 };
  await assertUse(recorded, all);
  await assertUse(recorded, { ...all, byDay: true });
  await assertUse(recorded, { ...all, layer: "b", byDay: true });
  await assertUse(recorded, {
    ...{ ...all, region: REGION, byDay: true },
    ...{ days: [1, 5, 7], hours: [8, 18], timezone: "Asia/Kathmandu" },
  });
  await assertUse(recorded, { ...all, days: [6], hours: [0, 3] });
  await assertUse(recorded, {
    ...all,
    from: (from + 13 * HOUR) * 1000,
    to: (to - 20 * HOUR) * 1000,
    region: REGION,
  });
  // Only what is not rolled up yet.
  await assertUse(recorded, { ...all, from: (to - 4 * HOUR) * 1000 });
  recorded.cared.close();
});

Deno.test("utilisation of rare changes: most days have no rollup", async () => {
  for (const seed of [7, 8, 9]) {
    const recorded = await recordedDays({
      ...{ seed, count: 45, gaps: GAPS },
      to: START + 9 * DAY + 11 * HOUR,
    });
    const { to } = recorded;
    const all = { layer: "a", from: START * 1000, to: to * 1000 };
    await assertUse(recorded, all);
    await assertUse(recorded, { ...all, days: [2, 3], byDay: true });
    await assertUse(recorded, { ...all, from: (START + 6 * DAY) * 1000 });
    recorded.cared.close();
  }
});

Deno.test("utilisation before the kept changes, and of an open day that lost some", async () => {
  const recorded = await recordedDays({
    ...{ seed: 10, count: 800, gaps: GAPS, keepSeconds: DAY + HOUR },
  });
  const all = { layer: "a", from: START * 1000, to: recorded.to * 1000 };
  await assertUse(recorded, all);
  await assertUse(recorded, { ...all, from: (START + 14 * HOUR) * 1000 });
  recorded.cared.close();
  const rolledUp = await recordedDays({ seed: 11, count: 800, cells: false });
  await assertUse(rolledUp, { ...all, byDay: true });
  rolledUp.cared.close();
});

Deno.test("an open day of which hours were pruned by size is as before", async () => {
  let cuts = 0;
  for (const seed of [20, 22]) {
    const recorded = await recordedDays({
      ...{ seed, count: 150, gaps: [{ from: START + 80000, to: START + DAY }] },
      to: START + DAY + (seed - 10) * HOUR + 678,
    });
    const { to, queries } = recorded;
    const all = { layer: "a", from: START * 1000, to: to * 1000 };
    const ofZone = () =>
      queries.zoneSeries({ ...all, zone: "tall", step: "15m" });
    const before = await ofZone();
    for (const part of [0.8, 0.65]) {
      if (await pruneTo(recorded, part) > START + DAY) cuts++;
      assert.deepEqual(await ofZone(), before);
      await assertUse(recorded, { ...all, byDay: true });
      for (let from = START + DAY; from < to; from += 2 * HOUR) {
        await assertUse(recorded, { ...all, from: from * 1000 });
      }
    }
    recorded.cared.close();
  }
  assert.ok(cuts > 1, `${cuts}`);
});

Deno.test("when it was last occupied is to the hour, if that was before a later time", async () => {
  const to = START + 2 * DAY;
  const recorded = await recordedDays({
    seed: 12,
    count: 700,
    from: START,
    to,
  });
  const end = START + 15 * HOUR;
  const { cells } = await recorded.queries.utilisation({
    layer: "a",
    from: START * 1000,
    to: end * 1000,
  });
  let exact = 0;
  for (const cell of recorded.seconds("a")) {
    let last = end - 1;
    while (last >= START && !(cell.value(last)! > 0)) last--;
    for (let i = 0; i < cells.length; i++) {
      if (cells.x[i] !== cell.x || cells.y[i] !== cell.y) continue;
      if (last < START) assert.ok(Number.isNaN(cells.last[i]));
      else {
        const late = cells.last[i]! / 1000 - last;
        assert.ok(late >= 0 && late < HOUR, `${late}`);
        if (late === 0) exact++;
      }
    }
  }
  assert.ok(exact > 0);
  recorded.cared.close();
});

Deno.test("a damaged rollup: its day is unknown, and the days up to the next one", async () => {
  const recorded = await recordedDays({ seed: 13, count: 3000 });
  const { queries, to, cared } = recorded;
  const day = START / DAY + 1;
  const query = { layer: "a", from: START * 1000, to: to * 1000, byDay: true };
  const before = await queries.utilisation(query);
  const { database } = cared.tables as unknown as {
    database: {
      exec(sql: string): void;
      prepare(sql: string): { run(...values: unknown[]): unknown };
    };
  };
  const damage = async (change: () => void) => {
    change();
    const after = await queries.utilisation(query);
    assert.deepEqual(after.damaged, [
      [day * DAY * 1000, (day + 1) * DAY * 1000],
    ]);
    assert.equal(after.cells.length, before.cells.length);
    const isDay = (start: number) =>
      start >= day * DAY * 1000 - 7200_000 &&
      start < (day + 1) * DAY * 1000 - 7200_000;
    let changed = 0;
    for (const [i, ofCell] of after.byDay!.known.entries()) {
      for (const [d, known] of ofCell.entries()) {
        const start = after.byDay!.start[d]!;
        // Local days begin one or two hours before those of UTC.
        if (isDay(start) || isDay(start - DAY * 1000)) {
          assert.ok(known <= before.byDay!.known[i]![d]!);
          if (known < before.byDay!.known[i]![d]!) changed++;
        } else assert.equal(known, before.byDay!.known[i]![d]);
      }
    }
    assert.ok(changed > 0);
  };
  await damage(() =>
    database.exec(
      `UPDATE history_cell_day SET crc32 = crc32 + 1
       WHERE (id & 2097151) = ${day}`,
    )
  );
  const bytes = damagedNumbers(day);
  await damage(() => {
    database.prepare(
      `UPDATE history_cell_day SET crc32 = ?, bytes = ?
       WHERE (id & 2097151) = ${day}`,
    ).run(crc32(bytes), bytes);
  });
  cared.close();
});

/** A rollup of other cells that is right up to its last numbers. */
function damagedNumbers(day: number): Uint8Array {
  const hours = new CellHours(day);
  const random = randomIntegers(1);
  for (let hour = 0; hour < 24; hour++) {
    const start = startOf(day * 24 + hour);
    const changes = new TileChanges();
    for (let key = 0; key < 900; key++) {
      changes.push(key, start + random(1000), 1, 0);
      changes.push(key, start + 1000 + random(2600), random(2), 0);
    }
    hours.addHour(hour, new TileFrame(), changes, []);
  }
  const bytes = encodeCellHours(hours);
  for (let at = bytes.length - 2; at > bytes.length / 2; at--) {
    const damaged = bytes.slice();
    damaged.fill(255, at, at + 2);
    try {
      decodeCellHours(damaged, day, new CellHours(day));
    } catch (error) {
      if (/is above 3599/.test(String(error))) return damaged;
    }
  }
  throw new Error("No such bytes");
}
