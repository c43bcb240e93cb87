/** `occupancy simulate` as a process: sends, prints, ends. */
import assert from "node:assert/strict";
import { SIMULATE } from "../../../../src/cli/commands/simulate/options.ts";
import { makeScene, SCENES, zonesOf } from "../../../../src/simulate/mod.ts";
import { readZones } from "../../../../src/zones/mod.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import {
  forEachAtOnce,
  occupancy,
  ROOT,
  Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { BROKERS, startSystem } from "../../../support/system.ts";
import { until } from "../../../support/until.ts";

Deno.test({
  name: "simulate offers all scenes",
  permissions: "none",
  fn: () => {
    const [scene] = SIMULATE.options;
    assert.deepEqual(scene.choices, SCENES);
  },
});

/** No broker listens here. */
const NOWHERE = "mqtt://127.0.0.1:1";

for (const kind of BROKERS) {
  Deno.test({
    name: `simulate sends --count readings with the present time over ${kind}`,
    ...needs(...(kind === "mosquitto" ? ["mosquitto" as const] : [])),
    fn: async () => {
      await using system = await startSystem(kind);
      const before = Date.now();
      const { code, stdout, stderr } = await runOccupancy([
        ...["simulate", "--broker", system.url, "--scene", "robots"],
        ...["--rate", "max", "--count", "12345", "--layer", "hall"],
      ]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /^Sent 12345 readings in 124 messages to occupancy\/data\/hall, [\d,]+ per second\n$/,
      );
      await until(() => system.server.stats.accepted >= 12345);
      assert.equal(system.server.stats.accepted, 12345);
      const hall = system.map.layer("hall")!;
      let occupied = 0;
      for (const cell = hall.cells(); cell.next();) {
        assert.ok(cell.time >= before && cell.time <= Date.now());
        if (cell.value > 0) occupied++;
      }
      // The last reading may be between a robot's departure and arrival.
      assert.ok(occupied === 24 || occupied === 23, `${occupied} robots`);
    },
  });
}

Deno.test({
  name: "simulate ends after --duration, and prints nothing with --quiet",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    const start = performance.now();
    const { code, stdout, stderr } = await runOccupancy([
      ...["simulate", "--broker", system.url, "--scene", "desks", "--quiet"],
      ...["--rate", "1000", "--duration", "500ms", "--source", "test"],
    ]);
    assert.deepEqual({ code, stdout, stderr }, {
      code: 0,
      stdout: "",
      stderr: "",
    });
    const { accepted } = system.server.stats;
    // A busy machine ends it later than after 500 ms: one reading per ms.
    const max = Math.ceil(performance.now() - start) + 1;
    assert.ok(accepted > 0 && accepted <= max, `${accepted}, not ${max}`);
  },
});

Deno.test({
  name:
    "simulate runs until Ctrl-C, and prints how many readings were acknowledged",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    await using running = occupancy([
      ...["simulate", "--broker", system.url, "--speed", "600"],
    ]);
    await until(() => system.server.stats.accepted > 1000);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended();
    assert.equal(code, 130);
    const sent = /Sent (\d+) readings/.exec(stderr)?.[1];
    assert.equal(Number(sent), system.server.stats.accepted, stderr);
  },
});

Deno.test({
  name:
    "simulate --dry-run prints the same bytes for the same seed, as CSV and NDJSON",
  ...needs(),
  fn: async () => {
    const printed = async (...args: string[]) => {
      const { code, stdout, stderr } = await runOccupancy(
        ["simulate", "--dry-run", ...args],
      );
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      return stdout;
    };
    const [first, same, other, json, hour] = await Promise.all([
      printed("--count", "5000", "--seed", "7"),
      printed("--count", "5000", "--seed", "7", "--rate", "max"),
      printed("--count", "5000", "--seed", "8"),
      printed("--count", "5000", "--seed", "7", "--format", "ndjson"),
      printed("--scene", "desks", "--size", "10", "--duration", "1h"),
    ]);
    assert.match(first, /^(\d+,\d+,\d+\n){5000}$/);
    assert.equal(same, first);
    assert.notEqual(other, first);
    const rows = json.trimEnd().split("\n").map((line) => {
      const { x, y, value } = JSON.parse(line);
      return `${x},${y},${value}\n`;
    });
    assert.equal(rows.join(""), first);
    assert.equal(hour.split("\n").length - 1, 10 + 60 * 10);
  },
});

