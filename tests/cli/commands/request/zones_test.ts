/** `occupancy request` with --zone and --zones, in a pipe and a terminal. */
import assert from "node:assert/strict";
import { hintForZone } from "../../../../src/cli/commands/request/zones/hint.ts";
import {
  ZoneModel,
  ZonesModel,
} from "../../../../src/cli/commands/request/zones/models.ts";
import { combined } from "../../../../src/cli/commands/request/zones/run.ts";
import type { Frame } from "../../../../src/cli/commands/request/live/live_view.ts";
import {
  type Canvas,
  encodeLines,
} from "../../../../src/cli/terminal/map/mod.ts";
import { squares } from "../../../server/zones/support.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import {
  occupancy,
  type Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { startSystem, type System } from "../../../support/system.ts";
import { until } from "../../../support/until.ts";
import { eventOf, stateOf } from "../../../support/zone_states.ts";
import { TerminalSession } from "../../terminal_session.ts";

/** Starts a server with two rooms, of which the lobby has four people. */
async function start(): Promise<System> {
  const system = await startSystem("embedded");
  const zones = await squares(
    ["cafe", [4, 0, 4]],
    ["lobby", [0, 0, 4], { title: "Main lobby", capacity: 4 }],
    ["yard", [8, 0, 4]],
  );
  await system.server.zones.edit({ kind: "replace", zones });
  await send(system, "0,0,3\n1,0,0\n2,0,-1\n4,0,0");
  return system;
}

async function send({ server }: System, csv: string): Promise<void> {
  await server.submit("default", new TextEncoder().encode(csv));
}

function request({ url }: System, ...flags: string[]) {
  return runOccupancy(["request", "--broker", url, ...flags]);
}

function watch({ url }: System, ...flags: string[]): Running {
  return occupancy(["request", "--watch", "--broker", url, ...flags]);
}

Deno.test({
  name: "request --zones prints lines, a table or JSON, the fullest zone first",
  ...needs(),
  fn: async () => {
    await using system = await start();
    const lines = await request(system, "--zones", "--times", "ms");
    assert.equal(lines.code, 0, lines.stderr);
    const rows = lines.stdout.trimEnd().split("\n")
      .map((line) => line.split("\t"));
    assert.deepEqual(rows.map((row) => row.slice(0, 8)), [
      ["lobby", "occupied", "3", "4", "75", "false", "default", "Main lobby"],
      ["cafe", "free", "0", "", "0", "true", "default", "cafe"],
      ["yard", "unknown", "0", "", "", "false", "default", "yard"],
    ]);
    assert.match(rows[0]![8]!, /^\d{13}$/);
    assert.deepEqual(rows[0]!.slice(9), ["3", "1", "0", "1"]);
    const table = await request(system, "--zones", "--format", "table");
    assert.match(table.stdout, /^zone +title +state +for +count +%\n/);
    assert.match(
      table.stdout,
      /^lobby +Main lobby +occupied .*≥3\/4 +75 +█{7}▌$/m,
    );
    const json = await request(system, "--zones", "--json");
    const states = json.stdout.trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.deepEqual(
      states,
      ["lobby", "cafe", "yard"].map((zone) =>
        JSON.parse(JSON.stringify(system.server.zones.state(zone)))
      ),
    );
  },
});

Deno.test({
  name: "request --zone describes one zone, and --test returns its status",
  ...needs(),
  fn: async () => {
    await using system = await start();
    const details = await request(
      system,
      ...["--zone", "lobby", "--format", "table"],
    );
    assert.equal(details.code, 0, details.stderr);
    assert.match(
      details.stdout,
      /^Main lobby {3}lobby\n█{30}░{10} {3}at least 3 of 4 \(75%\)\noccupied for \d+ s {3}since .* UTC\n3 cells {3}1 occupied {3}1 free {3}1 unknown\n/,
    );
    const json = await request(system, "--zone=lobby", "--json");
    assert.equal(JSON.parse(json.stdout).count, 3);
    for (
      const [flags, word, code] of [
        [["--zone", "lobby"], "occupied\n", 0],
        [["--zone", "cafe"], "free\n", 10],
        [["--zone", "yard"], "unknown\n", 11],
        [["--zones"], "occupied\n", 0],
        [["--zone", "cafe", "--quiet"], "", 10],
      ] as const
    ) {
      const tested = await request(system, "--test", ...flags);
      assert.deepEqual([tested.stdout, tested.code], [word, code]);
    }
  },
});

