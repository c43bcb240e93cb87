/** Hours are closed, and rollups made, as a recount second by second says. */
import assert from "node:assert/strict";
import { CellHours } from "../../../src/history/cell_hours.ts";
import { decodeCellHours } from "../../../src/history/cell_hours_codec.ts";
import { DAY_SECONDS, hourOf } from "../../../src/history/hour.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import {
  decodeZoneQuarters,
  ZoneQuarters,
} from "../../../src/history/zone_quarters.ts";
import { keyOf } from "../../../src/grid/tiles.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import type { Zones } from "../../../src/zones/mod.ts";
import { permitted } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { tempDir } from "../../support/temp.ts";
import { resultOf } from "../../support/work.ts";
import {
  assertStates,
  CaredStore,
  type Change,
  DAY,
  dump,
  fields,
  memoryStore,
  Model,
  randomChanges,
  rectangle,
} from "./support.ts";

const HOUR = 3600;

/** Random times, and the borders of all hours. */
function timesIn(from: number, to: number): number[] {
  const random = randomIntegers(5);
  const times = Array.from({ length: 60 }, () => from + random(to - from));
  for (let at = from; at < to; at += 5 * HOUR) times.push(at - 1, at);
  return times;
}

Deno.test("states are the same before and after hours are closed", async () => {
  const from = DAY + 7 * HOUR + 123;
  const to = DAY + 2 * DAY_SECONDS + 5 * HOUR;
  const changes = randomChanges(1, from, to, 8000);
  const model = new Model(changes);
  const cared = new CaredStore(await memoryStore());
  await cared.record(changes);
  await assertStates(cared, model, timesIn(from, to).slice(0, 10));
  await cared.care(to - HOUR);
  assert.equal(cared.tables.openHours()[0], hourOf(to - HOUR));
  assert.ok(cared.tables.size().blocks.rows > 100);
  await assertStates(cared, model, timesIn(from, to));
  await cared.care(to + HOUR);
  assert.deepEqual(cared.tables.openHours(), []);
  assert.equal(cared.tables.size().parts.rows, 0);
  await assertStates(cared, model, timesIn(from, to));
  assert.deepEqual(cared.log, []);
  cared.close();
});

Deno.test("an hour with a damaged part is unknown, and all is recorded again", {
  ignore: !permitted(),
}, async () => {
  const { SqliteStore } = await import("../../../src/store/sqlite.ts");
  const { DatabaseSync } = await import("node:sqlite");
  const { OccupancyMap } = await import("../../../src/grid/mod.ts");
  await using dir = await tempDir();
  const path = `${dir.path}/damaged.db`;
  const open = () => {
    const cared = new CaredStore(new SqliteStore({ path }));
    void cared.store.load(new OccupancyMap());
    return cared;
  };
  const change = (hour: number, x: number, value: number): Change => ({
    ...{ layer: "a", x, y: 0, value, stale: 0 },
    second: DAY + hour * HOUR + 100,
  });
  const first = open();
  await first.record([change(0, 1, 5), change(0, 40, 6)]);
  await first.record([change(1, 2, 7), change(1, 41, 8)]);
  await first.record([change(2, 1, 9)]);
  await first.care(DAY + HOUR);
  first.close();
  {
    using db = new DatabaseSync(path);
    // The parts of one tile in the second hour.
    db.exec(
      `UPDATE history_part SET bytes = x'00' WHERE id = (
         SELECT min(id) FROM history_part)`,
    );
  }
  const cared = open();
  await cared.care(DAY + 4 * HOUR);
  assert.equal(cared.keeper.damaged, 1);
  assert.equal(cared.recordedAll, 1);
  assert.match(cared.log.join(), /damaged rows of the history of the hour/);
  assert.deepEqual(cared.tables.openHours(), []);
  const reader = new TileReader(cared.tables);
  const frame = new TileFrame();
  const valueAt = async (x: number, second: number) => {
    const tile = { layer: "a", tx: x >> 5, ty: 0 };
    const damaged = await resultOf(reader.stateAt(tile, second, frame));
    assert.equal(damaged, undefined);
    return frame.value[keyOf(x, 0)];
  };
  assert.equal(await valueAt(1, DAY + HOUR - 1), 5);
  assert.equal(await valueAt(1, DAY + HOUR), -1);
  assert.equal(await valueAt(1, DAY + 3 * HOUR), 9, "known when it changes");
  assert.equal(await valueAt(40, DAY + 2 * HOUR), 6, "another tile");
  assert.equal(await valueAt(41, DAY + 2 * HOUR), 8);
  cared.close();
});

