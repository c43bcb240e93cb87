/** Questions that cannot be answered say why, and what to ask instead. */
import assert from "node:assert/strict";
import { TILE_CELLS } from "../../../../src/grid/tiles.ts";
import type { Step } from "../../../../src/history/answers.ts";
import { encodeChanges } from "../../../../src/history/changes_codec.ts";
import { TileChanges } from "../../../../src/history/tile_changes.ts";
import { ProtocolError } from "../../../../src/protocol/mod.ts";
import {
  DAY,
  HOUR,
  type RecordedDays,
  recordedDays,
  START,
} from "./support.ts";

/** Asserts that a question fails with a code, a message and a hint. */
async function assertRefused(
  question: Promise<unknown>,
  code: string,
  message: RegExp,
  hint: RegExp,
): Promise<void> {
  await assert.rejects(question, (error) => {
    assert.ok(error instanceof ProtocolError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

let shared: Promise<RecordedDays> | undefined;

/** The same history for all tests that do not change it. */
function recordedOnce(): Promise<RecordedDays> {
  return shared ??= recordedDays({ count: 200, from: START });
}

Deno.test("times that are none, too early, or in the future", async () => {
  const { queries, to } = await recordedOnce();
  const map = (at: number) => queries.mapAt({ layer: "a", at });
  for (const at of [NaN, -1, Infinity, 1e15]) {
    await assertRefused(
      map(at),
      "bad-time",
      /^"at" is not a time$/,
      /RFC 3339/,
    );
  }
  await assertRefused(
    map(START * 1000 - 1),
    "bad-time",
    /^"at", 2025-10-23T23:59:59Z, is before the first record$/,
    /^Use a time from 2025-10-24T00:00:00Z on\.$/,
  );
  await assertRefused(
    map(to * 1000 + 6000),
    "bad-time",
    /^"at", 2025-10-28T05:11:24Z, is in the future$/,
    /up to 2025-10-28T05:11:18Z, the server's clock/,
  );
  // The clock of the client may be a little ahead.
  await map(to * 1000 + 3000);
  await assertRefused(
    queries.zoneSeries({
      zone: "hall",
      from: (START - 2 * DAY) * 1000,
      to: (START - DAY) * 1000,
      step: "1h",
    }),
    "bad-time",
    /^"to", .* is before the first record$/,
    /2025-10-24T00:00:00Z/,
  );
  await assertRefused(
    queries.utilisation({
      layer: "a",
      from: (to + HOUR) * 1000,
      to: (to + DAY) * 1000,
    }),
    "bad-time",
    /^"from", .* is in the future$/,
    /clock/,
  );
});

Deno.test("ranges that are empty, or longer than is kept or possible", async () => {
  const { queries, to } = await recordedOnce();
  const range = { from: to * 1000 - 1000, to: to * 1000 - 1000 };
  await assertRefused(
    queries.regionSeries({ layer: "a", ...range, step: "1h" }),
    "bad-range",
    /"from" is not before "to"/,
    /Exchange/,
  );
  await assertRefused(
    queries.changes({ layer: "a", ...range }),
    "bad-range",
    /"from" is not before "to"/,
    /Exchange/,
  );
  await assertRefused(
    queries.changes({
      layer: "a",
      from: range.to - HOUR * 1000 - 1,
      to: range.to,
    }),
    "bad-range",
    /longer than an hour/,
    /one hour after the other/,
  );
  await assertRefused(
    queries.utilisation({
      layer: "a",
      from: (to - 800 * DAY) * 1000,
      to: to * 1000,
    }),
    "bad-range",
    /has 801 days, but at most 731 are kept/,
    /731 days or less/,
  );
});

Deno.test("steps: unknown ones, and too many", async () => {
  const { queries, to } = await recordedOnce();
  const ask = (step: string, days: number) =>
    queries.zoneSeries({
      zone: "hall",
      from: (to - days * DAY) * 1000,
      to: to * 1000,
      step: step as Step,
    });
  await assertRefused(ask("5m", 1), "bad-step", /not 15m, 1h, 1d, 1w/, /1h/);
  await assertRefused(ask("toString", 1), "bad-step", /not 15m/, /1h/);
  await assertRefused(
    ask("15m", 105),
    "bad-step",
    /steps of 15m make 10081 points, but at most 10000/,
    /Use steps of 1h or more/,
  );
  assert.equal((await ask("15m", 104)).start.length, 104 * 96 + 1);
  await assertRefused(
    ask("1h", 500),
    "bad-step",
    /12001/,
    /steps of 1d or more/,
  );
});

Deno.test("time zones, days, hours and zones that do not exist", async () => {
  const { queries, to } = await recordedOnce();
  const range = { from: START * 1000, to: to * 1000 };
  const layer = "a";
  await assertRefused(
    queries.regionSeries({ layer, ...range, step: "1h", timezone: "Mars/X" }),
    "bad-timezone",
    /^there is no time zone "Mars\/X"$/,
    /Europe\/Berlin/,
  );
  for (const days of [[], [0], [8], [1.5], [NaN]]) {
    await assertRefused(
      queries.utilisation({ layer, ...range, days }),
      "bad-days",
      /1 to 7/,
      /Monday/,
    );
  }
  for (const hours of [[8, 8], [18, 8], [-1, 5], [0, 25], [1.5, 2]] as const) {
    await assertRefused(
      queries.utilisation({ layer, ...range, hours }),
      "bad-hours",
      /two hours of a day/,
      /0 to 24/,
    );
  }
  await assertRefused(
    queries.zoneSeries({ zone: "lobby", ...range, step: "1h" }),
    "unknown-zone",
    /^there is no zone "lobby"$/,
    /all zones/,
  );
});

Deno.test("without states of cells there is no map, and before the begin no answer", async () => {
  const recorded = await recordedDays({ count: 200, cells: false });
  const { queries, to, cared } = recorded;
  await assertRefused(
    queries.mapAt({ layer: "a", at: to * 1000 }),
    "history-off",
    /keeps no states of cells/,
    /utilisation/,
  );
  await assertRefused(
    queries.changes({ layer: "a", from: to * 1000 - 5000, to: to * 1000 }),
    "history-off",
    /keeps no states/,
    /zones/,
  );
  assert.equal(queries.info().oldest, undefined);
  cared.close();
  const { MemoryStore } = await import("../../../../src/store/memory.ts");
  const empty = new MemoryStore();
  const { HistoryQueries } = await import(
    "../../../../src/server/history/queries/service.ts"
  );
  const early = new HistoryQueries({
    tables: empty.history!,
    recorder: {
      capture: () => Promise.resolve(true),
      lagMs: 0,
      tooLate: 0,
      dropped: 0,
    },
    log: { warnLimited() {} },
    now: () => to * 1000,
    monotonic: () => 0,
    zones: () => new Map(),
    problem: () => undefined,
    kept: {
      ...{ stepSeconds: 1, cells: true, keepSeconds: DAY, maxBytes: 1 },
      ...{ keepRollupsSeconds: DAY, timezone: "UTC" },
    },
  });
  await assertRefused(
    early.mapAt({ layer: "a", at: to * 1000 }),
    "bad-time",
    /nothing is recorded yet/,
    /in some seconds/,
  );
  assert.deepEqual(early.info().gaps, []);
  assert.equal(early.info().oldest, undefined);
  empty.close();
});

Deno.test("answers have at most a million cells, or a thousand by day", async () => {
  const recorded = await recordedDays({ count: 200 });
  const { queries, to, cared } = recorded;
  const changes = new TileChanges();
  for (let key = 0; key < TILE_CELLS; key++) changes.push(key, to - 60, 1, 0);
  const hour = Math.floor((to - 60) / HOUR);
  const bytes = encodeChanges(changes, hour, { compress: false });
  await cared.write((tables) => {
    for (let tile = 0; tile < 977; tile++) {
      tables.appendPart("big", tile, 0, hour, bytes);
    }
  });
  const big = { layer: "big" };
  const range = { from: (to - 600) * 1000, to: to * 1000 };
  await assertRefused(
    queries.mapAt({ ...big, at: to * 1000 }),
    "too-many-cells",
    /more than 1000000 cells/,
    /smaller region/,
  );
  const region = { x0: 32, y0: 0, x1: 1_000_000, y1: 31 };
  const { cells } = await queries.mapAt({ ...big, region, at: to * 1000 });
  assert.equal(cells.length, 976 * TILE_CELLS);
  await assertRefused(
    queries.utilisation({ ...big, ...range }),
    "too-many-cells",
    /more than 1000000 cells/,
    /smaller region/,
  );
  const tile = { x0: 0, y0: 0, x1: 31, y1: 31 };
  await assertRefused(
    queries.utilisation({ ...big, ...range, region: tile, byDay: true }),
    "too-many-cells",
    /more than 1000 cells/,
    /smaller region/,
  );
  const less = { ...tile, y1: 30 };
  const use = await queries.utilisation({
    ...{ ...big, ...range, region: less, byDay: true },
  });
  assert.equal(use.cells.length, 32 * 31);
  assert.equal(use.byDay!.known.length, 32 * 31);
  cared.close();
});

Deno.test("a replay has at most two million changes", async () => {
  const recorded = await recordedDays({ count: 200 });
  const { queries, to, cared } = recorded;
  const changes = new TileChanges();
  const hour = Math.floor(to / HOUR) - 1;
  for (let key = 0; key < TILE_CELLS; key++) {
    for (let i = 0; i < 500; i++) changes.push(key, hour * HOUR + i, i % 2, 0);
  }
  const bytes = encodeChanges(changes, hour, { compress: true });
  await cared.write((tables) => {
    for (let tile = 0; tile < 4; tile++) {
      tables.putBlock("busy", tile, 0, hour, bytes);
    }
  });
  const ask = (x1: number) =>
    queries.changes({
      layer: "busy",
      region: { x0: 0, y0: 0, x1, y1: 31 },
      from: hour * HOUR * 1000 - 1000,
      to: (hour + 1) * HOUR * 1000 - 1000,
    });
  await assertRefused(
    ask(127),
    "too-many-changes",
    /more than 2000000 changes/,
    /shorter time, or for a smaller region/,
  );
  assert.equal((await ask(63)).changes.length, 2 * 500 * TILE_CELLS);
  cared.close();
});

Deno.test("too many questions at the same time are refused, the others answered", async () => {
  const { queries, to } = await recordedOnce();
  const asked = Array.from(
    { length: 40 },
    (_, i) => queries.mapAt({ layer: "a", at: (to - i * HOUR) * 1000 }),
  );
  const results = await Promise.allSettled(asked);
  const refused = results.filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 24);
  for (const result of refused) {
    const { reason } = result as PromiseRejectedResult;
    assert.equal(reason.code, "overloaded");
  }
  const { cells } = await queries.mapAt({ layer: "a", at: to * 1000 });
  assert.ok(cells.length > 0);
});
