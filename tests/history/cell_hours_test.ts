/** How long cells were occupied in the hours of a day. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CellHours } from "../../src/history/cell_hours.ts";
import {
  decodeCellHours,
  encodeCellHours,
} from "../../src/history/cell_hours_codec.ts";
import { type Gap, gapAt } from "../../src/history/gaps.ts";
import { dayOf, startOf } from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import { TileFrame } from "../../src/history/tile_frame.ts";
import {
  changesOf,
  frame,
  gapsIn,
  HOUR,
  occupancy,
  offset,
  type Row,
  rows,
  sortedRows,
} from "./support.ts";

const DAY = dayOf(HOUR);
const FIRST = DAY * 24;

/** A few hours of a day, each with changes and gaps. */
const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), {
  minLength: 1,
  maxLength: 3,
}).chain((hours) =>
  fc.tuple(
    ...hours.sort((a, b) => a - b).map((hourOfDay) =>
      fc.record({
        hourOfDay: fc.constant(hourOfDay),
        rows: rows(30, FIRST + hourOfDay).map(sortedRows),
        gaps: gapsIn(FIRST + hourOfDay),
      })
    ),
  )
);

type State = { value: number; stale: number } | undefined;

/** Counts second by second. */
function recount(
  rows: readonly Row[],
  before: State,
  gaps: readonly Gap[],
  start: number,
  end: number,
) {
  const bySecond = new Map(rows.map((row) => [row[1], row]));
  let state = before;
  const result = { known: 0, occupied: 0, changes: 0, last: NaN };
  for (let second = start; second < end; second++) {
    const row = bySecond.get(second);
    if (row && (state?.value !== row[2] || state.stale !== row[3])) {
      state = { value: row[2], stale: row[3] };
      result.changes++;
    }
    if (!state || state.value < 0 || state.stale || gapAt(gaps, second)) {
      continue;
    }
    result.known++;
    if (state.value === 0) continue;
    result.occupied++;
    result.last = second;
  }
  return { ...result, state };
}

function stateIn(frame: TileFrame, key: number): State {
  if (frame.has[key] === 0) return undefined;
  return { value: frame.value[key]!, stale: frame.stale[key]! };
}

Deno.test("CellHours.addHour equals a recount second by second", () => {
  const until = fc.option(offset, { nil: undefined });
  fc.assert(
    fc.property(frame, hours, until, (frame, hours, until) => {
      const day = new CellHours(DAY);
      const last = new Array<number>(1024).fill(NaN);
      for (const [i, { hourOfDay, rows, gaps }] of hours.entries()) {
        const start = startOf(FIRST + hourOfDay);
        const isLast = i === hours.length - 1;
        const end = isLast && until !== undefined
          ? start + until
          : start + 3600;
        const changes = changesOf(rows);
        day.addHour(hourOfDay, frame, changes, gaps, end);
        const byKey = Map.groupBy(rows, ([key]) => key);
        for (let key = 0; key < 1024; key++) {
          const before = stateIn(frame, key);
          const index = hourOfDay * 1024 + key;
          if (before === undefined && !byKey.has(key)) {
            assert.equal(day.known[index]! + day.changes[index]!, 0);
            continue;
          }
          const of = recount(byKey.get(key) ?? [], before, gaps, start, end);
          assert.equal(day.known[index], of.known);
          assert.equal(day.occupied[index], of.occupied);
          assert.equal(day.changes[index], of.changes);
          if (of.last >= 0) last[key] = of.last;
          if (!isLast) continue;
          assert.equal(day.endHas[key], of.state ? 1 : 0);
          assert.equal(day.endValue[key], of.state?.value ?? 0);
          assert.equal(day.endStale[key], of.state?.stale ?? 0);
        }
        frame.apply(changes, end - 1);
        frame.since.fill(NaN);
      }
      assert.deepEqual([...day.lastOccupied], last);
      for (let hour = 0; hour < 24; hour++) {
        const isThere = hours.some(({ hourOfDay }) => hourOfDay === hour);
        assert.equal(day.hasHour(hour), isThere);
      }
      const end = new TileFrame();
      day.copyEnd(end);
      assert.deepEqual(end, frame);
    }),
    { numRuns: 60 },
  );
});