Deno.test("rollups of cells are those of a recount", async () => {
  const from = DAY + 20 * HOUR + 99;
  const to = DAY + 3 * DAY_SECONDS;
  // On the third day, nothing changes.
  const changes = [
    ...randomChanges(2, from, DAY + 2 * DAY_SECONDS, 2000),
    ...randomChanges(7, from, from + 100, 50),
  ];
  const gap = { from: DAY + DAY_SECONDS + 100, to: DAY + DAY_SECONDS + 9999 };
  const model = new Model(changes);
  const cared = new CaredStore(await memoryStore());
  await cared.record(changes);
  await cared.write((tables) => tables.addGap(gap));
  await cared.care(to);
  assert.deepEqual(cared.log, []);
  const isGap = (second: number) => second >= gap.from && second < gap.to;
  let rows = 0;
  for (const cell of model.cells.keys()) {
    for (let day = 0; day < 2; day++) {
      const counts = recount(model, cell, DAY + day * DAY_SECONDS, isGap);
      const hours = await cellDay(cared, cell, hourOf(DAY) / 24 + day);
      if (hours === undefined) {
        assert.equal(counts.changes.reduce((a, b) => a + b), 0);
        continue;
      }
      rows++;
      const key = keyOf(fields(cell)[1], fields(cell)[2]);
      for (const name of ["occupied", "known", "changes"] as const) {
        const column: Uint16Array = hours[name];
        const actual: number[] = counts[name].map((_, i) =>
          column[i * 1024 + key]!
        );
        assert.deepEqual(actual, counts[name], `${name} of ${cell}, ${day}`);
      }
      assert.equal(hours.lastOccupied[key], counts.last, cell);
    }
    assert.equal(await cellDay(cared, cell, hourOf(DAY) / 24 + 2), undefined);
  }
  assert.ok(rows > 50);
  cared.close();
});

async function cellDay(cared: CaredStore, cell: string, day: number) {
  const [layer, x, y] = fields(cell);
  const [row] = await cared.tables.cellDays(
    ...[layer, x >> 5, y >> 5, day, day] as const,
  );
  if (row === undefined) return undefined;
  const hours = new CellHours();
  decodeCellHours(row.bytes!, day, hours);
  return hours;
}

/** Counts a cell second by second. */
function recount(
  model: Model,
  cell: string,
  start: number,
  isGap: (second: number) => boolean,
) {
  const counts = {
    occupied: new Array<number>(24).fill(0),
    known: new Array<number>(24).fill(0),
    changes: new Array<number>(24).fill(0),
    last: NaN,
  };
  const changes = model.cells.get(cell)!;
  let next = 0;
  let state: Change | undefined;
  while (next < changes.length && changes[next]!.second < start) {
    state = changes[next++];
  }
  for (let second = start; second < start + DAY_SECONDS; second++) {
    const hour = Math.floor((second - start) / HOUR);
    const change = changes[next];
    if (change?.second === second) {
      if (change.value !== state?.value || change.stale !== state.stale) {
        counts.changes[hour]!++;
      }
      state = change;
      next++;
    }
    if (state === undefined || state.value < 0 || state.stale === 1) continue;
    if (isGap(second)) continue;
    counts.known[hour]!++;
    if (state.value === 0) continue;
    counts.occupied[hour]!++;
    counts.last = second;
  }
  return counts;
}

Deno.test("rollups of zones are those of a recount", async () => {
  const from = DAY + 22 * HOUR + 99;
  const to = DAY + DAY_SECONDS + 9 * HOUR;
  const changes = randomChanges(3, from, to, 3000);
  const model = new Model(changes);
  const boxes = {
    all: ["a", [-100, -100, 2000, 2000]],
    left: ["a", [-40, 0, 0, 40]],
    small: ["a", [-20, 3, 40, 25]],
    far: ["a", [-40, 990, 40, 1010]],
    other: ["b", [-40, 0, 40, 40]],
    empty: ["a", [5000, 5000, 5010, 5010]],
    nowhere: ["c", [0, 0, 10, 10]],
  } as const;
  // More than one batch.
  const many = Array.from(
    { length: 150 },
    (_, i) => rectangle(`many${i}`, "a", [i % 15 - 8, i, i % 15 - 3, i + 5]),
  );
  const zones: Zones = new Map([
    ...Object.entries(boxes).map(([name, [layer, box]]) =>
      rectangle(name, layer, box)
    ),
    ...many,
  ].map((zone) => [zone.name, zone]));
  const gap = { from: DAY + DAY_SECONDS - 5000, to: DAY + DAY_SECONDS + 700 };
  // An hour that is all in the gap.
  const isSkipped = (start: number) =>
    hourOf(start) === hourOf(DAY + DAY_SECONDS) - 1;
  const cared = new CaredStore(await memoryStore(), { zones });
  await cared.record(changes);
  await cared.write((tables) => tables.addGap(gap));
  await cared.care(to);
  assert.deepEqual(cared.log, []);
  const quarters = new ZoneQuarters();
  for (
    const name of ["all", "left", "small", "far", "other", "many7"] as const
  ) {
    const [layer, [x0, y0, x1, y1]] = name === "many7"
      ? ["a", [-1, 7, 4, 12]] as const
      : boxes[name];
    const cells = [...model.cells.keys()].filter((cell) => {
      const [of, x, y] = fields(cell);
      return of === layer && x >= x0 && x < x1 && y >= y0 && y < y1;
    });
    const expected = recountZone(model, cells, from, to, gap);
    for (let day = 0; day < 2; day++) {
      const number = hourOf(DAY) / 24 + day;
      const [row] = await cared.tables.zoneDays(name, number, number);
      decodeZoneQuarters(row!.bytes!, quarters);
      for (let quarter = 0; quarter < 96; quarter++) {
        const start = DAY + day * DAY_SECONDS + quarter * 900;
        assert.equal(
          quarters.has[quarter],
          start >= from - from % HOUR && start < to && !isSkipped(start)
            ? 1
            : 0,
          `${name} has ${quarter}`,
        );
        assert.deepEqual(
          {
            known: quarters.knownSeconds[quarter],
            occupied: quarters.occupiedSeconds[quarter],
            entries: quarters.entries[quarter],
            least: quarters.least[quarter],
            most: quarters.most[quarter],
          },
          expected(start),
          `${name} ${day} ${quarter}`,
        );
      }
    }
  }
  const days = await cared.tables.zones();
  assert.equal(days.find(({ zone }) => zone === "empty"), undefined);
  assert.equal(days.find(({ zone }) => zone === "nowhere"), undefined);
  cared.close();
});

