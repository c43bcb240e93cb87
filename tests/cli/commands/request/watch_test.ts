/** `occupancy request` with --watch, --map and --test, in a pipe and a terminal. */
import assert from "node:assert/strict";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs, requireTool } from "../../../support/needs.ts";
import {
  DENO_RUN,
  occupancy,
  ROOT,
  Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { encodePublish } from "../../../support/packets.ts";
import { RawConnection } from "../../../support/raw_connection.ts";
import { startSystem, type System } from "../../../support/system.ts";
import { until } from "../../../support/until.ts";
import { TerminalSession } from "../../terminal_session.ts";

const TIME = 1_760_000_000_000;
const AT_TIME = "2025-10-09T08:53:20.000Z";
const ENTER = "\x1b[?1049h\x1b[?25l";
/** Restores the style, the wrapping, the cursor and the screen. */
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

Deno.test({
  name:
    "request --watch in a pipe prints the map, then --count lines of changes",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, `2,1,0,${TIME}\n1,1,3,${TIME}`);
    await using watching = watch(system, "--count", "3");
    await until(() => watching.stdout.includes("\n2\t1\t"));
    await publish(system, `2,1,1,${TIME + 1}`);
    await until(() => watching.stdout.split("\n").length > 3);
    await publish(system, `7,7,-1,${TIME}\n8,7,0,${TIME}\n9,7,0,${TIME}`);
    const { code, stdout, stderr } = await watching.ended();
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.equal(
      stdout,
      [
        `1\t1\t3\toccupied\t${AT_TIME}`,
        `2\t1\t0\tfree\t${AT_TIME}`,
        "2\t1\t1\toccupied\t2025-10-09T08:53:20.001Z",
        `7\t7\t-1\tunknown\t${AT_TIME}`,
        `8\t7\t0\tfree\t${AT_TIME}`,
        "",
      ].join("\n"),
    );
  },
});

Deno.test({
  name: "request --watch --json prints one whole object per event, of a region",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, `0,0,0,${TIME}\n50,50,1,${TIME}`);
    await using watching = watch(
      system,
      "--json",
      "--region=-1,-1,9,9",
      "--count",
      "1",
    );
    await until(() => watching.stdout.endsWith("\n"));
    await publish(system, `60,60,1,${TIME}`);
    await publish(system, `1,0,2,${TIME}\n2,0,0,${TIME}`);
    const { code, stdout } = await watching.ended();
    assert.equal(code, 0);
    const steps = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(steps.map(({ kind }) => kind), ["snapshot", "changes"]);
    assert.deepEqual(steps[0].cells, [[0, 0, 0, TIME]]);
    assert.deepEqual(
      steps[1].cells.toSorted(),
      [[1, 0, 2, TIME], [2, 0, 0, TIME]],
    );
    assert.ok(steps[0].revision < steps[1].revision);
    assert.ok(Math.abs(steps[1].time - Date.now()) < 60_000);
  },
});

Deno.test({
  name: "request --watch --for ends in time, and exits with 5 without a server",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    const quiet = await runOccupancy([
      ...["request", "--broker", system.url, "--watch", "--for", "100ms"],
    ]);
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, "", ""]);
    const silent = await runOccupancy([
      ...["request", "--broker", system.url, "--prefix", "nobody"],
      ...["--watch", "--for", "100ms", "--timeout", "300ms"],
    ]);
    assertFailure(
      silent,
      5,
      /No server answered for "nobody"/,
      /occupancy server/,
    );
  },
});

Deno.test({
  name: "request --watch ends quietly when the reader closes the pipe",
  ...needs("sh"),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, `1,1,1,${TIME}`);
    const command = `"${Deno.execPath()}" ${
      DENO_RUN.join(" ")
    } --allow-net --allow-read --allow-env main.ts request --watch --broker ${system.url} | head -n 1`;
    await using shell = new Running(requireTool("sh"), ["-c", command], {
      cwd: ROOT,
    });
    await until(() => shell.stdout.endsWith("\n"));
    const end = shell.ended();
    let over = false;
    end.finally(() => over = true).catch(() => {});
    // The reader got its line, but may not have closed the pipe yet.
    for (let value = 2; !over; value++) {
      await publish(system, `1,1,${value},${TIME}`);
    }
    const { code, stdout, stderr } = await end;
    assert.deepEqual(
      [code, stdout, stderr],
      [0, `1\t1\t1\toccupied\t${AT_TIME}\n`, ""],
    );
  },
});

Deno.test({
  name: "request --watch ends when the pipe closes, without a further change",
  ...needs("sh"),
  ignore: needs("sh").ignore || Deno.build.os !== "linux",
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, `1,1,1,${TIME}`);
    for (
      const command of [
        `request --watch --broker ${system.url}`,
        "simulate --dry-run --rate 0.01",
      ]
    ) {
      await using shell = new Running(requireTool("sh"), [
        "-c",
        `./occupancy ${command} | head -n 1`,
      ], { cwd: ROOT });
      const { code, stdout, stderr } = await shell.ended();
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^.+\n$/);
    }
  },
});

Deno.test({
  name:
    "request --test returns an exit code and prints a word, except with --quiet",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, "1,1,4\n2,1,0\n3,1,-1");
    const test = async (...flags: string[]) => {
      const { code, stdout, stderr } = await runOccupancy([
        ...["request", "--test", "--broker", system.url, ...flags],
      ]);
      assert.equal(stderr, "");
      return `${code} ${stdout}`;
    };
    assert.equal(await test("--at", "1,1"), "0 occupied\n");
    assert.equal(await test("--at", "2,1", "-q"), "10 ");
    assert.equal(await test("--at", "3,1"), "11 unknown\n");
    assert.equal(await test("--at", "9,9"), "11 unknown\n");
    assert.equal(await test("--region", "0,0,9,9"), "0 occupied\n");
  },
});

