/** `occupancy history` as a process, against a server with a small history. */
import assert from "node:assert/strict";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { assertFailure } from "../../../support/assert_failure.ts";
import { MemoryHistory } from "../../../support/memory_history.ts";
import { needs } from "../../../support/needs.ts";
import { runOccupancy } from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";
import { startServer, type TestServer } from "../../../http/support.ts";
import { TerminalSession } from "../../terminal_session.ts";

/** Saturday noon in Berlin. */
const NOW = Date.UTC(2026, 10, 28, 11);
const T = NOW - 3_600_000;
const RECORDS = [
  { at: T, x: 1, y: 1, value: 3, isOld: true },
  { at: T + 1000, x: 2, y: -1, value: 0, stale: true },
  { at: T + 2000, x: 9, y: 9, value: -1 },
  { at: T, layer: "hall/l,2", x: 0, y: 0, value: 1 },
];

interface PastServer extends TestServer {
  readonly past: MemoryHistory;
}

async function start(): Promise<PastServer> {
  const past = new MemoryHistory({
    ...{ records: RECORDS, zones: ["lobby"], now: () => NOW },
    oldest: NOW - 30 * 86_400_000,
    gaps: [[NOW - 300_000, NOW - 200_000]],
  });
  const server = await startServer({ history: past, clock: () => NOW });
  return Object.assign(server, { past });
}

async function ask(server: TestServer, ...args: string[]) {
  const all = ["history", ...args, "--url", server.url];
  const { code, stdout, stderr } = await runOccupancy(all);
  assert.equal(code, 0, stderr);
  return { stdout, stderr };
}

Deno.test({
  name: "history prints a series as CSV in a pipe, with what is known",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const range = ["--from", "2026-11-28T09:00", "--to", "2026-11-28T11:00"];
    const { stdout } = await ask(server, "--zone", "lobby", ...range);
    assert.deepEqual(stdout.split("\n"), [
      "start,least,mean,most,occupied,known,entries",
      "2026-11-28T08:00:00.000Z,0,1.5,3,0.25,1,2",
      "2026-11-28T09:00:00.000Z,,,,,0,",
      "",
    ]);
    // The server resolves dates in its time zone, and relative times.
    assert.deepEqual(server.past.asked.at(-1), {
      ...{ zone: "lobby", step: "1h", timezone: "Europe/Berlin" },
      ...{ from: T - 2 * 3_600_000, to: T },
    });
    const ndjson = await ask(server, "--from=-2h", "--format", "ndjson");
    assert.deepEqual(
      ndjson.stdout.trim().split("\n").map((line) => JSON.parse(line)).at(1),
      {
        start: new Date(T).toISOString(),
        ...{ least: null, mean: null, most: null },
        ...{ occupied: null, known: 0, entries: null },
      },
    );
    const region = ["--region", "5,5,-1,-1", "--layer", "hall/l,2"];
    const more = ["--step=1d", "--timezone", "Asia/Tokyo", "--from", "-2d"];
    const json = await ask(server, ...region, ...more, "--json");
    const series = JSON.parse(json.stdout);
    assert.deepEqual(series.region, [-1, -1, 5, 5]);
    assert.deepEqual(series.gaps, [[NOW - 300_000, NOW - 200_000]]);
    const { layer, timezone, step } = series;
    assert.deepEqual([layer, timezone, step], ["hall/l,2", "Asia/Tokyo", "1d"]);
  },
});

Deno.test({
  name: "history --at prints the map as it was, and says that it is a gap",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const at = ["--at", String(T + 4000)];
    const { stdout, stderr } = await ask(server, ...at);
    assert.deepEqual(stdout.split("\n"), [
      "x,y,value,status,time,known,layer",
      "1,1,3,occupied,,true,default",
      `2,-1,0,stale,${new Date(T + 1000).toISOString()},false,default`,
      `9,9,-1,unknown,${new Date(T + 2000).toISOString()},false,default`,
      "",
    ]);
    assert.equal(stderr, "");
    const quoted = await ask(server, "--at=-30m", "--layer", "hall/l,2");
    assert.match(quoted.stdout, /^0,0,1,occupied,\d{4}-.*Z,true,"hall\/l,2"$/m);
    const gap = await ask(server, "--at", String(NOW - 250_000));
    assert.match(gap.stdout, /^1,1,3,occupied,,false,default$/m);
    assert.match(gap.stderr, /Nothing was recorded at that time/);
    const map = await ask(server, ...at, "--map");
    assert.match(map.stdout, /3 cells.*1 occupied/);
    assert.match(map.stdout, /2026-11-28 11:00:04 \(Europe\/Berlin\)/);
    const table = await ask(server, ...at, "--format", "table");
    assert.match(table.stdout, /^ *x +y +value +status +for$/m);
    assert.match(table.stdout, /^ *2 +-1 +0 +stale +3 s$/m);
    assert.match(table.stdout, /^ *1 +1 +3 +occupied +> 1 d$/m);
    assert.match(table.stdout, /^ *9 +9 +\? +unknown +2 s$/m);
  },
});