Deno.test("CellHours.addHour twice is the same as once", () => {
  fc.assert(
    fc.property(frame, hours, (frame, hours) => {
      const once = new CellHours(DAY);
      const twice = new CellHours(DAY);
      for (const { hourOfDay, rows, gaps } of hours) {
        const changes = changesOf(rows);
        once.addHour(hourOfDay, frame, changes, gaps);
        twice.addHour(hourOfDay, frame, new TileChanges(), []);
        twice.addHour(hourOfDay, frame, changes, gaps);
        if (hourOfDay % 2 === 0) {
          twice.addHour(hourOfDay, frame, changes, gaps);
        }
        frame.apply(changes, Infinity);
      }
      assert.deepEqual(twice.occupied, once.occupied);
      assert.deepEqual(twice.known, once.known);
      assert.deepEqual(twice.end, once.end);
      assert.equal(twice.hours, once.hours);
      const into = new CellHours();
      decodeCellHours(encodeCellHours(twice), DAY, into);
      assert.deepEqual(into, twice);
    }),
    { numRuns: 60 },
  );
});

Deno.test("an earlier hour that is added again keeps the end of a later one", () => {
  const day = new CellHours(DAY);
  const [one, none] = [new TileFrame(), new TileFrame()];
  one.apply(changesOf([[4, 1, 1, 0]]), 1);
  day.addHour(9, none, changesOf([[4, startOf(FIRST + 9), 1, 0]]), []);
  day.addHour(10, one, new TileChanges(), []);
  day.addHour(9, none, new TileChanges(), []);
  assert.equal(day.endHas[4], 1);
  assert.equal(day.lastOccupied[4], startOf(FIRST + 11) - 1);
});

Deno.test("decodeCellHours returns what encodeCellHours got", () => {
  fc.assert(
    fc.property(frame, hours, (frame, hours) => {
      const day = new CellHours(DAY);
      for (const { hourOfDay, rows, gaps } of hours) {
        const changes = changesOf(rows);
        day.addHour(hourOfDay, frame, changes, gaps);
        frame.apply(changes, Infinity);
      }
      const into = new CellHours();
      into.addHour(3, frame, new TileChanges(), []);
      decodeCellHours(encodeCellHours(day), DAY, into);
      assert.deepEqual(into, day);
    }),
    { numRuns: 60 },
  );
});

Deno.test("cells that stay as they are cost almost nothing", () => {
  const frame = new TileFrame();
  for (let key = 0; key < 1024; key++) {
    frame.apply(changesOf([[key, 1, key % 3 === 0 ? 1 : 0, 0]]), 1);
  }
  const day = new CellHours(DAY);
  const gaps = [{ from: startOf(FIRST + 5) + 100, to: startOf(FIRST + 6) + 9 }];
  for (let hour = 0; hour < 24; hour++) {
    day.addHour(hour, frame, new TileChanges(), gaps);
  }
  const size = encodeCellHours(day).length;
  assert.ok(size < 150, `${size} bytes`);
  assert.ok(encodeCellHours(new CellHours(DAY)).length < 30);
  // A tile full of desks that are used for nine hours.
  for (let hour = 8; hour < 17; hour++) {
    const { length, key, second, value } = occupancy(1024, 3600, hour);
    const changes = new TileChanges();
    for (let i = 0; i < length; i++) {
      const moved = second[i]! + startOf(FIRST + hour) - startOf(HOUR);
      changes.push(key[i]!, moved, value[i]!, 0);
    }
    day.addHour(hour, frame, changes, []);
    frame.apply(changes, Infinity);
  }
  const busy = encodeCellHours(day).length;
  assert.ok(busy < 24_000, `${busy} bytes`);
});

Deno.test("decodeCellHours: damaged bytes throw RangeError, or are hours", () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 4 },
  );
  const into = new CellHours();
  fc.assert(
    fc.property(frame, hours, damage, (frame, hours, damage) => {
      const day = new CellHours(DAY);
      for (const { hourOfDay, rows, gaps } of hours) {
        day.addHour(hourOfDay, frame, changesOf(rows), gaps);
      }
      const bytes = encodeCellHours(day);
      for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
      try {
        decodeCellHours(bytes, DAY, into);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
        assert.deepEqual(into, new CellHours(DAY));
      }
      assert.ok(
        into.known.every((known, i) =>
          known <= 3600 && into.occupied[i]! <= known
        ),
      );
      assert.ok(
        into.lastOccupied.every((last) =>
          !(last < startOf(FIRST) || last >= startOf(FIRST + 24))
        ),
      );
    }),
    { numRuns: 200 },
  );
});