Deno.test({
  name:
    "request --map in a pipe is plain and as wide as COLUMNS; --color adds colors",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, "0,0,1\n1,0,0\n0,1,-1");
    const map = async (env: Record<string, string>, ...flags: string[]) => {
      const { code, stdout } = await runOccupancy(
        ["request", "--map", "--broker", system.url, ...flags],
        { env },
      );
      assert.equal(code, 0);
      return stdout;
    };
    assert.equal(
      await map({ COLUMNS: "32" }),
      [
        "default   2×2 · 3 cells",
        "1 occupied (50.0%)   1 free",
        "1 unknown   1 no data",
        "0,0",
        "1 ·",
        "?",
        " 1,1",
        "· free  1 occupied  ? unknown",
        "1 cell = 2 × 1 chars",
        "",
      ].join("\n"),
    );
    const coloured = await map({ COLORTERM: "truecolor" }, "--color", "always");
    assert.ok(coloured.includes("\x1b[48;2;224;122;26m       \x1b[49m "));
    const zoomed = await map({}, "--region", "0,0,0,0");
    assert.match(zoomed, /1×1 · 1 cell .*\n {2}0,0\n {2}1\n/);
  },
});

Deno.test({
  name: "request --watch rejects impossible flags: exit 2 and a hint",
  ...needs(),
  fn: async () => {
    const live = await runOccupancy(["request", "--watch", "--map"]);
    assertFailure(live, 2, /live map needs a terminal/, /--watch/);
    const none = await runOccupancy(["request", "--watch", "--count", "0"]);
    assertFailure(none, 2, /whole number from 1/, /./);
    const alone = await runOccupancy(["request", "--for", "1s"]);
    assertFailure(alone, 2, /Cannot use --for without --watch/, /Add --watch/);
  },
});

Deno.test({
  name:
    "request --watch --map in a terminal draws, redraws and restores the screen",
  ...needs("script"),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, "0,0,1\n1,0,0\n0,1,-1");
    await using session = live(system, "--map");
    await session.shows(/1 unknown/);
    const { output } = session;
    assert.ok(output.startsWith(ENTER));
    assert.ok(output.includes("\x1b[48;5;172m       "));
    await publish(system, "1,0,1");
    await session.shows(/100\.0/);
    const frame = session.output.slice(output.length);
    assert.ok(!frame.includes("\x1b[2J"), "only what differs is redrawn");
    assert.ok(frame.includes("\x1b[?2026h") && frame.includes("\x1b[?2026l"));
    assert.ok(!frame.includes("q quit"), "unchanged text is not redrawn");
    await session.type("q");
    assert.equal(await session.ended(), 0);
    assert.ok(session.output.endsWith(LEAVE));
  },
});

Deno.test({
  name: "request --watch in a terminal shows a table; Ctrl-C ends it with 130",
  ...needs("script"),
  fn: async () => {
    await using system = await startSystem("embedded");
    await publish(system, "0,0,1\n5,0,0");
    await using session = live(system);
    await session.shows(/1–2 of 2/);
    await session.type("s");
    await session.shows(/valu/);
    await publish(system, "7,3,12");
    await session.shows(/12/);
    await session.type("\x03");
    assert.equal(await session.ended(), 130);
    assert.ok(session.output.endsWith(LEAVE));
  },
});

Deno.test({
  name: "request --watch lists its keys at ?, and the next key hides them",
  ...needs("script"),
  fn: async () => {
    await using system = await startSystem("embedded");
    for (const flags of [["--map"], []]) {
      await using session = live(system, ...flags);
      await session.shows(/q quit · \? keys/);
      await session.type("?");
      await session.shows(/Press \? to go back/);
      await session.type("?");
      // Everything is drawn again.
      await session.shows(/Press \? to go back[^]*Nothing/);
      await session.type("?q");
      assert.equal(await session.ended(), 0);
    }
  },
});

Deno.test({
  name: "request --watch restores the terminal at the end and after errors",
  ...needs("script"),
  fn: async () => {
    const lost = await startSystem("embedded");
    await using failing = live(lost, "--map", "--timeout", "200ms");
    await failing.shows(/Nothing has been reported yet/);
    await lost[Symbol.asyncDispose]();
    // The server publishes that it is offline, then its broker ends.
    assert.ok([4, 5].includes(await failing.ended()));
    const end = failing.output.indexOf(LEAVE) + LEAVE.length;
    assert.match(
      failing.output.slice(end),
      /^occupancy: (Disconnected from|The server of "occupancy" is offline)/,
    );

    await using system = await startSystem("embedded");
    await using brief = live(system, "--for", "100ms");
    assert.equal(await brief.ended(), 0);
    assert.ok(brief.output.startsWith(ENTER) && brief.output.endsWith(LEAVE));
  },
});

function watch(system: System, ...flags: string[]): Running {
  return occupancy(["request", "--watch", "--broker", system.url, ...flags]);
}

function live(system: System, ...flags: string[]): TerminalSession {
  const args = ["request", "--watch", "--broker", system.url, ...flags];
  return new TerminalSession(args, { columns: 70, rows: 20 });
}

/** Publishes readings and waits until the map has them. */
async function publish(system: System, csv: string): Promise<void> {
  const { revision } = system.map;
  await using client = await RawConnection.open(system.port, "filler");
  await client.write(encodePublish("occupancy/data", csv, { qos: 1, id: 1 }));
  await until(() => system.map.revision > revision);
}
