/** The smoke test passes for the bundle and fails for other programs. */
import assert from "node:assert/strict";
import { AppError } from "../../src/common/errors.ts";
import { bundle } from "../../tools/bundle/bundle.ts";
import { PERMISSIONS } from "../../tools/compile/executable.ts";
import { smokeBundle } from "../../tools/smoke.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs, requireTool } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

/** The bundle, made once for all tests. */
let text: Promise<string> | undefined;
function bundled(): Promise<string> {
  return text ??= bundle({ root: ROOT, commit: "0123456789ab" });
}

Deno.test({
  name: "the bundle works in an empty folder, with an empty home and cache",
  ...needs(),
  fn: async () => {
    await using source = await tempDir();
    await using empty = await tempDir();
    const passed: string[] = [];
    await smokeBundle({
      bundle: await source.file("any-name.js", await bundled()),
      folder: empty.path,
      onPassed: (what) => passed.push(what),
    });
    assert.match(passed[0]!, /^occupancy \d+\.\d+\.\d+ \(0123456789ab\)$/);
    assert.equal(passed.length, 8);
  },
});

Deno.test({
  name: "smokeBundle() fails for another program",
  ...needs(),
  fn: async () => {
    await using source = await tempDir();
    const cases: [string, RegExp][] = [
      ['console.log("occupancy 99.0.0")', /Expected occupancy/],
      ["Deno.exit(7)", /ended with 7/],
      ['import "npm:ms@2.1.3"', /ended with 1/],
    ];
    for (const [code, message] of cases) {
      await using empty = await tempDir();
      await assert.rejects(
        smokeBundle({
          bundle: await source.file("other.js", code),
          folder: empty.path,
        }),
        (error: Error) =>
          error instanceof AppError && message.test(error.message),
      );
    }
  },
});

Deno.test({
  name: "the bundle prompts for no permission in a terminal",
  ...needs("script"),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("occupancy.js", await bundled());
    const server = [
      ...[Deno.execPath(), "run", "--quiet", "--cached-only"],
      ...[...PERMISSIONS, file, "server", "--listen", "127.0.0.1:0"],
    ].join(" ");
    // Without --store, so that the default file is used.
    await using terminal = new Running(
      requireTool("script"),
      ["-qfec", server, "/dev/null"],
      {
        cwd: folder.path,
        env: {
          HOME: folder.path,
          XDG_DATA_HOME: "",
          OCCUPANCY_STORE: "",
          DENO_DIR: `${folder.path}/deno`,
          TERM: "xterm",
          TMPDIR: folder.path,
        },
      },
    );
    await until(() => /Ready|occupancy\/data/.test(terminal.stdout), {
      what: () => `a server in a terminal: ${terminal.stdout}`,
    });
    assert.doesNotMatch(
      terminal.stdout,
      /Allow\?|requests .* access|permission/i,
    );
  },
});

Deno.test({
  name: "the bundle connects over WebSockets with MQTT 5",
  ...needs("mosquitto"),
  fn: async () => {
    await using folder = await tempDir();
    const port = freePort();
    await using _broker = await startMosquitto([
      `listener ${port} 127.0.0.1`,
      "protocol websockets",
    ]);
    const file = await folder.file("occupancy.js", await bundled());
    const start = (args: string[]) =>
      new Running(Deno.execPath(), [
        ...["run", "--quiet", "--no-npm", "--cached-only", ...PERMISSIONS],
        ...[file, ...args, "--broker", `ws://127.0.0.1:${port}`],
      ], { cwd: folder.path });
    await using server = start(["server"]);
    await server.waitFor(/Ready/);
    await using request = start(["request", "--json"]);
    const { code, stdout, stderr } = await request.ended();
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).cells, []);
  },
});