Deno.test({
  name: "client sends the readings of simulate --dry-run from a pipe",
  ...needs("sh"),
  fn: async () => {
    await using system = await startSystem("embedded");
    await using shell = new Running("sh", [
      "-c",
      `${ROOT}occupancy simulate --scene rooms --dry-run --count 600 | ${ROOT}occupancy client --file - --broker ${system.url} --no-request`,
    ]);
    const { code, stderr } = await shell.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Sent 600 readings/);
    assert.equal(system.map.layer("default")!.size, 60);
  },
});

Deno.test({
  name:
    "simulate --dry-run ends silently when the pipe is closed, and at Ctrl-C",
  ...needs("sh"),
  fn: async () => {
    await using shell = new Running("sh", [
      "-c",
      `${ROOT}occupancy simulate --dry-run | head -n 2`,
    ]);
    const { stdout, stderr } = await shell.ended();
    assert.equal(stdout, "0,0,1\n1,0,0\n");
    assert.equal(stderr, "");
    await using slow = occupancy(["simulate", "--dry-run", "--rate", "100"]);
    await until(() => slow.stdout.length > 0);
    slow.kill("SIGINT");
    const ended = await slow.ended();
    assert.deepEqual([ended.code, ended.stderr], [130, ""]);
  },
});

Deno.test({
  name: "simulate --print-zones prints zones that a server accepts",
  ...needs(),
  fn: async () => {
    const { code, stdout, stderr } = await runOccupancy([
      ...["simulate", "--print-zones", "--broker", NOWHERE],
      ...["--scene", "campus", "--size", "100", "--layer", "hall/l2"],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    const scene = makeScene("campus", { seed: 1, size: 100 });
    const zones = zonesOf(scene.areas(), "hall/l2");
    assert.ok(zones.length > 20, "of three scenes");
    assert.deepEqual(await readZones(stdout), zones);
  },
});

Deno.test({
  name: "simulate with invalid flags: exit 2 before it connects",
  ...needs(),
  fn: () =>
    forEachAtOnce(
      [
        [["--scene", "office"], /Use desks, rooms, parking, robots or campus/],
        [["--rate", "0"], /Use a number from 0.001/],
        [["--speed", "-1"], /Use a number from 0.001/],
        [["--start", "25:00"], /Use a time of day/],
        [["--seed", "1e9"], /Use a whole number of up to 32 bits/],
        [["--count", "0"], /Use a whole number of at least 1/],
        [["--rate", "5", "--speed", "5"], /Cannot use --rate with --speed/],
        [["--format", "csv"], /Cannot use --format without --dry-run/],
        [["--dry-run", "--batch", "5"], /Cannot use --batch with --dry-run/],
        [["--layer", "a//b"], /layer name/],
        [["--print-zones", "--dry-run"], /Cannot use --print-zones with --dry/],
        [
          ["--print-zones", "--scene", "rooms", "--size", "10000"],
          /Cannot print the 10001 zones .* at most 10000\n.*smaller --size/,
        ],
      ] as const,
      async ([args, message]) => {
        const ended = await runOccupancy(
          ["simulate", "--broker", NOWHERE, ...args],
        );
        assert.equal(ended.code, 2, ended.stderr);
        assert.match(ended.stderr, message);
      },
    ),
});

Deno.test({
  name: "simulate without a broker: exit 4 and a hint",
  ...needs(),
  fn: async () => {
    const ended = await runOccupancy(["simulate", "--broker", NOWHERE]);
    assertFailure(ended, 4, /no broker is running there/, /use the address/);
  },
});