/** Counts a zone second by second. */
function recountZone(
  model: Model,
  cells: readonly string[],
  from: number,
  to: number,
  gap: { from: number; to: number },
) {
  const empty = () => ({
    known: 0,
    occupied: 0,
    entries: 0,
    least: NaN,
    most: NaN,
  });
  const quarters = new Map<number, ReturnType<typeof empty>>();
  const times = new Set(
    cells.flatMap((cell) => model.cells.get(cell)!.map(({ second }) => second)),
  );
  let known = false;
  let count = 0;
  let before: boolean | undefined;
  for (let second = from - from % HOUR; second < to; second++) {
    if (second % HOUR === 0) {
      // Before the first second of an hour it is as the cells say.
      before = known ? count > 0 : undefined;
    }
    if (times.has(second)) {
      const states = cells.map((cell) => model.stateOf(cell, second));
      const fresh = states.filter((state) =>
        state !== undefined && state.value >= 0 && state.stale === 0
      );
      known = fresh.length > 0;
      count = fresh.reduce((sum, state) => sum + state!.value, 0);
    }
    if (!known || second >= gap.from && second < gap.to) continue;
    const start = second - second % 900;
    const quarter = quarters.get(start) ?? empty();
    quarters.set(start, quarter);
    quarter.known++;
    if (count > 0) quarter.occupied++;
    if (count > 0 && before === false) quarter.entries++;
    before = count > 0;
    if (Number.isNaN(quarter.most)) quarter.least = quarter.most = count;
    quarter.least = Math.min(quarter.least, count);
    quarter.most = Math.max(quarter.most, count);
  }
  return (start: number) => quarters.get(start) ?? empty();
}

Deno.test("closing is the same if it is killed after each transaction", {
  ignore: !permitted(),
}, async () => {
  const { SqliteStore } = await import("../../../src/store/sqlite.ts");
  const { DatabaseSync } = await import("node:sqlite");
  const { OccupancyMap } = await import("../../../src/grid/mod.ts");
  await using dir = await tempDir();
  const from = DAY + 20 * HOUR + 99;
  const to = DAY + DAY_SECONDS + 4 * HOUR;
  const changes = randomChanges(4, from, to, 1500);
  const zones: Zones = new Map(
    [
      rectangle("one", "a", [-40, 0, 10, 40]),
      rectangle("two", "a", [-40, 0, 40, 2000]),
      rectangle("three", "b", [-40, 0, 40, 40]),
    ].map((zone) => [zone.name, zone]),
  );
  const open = (path: string, maxTransactions = Infinity) => {
    const store = new SqliteStore({ path, durability: "commit" });
    const cared = new CaredStore(store, { zones, maxTransactions });
    store.load(new OccupancyMap());
    return cared;
  };
  const rowsOf = (path: string) => {
    using db = new DatabaseSync(path, { readOnly: true });
    return dump(db);
  };
  const prepared = `${dir.path}/prepared.db`;
  {
    const cared = open(prepared);
    await cared.record(changes);
    await cared.write((tables) => tables.addGap({ from, to: from + 999 }));
    cared.close();
  }
  const whole = `${dir.path}/whole.db`;
  await Deno.copyFile(prepared, whole);
  const cared = open(whole);
  assert.ok(await cared.care(to + HOUR));
  const { transactions } = cared;
  cared.close();
  assert.ok(transactions > 20);
  const expected = rowsOf(whole);
  for (let dead = 1; dead < transactions; dead++) {
    const path = `${dir.path}/${dead}.db`;
    await Deno.copyFile(prepared, path);
    const killed = open(path, dead);
    assert.equal(await killed.care(to + HOUR), false);
    killed.close();
    const again = open(path);
    assert.ok(await again.care(to + HOUR));
    again.close();
    assert.deepEqual(rowsOf(path), expected, `after ${dead}`);
  }
});