Deno.test({
  name: "request --zone of no zone exits with 1 and names a similar one",
  ...needs(),
  fn: async () => {
    await using system = await start();
    for (const flags of [[], ["--watch"], ["--test"]]) {
      assertFailure(
        await request(system, "--zone", "loby", ...flags),
        1,
        /There is no zone loby/,
        /Did you mean lobby\?/,
      );
    }
    const titled = await request(system, "--zone", "main lobby");
    assert.match(titled.stderr, /Did you mean lobby\?/);
    await system.server.zones.edit({ kind: "replace", zones: [] });
    const none = await request(system, "--zones");
    assert.deepEqual([none.stdout, none.code], ["", 0]);
    assert.match(none.stderr, /There are no zones: add one/);
  },
});

Deno.test({
  name: "request --zones --watch in a pipe prints a line per change",
  ...needs(),
  fn: async () => {
    await using system = await start();
    await using watching = watch(system, "--zones", "--count", "3");
    await until(() => watching.stdout.split("\n").length > 3);
    await send(system, "4,0,2");
    await until(() => watching.stdout.includes("\ncafe\toccupied\t2\t"));
    await system.server.zones.edit({ kind: "delete", name: "lobby" });
    await until(() => watching.stdout.includes("\nlobby\tremoved\t"));
    await send(system, "4,0,0");
    const { code, stdout, stderr } = await watching.ended();
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(
      stdout.trimEnd().split("\n").map((line) =>
        line.split("\t").slice(0, 3).join(" ")
      ),
      [
        ...["lobby occupied 3", "cafe free 0", "yard unknown 0"],
        ...["cafe occupied 2", "lobby removed ", "cafe free 0"],
      ],
    );
  },
});

Deno.test({
  name: "request --zone --watch --json prints changes and events of the zone",
  ...needs(),
  fn: async () => {
    await using system = await start();
    await using watching = watch(system, "--zone", "lobby", "--json");
    await until(() => watching.stdout.endsWith("\n"));
    await send(system, "4,0,9\n0,0,4");
    const events = () =>
      watching.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    await until(() => events().length === 3, {
      what: () => watching.stdout,
    });
    const [snapshot, changes, event] = events();
    assert.deepEqual(
      Object.keys(snapshot),
      ["kind", "revision", "time", "zones"],
    );
    assert.equal(snapshot.zones[0].count, 3);
    assert.deepEqual(
      [changes.kind, changes.zones[0].count, changes.removed],
      ["changes", 4, []],
    );
    assert.deepEqual(
      [event.kind, event.zone, event.event, event.count],
      ["event", "lobby", "full", 4],
    );
    watching.kill("SIGINT");
    assert.equal((await watching.ended()).code, 130);
  },
});

