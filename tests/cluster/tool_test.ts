/** `deno task cluster`, on a terminal. */
import assert from "node:assert/strict";
import { needs, requireTool } from "../support/needs.ts";
import { DENO_RUN, ROOT, Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const TOOL = [...DENO_RUN, "--allow-all", `${ROOT}tools/cluster.ts`];

Deno.test({
  name:
    "cluster shows who does what, ends after --seconds, restores the terminal, and leaves nothing behind",
  ...needs("redis-server", "mosquitto", "script"),
  fn: async () => {
    await using folder = await tempDir();
    const args = ["--rate", "2000", "--seconds", "8"];
    const command = [Deno.execPath(), ...TOOL, ...args]
      .map((word) => `'${word}'`).join(" ");
    await using session = new Running(requireTool("script"), [
      ...["--quiet", "--return", "--flush", "--command"],
      ...[`stty cols 100 rows 30; exec ${command}`, "/dev/null"],
    ], { env: { TERM: "xterm", TMPDIR: folder.path } });
    const url = await until(
      () => /http:\/\/[\d.:]+\//.exec(session.stdout)?.[0],
      { deadline: 60_000, what: () => session.stdout },
    );
    // All servers share the leases, and have the simulated cells.
    await until(async () => {
      const response = await fetch(`${url}api/v1/summary`);
      const { cells, store } = await response.json();
      return cells > 100 && store.shared.members.length === 3 &&
        store.shared.held.length > 0;
    });
    const { code, stdout } = await session.ended(60_000);
    assert.equal(code, 0, stdout);
    for (const part of ["server-3", "redis-6", "mosquitto-2", "replica of"]) {
      assert.ok(stdout.includes(part), part);
    }
    assert.ok(stdout.includes("\x1b[?1049l"), "the main screen is restored");
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
    await assert.rejects(fetch(url), "the servers have ended");
  },
});
