/** `deno task cluster`, on a terminal. */
import assert from "node:assert/strict";
import { TerminalSession } from "../cli/terminal_session.ts";
import { needs } from "../support/needs.ts";
import { DENO_RUN, ROOT } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const TOOL = [...DENO_RUN, "--allow-all", `${ROOT}tools/cluster.ts`];

Deno.test({
  name:
    "cluster shows who does what, ends with q, restores the terminal, and leaves nothing behind",
  ...needs("redis-server", "redis-cli", "mosquitto", "script"),
  fn: async () => {
    await using folder = await tempDir();
    const command = [Deno.execPath(), ...TOOL, "--rate", "2000"]
      .map((word) => `'${word}'`).join(" ");
    await using session = new TerminalSession(`exec ${command}`, {
      ...{ columns: 100, rows: 30 },
      env: { TERM: "xterm", TMPDIR: folder.path },
    });
    const url = await until(
      () => /http:\/\/[\d.:]+\//.exec(session.output)?.[0],
      { deadline: 60_000, what: () => session.output },
    );
    // All servers share the leases, and have the simulated cells.
    await until(async () => {
      const response = await fetch(`${url}api/v1/summary`);
      const { cells, store } = await response.json();
      return cells > 100 && store.shared.members.length === 3 &&
        store.shared.held.length > 0;
    });
    for (const part of ["server-3", "redis-6", "mosquitto-2", "replica of"]) {
      await until(() => session.output.includes(part), { what: part });
    }
    await session.type("q");
    assert.equal(await session.ended(), 0, session.output);
    assert.ok(
      session.output.includes("\x1b[?1049l"),
      "the main screen is restored",
    );
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
    await assert.rejects(fetch(url), "the servers have ended");
  },
});
