/** The map at a time, and the changes after it, equal what was recorded. */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import type { PastCells } from "../../../../src/history/answers.ts";
import { contains, type Region } from "../../../../src/protocol/region.ts";
import { randomIntegers } from "../../../support/random.ts";
import { HOUR, type RecordedDays, recordedDays } from "./support.ts";

const REGION: Region = { x0: -10, y0: 3, x1: 20, y1: 1000 };

/** States by cell, as text. */
function statesOf(cells: PastCells): Map<string, string> {
  const states = new Map<string, string>();
  for (let i = 0; i < cells.length; i++) {
    states.set(
      `${cells.x[i]} ${cells.y[i]}`,
      `${cells.value[i]} ${cells.stale[i]}`,
    );
  }
  assert.equal(states.size, cells.length);
  return states;
}

function expectedStates(
  { model }: RecordedDays,
  layer: string,
  second: number,
  region?: Region,
): Map<string, string> {
  const states = new Map<string, string>();
  for (const [cell, changes] of model.cells) {
    const { layer: its, x, y } = changes[0]!;
    if (its !== layer || region && !contains(region, x, y)) continue;
    const state = model.stateOf(cell, second);
    if (state !== undefined) {
      states.set(`${x} ${y}`, `${state.value} ${state.stale}`);
    }
  }
  return states;
}

function sorted(states: Map<string, string>): [string, string][] {
  return [...states].sort();
}

Deno.test("mapAt equals the map that was recorded, at any time", async () => {
  const recorded = await recordedDays();
  const { queries, from, to } = recorded;
  const random = randomIntegers(7);
  const times = [from, to, to - 1, to - HOUR, to - HOUR - 700];
  for (let i = 0; i < 80; i++) times.push(from + random(to - from));
  for (const second of times) {
    const at = second * 1000 + random(1000);
    for (const layer of ["a", "b"]) {
      const map = await queries.mapAt({ layer, at });
      assert.deepEqual(
        [map.layer, map.at, map.gap, map.damaged],
        [layer, at, false, undefined],
      );
      assert.deepEqual(
        sorted(statesOf(map.cells)),
        sorted(expectedStates(recorded, layer, second)),
      );
      const part = await queries.mapAt({ layer, at, region: REGION });
      assert.deepEqual(
        sorted(statesOf(part.cells)),
        sorted(expectedStates(recorded, layer, second, REGION)),
      );
    }
  }
  recorded.cared.close();
});

Deno.test("since is when the state began, or not known", async () => {
  const recorded = await recordedDays({ count: 3000 });
  const { queries, from, to } = recorded;
  const cells = new Map(
    recorded.seconds("a").map((cell) => [`${cell.x} ${cell.y}`, cell]),
  );
  let known = 0;
  for (let second = from + 5000; second < to; second += 31_000) {
    const { cells: past } = await queries.mapAt({
      layer: "a",
      at: second * 1000,
    });
    for (let i = 0; i < past.length; i++) {
      const cell = cells.get(`${past.x[i]} ${past.y[i]}`)!;
      let since = second;
      while (!cell.isChange(since)) since--;
      if (Number.isNaN(past.since[i])) continue;
      known++;
      assert.equal(past.since[i], since * 1000);
    }
  }
  assert.ok(known > 50, `${known}`);
  recorded.cared.close();
});

Deno.test("changes, replayed from the map before, make the map of each second", async () => {
  const recorded = await recordedDays();
  const { queries, from, to } = recorded;
  const random = randomIntegers(3);
  for (let i = 0; i < 25; i++) {
    const start = i === 0 ? to - HOUR : from + random(to - from - HOUR);
    const length = 1 + random(HOUR);
    const region = i % 3 === 0 ? REGION : undefined;
    const answer = await queries.changes({
      layer: "a",
      from: start * 1000,
      to: (start + length) * 1000,
      region,
    });
    const states = statesOf(answer.start.cells);
    assert.deepEqual(
      sorted(states),
      sorted(expectedStates(recorded, "a", start, region)),
    );
    const { changes } = answer;
    let next = 0;
    for (const step of [1, 60, 900, length - 1]) {
      const second = Math.min(start + step, start + length - 1);
      for (; next < changes.length; next++) {
        if (changes.since[next]! > second * 1000) break;
        const cell = `${changes.x[next]} ${changes.y[next]}`;
        const state = `${changes.value[next]} ${changes.stale[next]}`;
        assert.notEqual(states.get(cell), state, "no change without effect");
        states.set(cell, state);
      }
      assert.deepEqual(
        sorted(states),
        sorted(expectedStates(recorded, "a", second, region)),
      );
    }
    assert.equal(next, changes.length, "none at or after the end");
  }
  recorded.cared.close();
});

Deno.test("in a gap, and while the history is paused, the map says so", async () => {
  const from = 1_761_264_000;
  const gap = { from: from + 10 * HOUR + 5, to: from + 13 * HOUR };
  const recorded = await recordedDays({
    from,
    to: from + 20 * HOUR,
    gaps: [gap],
  });
  const { queries, to } = recorded;
  const gapAt = async (second: number) =>
    (await queries.mapAt({ layer: "a", at: second * 1000 })).gap;
  assert.equal(await gapAt(gap.from - 1), false);
  assert.equal(await gapAt(gap.from), true);
  assert.equal(await gapAt(gap.to - 1), true);
  assert.equal(await gapAt(gap.to), false);
  const { gaps, start } = await queries.changes({
    layer: "a",
    from: (gap.from - 60) * 1000,
    to: (gap.from + 60) * 1000,
  });
  assert.equal(start.gap, false);
  assert.deepEqual(gaps, [[gap.from * 1000, (gap.from + 60) * 1000]]);
  recorded.problem = "database or disk is full";
  await recorded.cared.write((tables) => tables.putMeta("seen", to - 100));
  assert.equal(await gapAt(to - 100), false);
  assert.equal(await gapAt(to - 99), true);
  assert.equal(await gapAt(to), true);
  recorded.cared.close();
});