Deno.test({
  name: "history --utilisation selects days and hours",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const select = ["--days", "1-5", "--hours", "8-18", "--from=-1h"];
    const { stdout } = await ask(server, "--utilisation", ...select);
    const from = new Date(T).toISOString();
    assert.deepEqual(stdout.split("\n"), [
      "x,y,occupied,known,changes,last",
      `1,1,60,3600,2,${from}`,
      "2,-1,60,3600,2,",
      "9,9,60,3600,2,",
      "",
    ]);
    const asked = server.past.asked.at(-1) as Record<string, unknown>;
    assert.deepEqual(asked.days, [1, 2, 3, 4, 5]);
    assert.deepEqual(asked.hours, [8, 18]);
    const table = await ask(server, "-u", ...select, "--format=table");
    assert.match(table.stdout, /Mon Tue Wed Thu Fri · 8–18 h · 1 day/);
    assert.match(table.stdout, /^ {4}8 {3}12$/m, "hours of the day");
    assert.match(table.stdout, /^Mon ·{10}$/m, "nothing is known");
    assert.match(table.stdout, /^1 +1 +2% +100% +0\.0 +2 +2026-11-28 11:00/m);
    assert.match(table.stdout, /Nothing was recorded for 100 s:/);
  },
});

Deno.test({
  name: "history writes Parquet that others can read, with nulls and times",
  ...needs(),
  fn: async () => {
    await using server = await start();
    await using folder = await tempDir();
    const file = `${folder.path}/lobby.parquet`;
    const to = ["--format", "parquet", "--output", file];
    const { stdout, stderr } = await ask(
      server,
      ...["--zone", "lobby", "--from", "-2h", ...to],
    );
    assert.equal(stdout, "");
    assert.match(stderr, /Wrote .*lobby\.parquet/);
    const read = async () => {
      const { buffer } = await Deno.readFile(file);
      const metadata = parquetMetadata(buffer).key_value_metadata;
      return { rows: await parquetReadObjects({ file: buffer }), metadata };
    };
    const series = await read();
    assert.deepEqual(series.rows, [
      {
        start: new Date(NOW - 7_200_000),
        ...{ least: 0, mean: 1.5, most: 3, occupied: 0.25, known: 1 },
        entries: 2,
      },
      {
        start: new Date(T),
        ...{ least: null, mean: null, most: null, occupied: null, known: 0 },
        entries: null,
      },
    ]);
    assert.deepEqual(JSON.parse(series.metadata![0]!.value!), {
      zone: "lobby",
      from: "-2h",
    });
    // The file is replaced.
    await ask(server, "--at", String(T + 4000), ...to);
    const map = await read();
    assert.deepEqual(map.rows[1], {
      ...{ x: 2, y: -1, value: 0, status: "stale" },
      ...{ time: new Date(T + 1000), known: false, layer: "default" },
    });
    assert.equal(map.rows[0]!.time, null);
    await ask(server, "--utilisation", ...to);
    const [use] = (await read()).rows;
    assert.deepEqual([use!.x, use!.occupied, use!.changes], [1, 60, 2]);
    const csv = `${folder.path}/lobby.csv`;
    await ask(server, "--zone", "lobby", "-q", "-o", csv);
    assert.match(await Deno.readTextFile(csv), /^start,least,mean/);
  },
});

Deno.test({
  name: "history draws sparklines in a terminal of any width, gaps as dots",
  ...needs("script"),
  fn: async () => {
    await using server = await start();
    for (
      const [columns, head] of [
        [100, /^start +least +mean +most +occ\. +known +in +graph\r?$/m],
        [60, /^start +least +mean +most +occ\. +known\b/m],
        [40, /^start +mean +(most +)?known\r?$/m],
      ] as const
    ) {
      await using session = new TerminalSession(
        ["history", "--zone", "lobby", "--url", server.url],
        { columns, rows: 60, env: { NO_COLOR: "1" } },
      );
      assert.equal(await session.ended(), 0, session.output);
      const { output } = session;
      assert.match(output, head, `${columns} columns`);
      assert.match(output, /^█·█{22}\r?$/m, "a day by the hour");
      assert.match(output, /^2026-11-27 13:00 .*\?.* 0%/m, "unknown");
      assert.match(output, /capacity 12|…/);
      assert.ok(!output.includes("\x1b[1m"), "NO_COLOR");
    }
    await using narrow = new TerminalSession(
      ["history", "--from", "-5d", "--url", server.url],
      { columns: 30, rows: 400 },
    );
    assert.equal(await narrow.ended(), 0);
    assert.match(narrow.output, /^█{29}\r?$/m, "as wide as the terminal");
    assert.ok(narrow.output.includes("\x1b[1mdefault\x1b[0m"));
  },
});

