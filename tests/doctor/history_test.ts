/** What the doctor says about the history of the server on this machine. */
import assert from "node:assert/strict";
import type { HistoryInfo } from "../../src/history/answers.ts";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { checkOptions } from "./run_doctor.ts";

/** Loads the client for MQTT, which needs permissions. */
const load = () => import("../../src/doctor/history_check.ts");

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const GIB = 2 ** 30;
/** 2026-11-28T11:00:00Z, noon in Berlin. */
const NOW = Date.UTC(2026, 10, 28, 11);

/** Ten days of a history with 30 that are to be kept. */
const INFO: HistoryInfo = {
  recording: true,
  resolution: 1,
  cells: true,
  keep: 30 * 24 * 3600,
  keepRollups: 730 * 24 * 3600,
  oldest: NOW - 10 * DAY_MS,
  newest: NOW,
  bytes: GIB,
  maxBytes: 4 * GIB,
  lag: 12,
  tooLate: 0,
  dropped: 0,
  rows: {},
  gaps: [[NOW - 50 * HOUR_MS, NOW - 49 * HOUR_MS]],
  timezone: "Europe/Berlin",
};
const RECORDED = "ok: The history is recorded";
const SIZE =
  "ok: The history has 1.0 GiB of 4.0 GiB (25%). Its oldest hour, 2026-11-18 12:00, is deleted about 2026-12-18 12:00";
const ZONE = "ok: Days and weeks of the history are in Europe/Berlin";

async function judge(
  change: Partial<HistoryInfo> = {},
): Promise<{ lines: string[]; hints: string }> {
  const { judgeHistory } = await load();
  const found = judgeHistory(200, { ...INFO, ...change }, NOW);
  return {
    lines: found.map(({ status, message }) => `${status}: ${message}`),
    hints: found.map(({ hint }) => hint).join(),
  };
}

Deno.test({
  name: "judgeHistory() says what is recorded, how much, and how long",
  ...needs(),
  fn: async () => {
    assert.deepEqual((await judge()).lines, [RECORDED, SIZE, ZONE]);
    const utc = await judge({ timezone: "UTC" });
    assert.match(utc.hints, /--timezone/);
    assert.deepEqual(
      (await judge({ cells: false, oldest: undefined })).lines[1],
      "ok: The history has 1.0 GiB of 4.0 GiB (25%), in rollups only",
    );
    // A young one says little about the next days.
    const young = await judge({ oldest: NOW - HOUR_MS });
    assert.match(young.lines[1]!, /^ok: .*about 2026-12-28 11:00$/);
  },
});

Deno.test({
  name: "judgeHistory() warns of a pause, a lag, gaps, losses and the size",
  ...needs(),
  fn: async () => {
    const paused = await judge({ recording: false, problem: "disk\n full" });
    assert.equal(
      paused.lines[0],
      "warning: The history is paused: disk\\n full",
    );
    const slow = await judge({ lag: 45_000 });
    assert.equal(slow.lines[0], "warning: The history is 45 s behind the map");
    const gap = await judge({
      gaps: [
        ...INFO.gaps,
        [NOW - 25 * HOUR_MS, NOW - 23.5 * HOUR_MS],
        [NOW - 3 * HOUR_MS, NOW - 2.5 * HOUR_MS],
      ],
    });
    assert.deepEqual(gap.lines, [
      RECORDED,
      "warning: The history has 2 gaps in the last day, 60.0 min together; the last one from 2026-11-28 09:00 to 2026-11-28 09:30",
      ...[SIZE, ZONE],
    ]);
    const lost = await judge({ tooLate: 1, dropped: 7 });
    assert.deepEqual(lost.lines.slice(1, 3), [
      "warning: 1 reading came too late to change the history",
      "warning: Too many changes of cells: 7 were not recorded",
    ]);
    const large = await judge({ bytes: 2 * GIB });
    assert.equal(
      large.lines[1],
      "warning: The history has 2.0 GiB of 4.0 GiB (50%). Its oldest hour, 2026-11-18 12:00, is deleted about 2026-12-08 12:00, because of its size: it holds about 20.0 days, not the 30d that are to be kept",
    );
    assert.match(large.hints, /--history-size/);
    const full = await judge({ bytes: 4 * GIB });
    assert.match(full.lines[1]!, /is deleted next, .*about 10\.0 days/);
  },
});

Deno.test({
  name: "judgeHistory() knows a server without a history, and other programs",
  ...needs(),
  fn: async () => {
    const { judgeHistory } = await load();
    const judged = (status: number, body: unknown) =>
      judgeHistory(status, body, NOW).map(({ status, message }) =>
        `${status}: ${message}`
      );
    assert.deepEqual(judged(409, { code: "history-off" }), [
      "ok: The server records no history",
    ]);
    assert.deepEqual(judged(401, { code: "no-token" }), [
      "unknown: The server does not show its history",
    ]);
    assert.deepEqual(judged(503, { code: "starting" }), []);
    for (
      const body of [
        ...[null, [], {}, { ...INFO, timezone: "No/Where" }],
        ...[{ ...INFO, gaps: [1] }, { ...INFO, lag: "1" }],
      ]
    ) assert.deepEqual(judged(200, body), [], "of another program");
  },
});

Deno.test({
  name: "doctor asks the server on this machine about its history",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const token = "0123456789abcdef0123456789abcdef";
    await Deno.writeTextFile(`${dir.path}/token`, token, { mode: 0o600 });
    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      ...["--store", "memory:", "--timezone", "Asia/Tokyo"],
      ...["--http-token-file", `${dir.path}/token`],
    ]);
    const [, port] = await server.waitFor(/Dashboard at http:\S+:(\d+)\//);
    await server.waitFor(/Ready/);
    const { historyCheck } = await load();
    const { CheckContext } = await import("../../src/doctor/mod.ts");
    const run = async (options: Parameters<typeof checkOptions>[0]) =>
      (await historyCheck.run(new CheckContext(checkOptions(options)))).map((
        { status, message },
      ) => `${status}: ${message}`);
    const http = { host: "127.0.0.1", port: Number(port) };
    const [recorded, size, zone] = await run({ http, httpToken: token });
    assert.equal(recorded, RECORDED);
    assert.match(size!, /^ok: The history has .* of 48\.0 MiB/);
    assert.match(zone!, /Asia\/Tokyo/);
    assert.deepEqual(await run({ http }), [
      "unknown: The server does not show its history",
    ]);
    assert.deepEqual(
      await run({ http: { ...http, port: freePort() }, httpToken: token }),
      [],
    );
    assert.deepEqual(await run({ http: false }), []);
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});