Deno.test({
  name: "request --zones --watch in a narrow terminal is live, until q",
  ...needs("script", "sh"),
  fn: async () => {
    await using system = await start();
    await using session = new TerminalSession(
      ["request", "--zones", "--watch", "--broker", system.url],
      { columns: 40, rows: 12, env: { NO_COLOR: "1" } },
    );
    await session.shows(/3 zones.*lobby.*occupied.*≥3\/4/s);
    assert.match(session.output, /1–3 of 3/);
    await send(system, "0,0,4\n2,0,0");
    await session.shows(/full/);
    await session.type("?");
    await session.shows(/change the order/);
    await session.type("?q");
    assert.equal(await session.ended(), 0);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(session.output, /\x1b\[[\d;]*38;/, "no colors");
  },
});

const NOW = 1_760_000_000_000;

/** Draws at a time after the local clock 0, and returns the lines. */
function draw(
  model: { draw(frame: Frame): Canvas },
  frame: Partial<Frame> = {},
): string[] {
  const size = { width: 60, height: 10 };
  const canvas = model.draw({
    ...{ elapsed: 0, notice: undefined, depth: "none", ...size },
    ...frame,
  });
  return encodeLines(canvas, "none").trimEnd().split("\n");
}

Deno.test({
  name: "the live table of zones sorts, scrolls and ages by the server's clock",
  permissions: "none",
  fn: () => {
    let clock = 5000;
    const model = new ZonesModel(() => clock);
    const zones = Array.from(
      { length: 20 },
      (_, i) =>
        stateOf(`z${String(i).padStart(2, "0")}`, {
          ...{ percent: i, count: i, since: NOW - 1000 * i },
        }),
    );
    model.apply({ kind: "snapshot", revision: 1, time: NOW, zones });
    const names = () =>
      draw(model).filter((line) => /^z\d/.test(line))
        .map((line) => line.slice(0, 3)).join(" ");
    assert.equal(names(), "z19 z18 z17 z16 z15 z14 z13");
    assert.equal(draw(model)[0], "20 zones  20 occupied  0 free");
    assert.equal(model.press("end"), true);
    assert.equal(names(), "z06 z05 z04 z03 z02 z01 z00");
    assert.match(draw(model).at(-1)!, /^14–20 of 20/);
    model.press("s");
    assert.equal(names(), "z00 z01 z02 z03 z04 z05 z06");
    model.press("s");
    assert.match(draw(model)[2]!, /^z00 +occupied +0 s /);
    clock += 65_000;
    assert.match(draw(model)[2]!, /^z00 +occupied +65 s /);
    model.apply({
      kind: "changes",
      zones: [stateOf("z05", { since: NOW + 70_000, time: NOW + 70_000 })],
      removed: ["z00"],
    });
    assert.match(draw(model)[2]!, /^z05 +occupied +0 s /);
    assert.match(draw(model, { notice: "NOT LIVE" }).join("\n"), /NOT LIVE/);
    assert.equal(model.press("x"), false);
  },
});

Deno.test({
  name:
    "the live view of a zone has its last events, and says if it was removed",
  permissions: "none",
  fn: () => {
    const model = new ZoneModel("lobby", () => 0);
    const zones = [stateOf("lobby")];
    model.apply({ kind: "snapshot", revision: 1, time: NOW, zones });
    for (let i = 0; i < 12; i++) {
      const event = eventOf("lobby", { count: i, time: NOW + 1000 * i });
      model.apply({ kind: "event", event, dropped: 0 });
    }
    const lines = draw(model);
    assert.equal(lines[0], "lobby");
    assert.equal(lines[5], "08:53:31 UTC  occupied   11/20");
    assert.equal(lines.at(-1), "q quit · ? keys");
    model.apply({ kind: "changes", zones: [], removed: ["lobby"] });
    assert.deepEqual(draw(model).slice(0, 2), [
      "lobby",
      "The zone was removed",
    ]);
    assert.equal(draw(model, { height: 1, width: 5 }).length, 1);
  },
});

Deno.test({
  name:
    "--test of all zones: occupied if one is, free if all are, else unknown",
  permissions: "none",
  fn: () => {
    const of = (...all: (boolean | null)[]) =>
      combined(all.map((occupied, i) => stateOf(`z${i}`, { occupied })));
    assert.equal(of(null, true, false), true);
    assert.equal(of(false, false), false);
    assert.equal(of(false, null), null);
    assert.equal(of(), null);
  },
});

Deno.test({
  name: "the hint for an unknown zone is safe to print, and fast",
  permissions: "none",
  fn: () => {
    const zones = Array.from(
      { length: 10_000 },
      (_, i) => stateOf(`${"z".repeat(190)}${i}`),
    );
    const start = performance.now();
    assert.match(hintForZone("z".repeat(195), zones), /--zones shows all/);
    assert.ok(performance.now() - start < 1000);
    const odd = [stateOf("lob\u202eby")];
    assert.equal(hintForZone("lobby", odd), "Did you mean lob\\u{202e}by?");
  },
});