Deno.test({
  name: "history info prints what is recorded",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const { stdout } = await ask(server, "info");
    assert.match(stdout, /^recording +yes$/m);
    assert.match(stdout, /^cells +kept 30d$/m);
    assert.match(stdout, /^rollups +kept 730d$/m);
    assert.match(stdout, /^size +4\.0 KiB of 953\.7 MiB \(0\.0%\)$/m);
    assert.match(stdout, /^oldest map +2026-10-29 12:00$/m);
    assert.match(stdout, /^time zone +Europe\/Berlin$/m);
    assert.match(stdout, /^gaps +2026-11-28 11:55 to .* \(100 s\)$/m);
    const json = await ask(server, "info", "--json");
    assert.deepEqual(
      JSON.parse(json.stdout),
      await server.json("/api/v1/history"),
    );
  },
});

Deno.test({
  name: "history prune deletes what is older, and asks in a terminal",
  ...needs("script"),
  fn: async () => {
    let now = NOW;
    await using server = await startServer({
      clock: () => now,
      recorded: { stepSeconds: 1, timezone: "UTC" },
    });
    await server.post("1,1,1");
    await until(async () =>
      (await server.json("/api/v1/history")).newest >= NOW
    );
    now = NOW + 6 * 3_600_000;
    await server.post("1,1,2");
    for (
      const [answer, text] of [["n", /Nothing was deleted/], [
        "y",
        /Deleted what was recorded before 2026-11-28T14:30:00\.000Z: .* remain of /,
      ]] as const
    ) {
      const time = "2026-11-28T14:30";
      await using session = new TerminalSession(
        ["history", "prune", "--before", time, "--url", server.url],
        { columns: 200, rows: 20 },
      );
      await session.shows(
        /Delete the history of all layers and zones before 2026-11-28T14:30\? \[y\/N\]/,
      );
      await session.type(`${answer}\r`);
      assert.equal(await session.ended(), 0, session.output);
      assert.match(session.output, text);
    }
    const all = ["prune", "--yes", "--before", "2026-11-28T14:30", "--json"];
    await until(async () => {
      const { stdout } = await ask(server, ...all);
      return JSON.parse(stdout).oldest === NOW + 3 * 3_600_000;
    });
  },
});

Deno.test({
  name: "history says what is wrong with a question, and what to do",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const fails = async (
      args: string,
      code: number,
      message: RegExp,
      hint: RegExp,
    ) => {
      const all = ["history", ...args.split(" "), "--url", server.url];
      assertFailure(await runOccupancy(all), code, message, hint);
    };
    await fails(
      "--zone nowhere",
      1,
      /There is no zone "nowhere"/,
      /zones list/,
    );
    await fails(
      "--at 2020-01-01",
      1,
      /before the first record/,
      /The oldest is/,
    );
    await fails("--at 2030-01-01", 1, /in the future/, /now/);
    await fails(
      "--from now --to -1h",
      1,
      /[Ff]rom is not before to/,
      /earlier/,
    );
    await fails("--at yesterday", 2, /Invalid --at "yesterday"/, /-2h, now/);
    await fails("--step 2h", 2, /--step/, /15m/);
    await fails("-u --days 5-1", 2, /--days/, /1 \(Monday\)/);
    await fails("-u --hours 18-8", 2, /--hours/, /8-18/);
    await fails("--days 1-5", 2, /Cannot use --days here/, /--utilisation/);
    await fails("--at now --zone x", 2, /--at|--zone/, /one time/);
    await fails("--map", 2, /Cannot use --map here/, /--at/);
    await fails("--format map", 2, /Cannot use --format map here/, /--at/);
    await fails("--format parquet", 2, /Missing --output/, /\.parquet/);
    await fails("info --zone x", 2, /--zone with history info/, /question/);
    await fails("--before now", 2, /Cannot use --before here/, /prune/);
    await fails("prune", 2, /Missing --before/, /-90d/);
    await fails("prune --before -1d", 2, /Cannot ask/, /--yes/);
    await fails(
      "prune --yes --before -1d --region 1,1,2,2",
      2,
      /--region/,
      /./,
    );
    await fails("prune --yes --before -1d --layer x", 2, /--layer/, /layers/);
    await fails("info more", 2, /Unexpected argument: more/, /--help/);
    await fails("-o /nowhere/x.csv", 1, /no such folder/, /another file/);
  },
});

Deno.test({
  name: "history says that a server records none, or is none",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    assertFailure(
      await runOccupancy(["history", "--url", server.url]),
      1,
      /does not record a history/,
      /--no-history/,
    );
    await using other = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => Response.json({ start: [1], least: "x" }),
    );
    const url = `http://127.0.0.1:${(other.addr as Deno.NetAddr).port}`;
    for (const args of [[], ["info"], ["--at", "now"], ["-u"]]) {
      assertFailure(
        await runOccupancy(["history", ...args, "--url", url]),
        1,
        /not that of an occupancy server/,
        /--url/,
      );
    }
  },
});
