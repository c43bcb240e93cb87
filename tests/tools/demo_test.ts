/** `deno task demo`, with and without `--live`. */
import assert from "node:assert/strict";
import { assertFailure } from "../support/assert_failure.ts";
import { needs, requireTool } from "../support/needs.ts";
import { makeScene } from "../../src/simulate/mod.ts";
import { DENO_RUN, ROOT, Running } from "../support/processes.ts";
import { until } from "../support/until.ts";

const DEMO = [
  ...DENO_RUN,
  ...["--allow-net", "--allow-read", "--allow-env", `${ROOT}tools/demo.ts`],
];

Deno.test({
  name:
    "demo --live draws the map, serves the zones, ends after --for, and restores the terminal",
  ...needs("script"),
  fn: async () => {
    const command = [Deno.execPath(), ...DEMO, "--live", "--for", "3s"]
      .map((word) => `'${word}'`).join(" ");
    await using session = new Running(requireTool("script"), [
      ...["--quiet", "--return", "--flush", "--command"],
      ...[`stty cols 80 rows 24; exec ${command}`, "/dev/null"],
    ], { env: { TERM: "xterm" } });
    const url = await until(() =>
      /http:\/\/[\d.:]+\//.exec(session.stdout)?.[0]
    );
    const campus = makeScene("campus", { seed: 1 }).areas();
    await until(async () => {
      const response = await fetch(`${url}api/v1/zone-states`);
      const { zones } = await response.json();
      assert.equal(zones.length, campus.length);
      // The robots are there from the first step on.
      return zones.some((zone: { zone: string; count: number }) =>
        zone.zone === "warehouse" && zone.count > 0
      );
    });
    const { code, stdout } = await session.ended();
    assert.equal(code, 0, stdout);
    const frames = stdout.split("\x1b[?2026l").length - 1;
    assert.ok(frames >= 5, `${frames} frames`);
    assert.match(stdout, /default {2,}75×27 · [\d,]+ cells/);
    assert.ok(stdout.includes("\x1b[?1049l"), "the main screen is restored");
  },
});

Deno.test({
  name: "demo reports wrong flags and a missing terminal",
  ...needs(),
  fn: async () => {
    const run = async (...args: string[]) => {
      await using running = new Running(Deno.execPath(), [...DEMO, ...args]);
      return await running.ended();
    };
    assertFailure(
      await run("--live"),
      2,
      /A live map needs a terminal/,
      /--live/,
    );
    assertFailure(
      await run("--for", "5s"),
      2,
      /--for needs --live/,
      /demo/,
    );
    assertFailure(await run("--life"), 2, /Unknown option '--life'/, /demo/);
    const { code, stdout } = await run();
    assert.equal(code, 0);
    assert.match(stdout, /5 cells · 5 occupied/);
  },
});