Deno.test("a damaged block: its tile is unknown from its hour on, until it changes", async () => {
  const recorded = await recordedDays({ count: 3000 });
  const { queries, from, to, log } = recorded;
  // The second tile of layer a, in the middle of the time.
  const hour = Math.floor((from + (to - from) / 2) / HOUR);
  const { database } = recorded.cared.tables as unknown as {
    database: DatabaseSync;
  };
  const { tables } = recorded.cared;
  const tile = database.prepare(
    `SELECT tx, ty FROM history_tile WHERE (id & 16777215) = 0
     AND layer = (SELECT id FROM history_layer WHERE name = 'a')`,
  ).get() as { tx: number; ty: number };
  database.exec(
    `UPDATE history_block SET crc32 = crc32 + 1
     WHERE (id >> 24) & 2097151 = ${hour} AND (id & 16777215) = 0`,
  );
  const start = hour * HOUR;
  const [block] = await tables.blocks("a", tile.tx, tile.ty, hour, hour);
  assert.equal(block!.bytes, undefined);
  const before = await queries.mapAt({ layer: "a", at: start * 1000 - 1 });
  assert.equal(before.damaged, undefined);
  assert.deepEqual(
    sorted(statesOf(before.cells)),
    sorted(expectedStates(recorded, "a", start - 1)),
  );
  const second = start + HOUR - 1;
  const map = await queries.mapAt({ layer: "a", at: second * 1000 });
  assert.equal(map.damaged, true);
  assert.match(log[0]!, /^A part of the history is damaged, from 2025/);
  const states = statesOf(map.cells);
  const expected = expectedStates(recorded, "a", second);
  let unknown = 0;
  for (const [cell, state] of states) {
    const [x, y] = cell.split(" ").map(Number);
    if (x! >> 5 === tile.tx && y! >> 5 === tile.ty) {
      assert.equal(state, "-1 0");
      unknown++;
    } else assert.equal(state, expected.get(cell));
  }
  assert.ok(unknown > 0);
  const replay = await queries.changes({
    layer: "a",
    from: (start - 60) * 1000,
    to: (start + 60) * 1000,
  });
  assert.deepEqual(replay.damaged, [[start * 1000, (start + HOUR) * 1000]]);
  recorded.cared.close();
});

Deno.test("a deleted layer has no map, and a new one of its name a new one", async () => {
  const recorded = await recordedDays({ count: 500 });
  const { queries, to, cared } = recorded;
  await cared.write((tables) => tables.deleteLayer("a"));
  const at = to * 1000;
  assert.equal((await queries.mapAt({ layer: "a", at })).cells.length, 0);
  assert.ok((await queries.mapAt({ layer: "b", at })).cells.length > 0);
  assert.equal((await queries.mapAt({ layer: "c", at })).cells.length, 0);
  await cared.record([
    { layer: "a", x: 1, y: 1, second: to - 5, value: 3, stale: 0 },
  ]);
  const { cells } = await queries.mapAt({ layer: "a", at });
  assert.deepEqual([...statesOf(cells)], [["1 1", "3 0"]]);
  cared.close();
});

Deno.test("a question is asked again if rows were deleted meanwhile", async () => {
  const recorded = await recordedDays({ count: 500 });
  const { queries, from, to, cared, zones } = recorded;
  let asked = 0;
  Object.defineProperty(recorded, "zones", {
    get: () => {
      // The first time, all is deleted while the question is answered.
      if (++asked === 1) void cared.write((tables) => tables.deleteLayer("a"));
      return zones;
    },
  });
  const pages = cared.tables.zoneDays.bind(cared.tables);
  cared.tables.zoneDays = (...args) => {
    const rows = pages(...args);
    if (asked === 1) cared.tables.putMeta("deletedTo0", to * 1000);
    return rows;
  };
  const { known } = await queries.zoneSeries({
    ...{ zone: "hall", from: from * 1000, to: to * 1000, step: "1d" },
  });
  assert.equal(asked, 2);
  assert.ok(known.every((share) => share === 0), `${known}`);
  cared.close();
});

Deno.test("questions about the last two hours capture the map, once a second", async () => {
  const recorded = await recordedDays({ count: 500 });
  const { queries, to } = recorded;
  const ask = (second: number) =>
    queries.mapAt({ layer: "a", at: second * 1000 });
  await ask(to - 3 * HOUR);
  assert.equal(recorded.captures, 0);
  await Promise.all([ask(to), ask(to - 10), ask(to - HOUR)]);
  assert.equal(recorded.captures, 1);
  recorded.monotonic += 999;
  await ask(to);
  assert.equal(recorded.captures, 1);
  recorded.monotonic += 1;
  await ask(to);
  assert.equal(recorded.captures, 2);
  recorded.cared.close();
});
