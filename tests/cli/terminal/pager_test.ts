/** Long output in a terminal goes to a pager. */
import assert from "node:assert/strict";
import { pagerWords, withHeaders } from "../../../src/cli/terminal/pager.ts";
import { needs } from "../../support/needs.ts";
import { encodePublish } from "../../support/packets.ts";
import { RawConnection } from "../../support/raw_connection.ts";
import { startSystem } from "../../support/system.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { ours, TerminalSession } from "../terminal_session.ts";

const CELLS = 1200;
const SIZE = { columns: 60, rows: 20 };
const OPTIONS = { ...SIZE, permissions: ["--allow-run"] };

Deno.test({
  name: "pagerWords() splits a command, and returns undefined for no pager",
  permissions: "none",
  fn: () => {
    assert.deepEqual(pagerWords("less -S"), ["less", "-S"]);
    assert.deepEqual(pagerWords(`'/my bin/p' "a b"`), ["/my bin/p", "a b"]);
    for (const none of ["", "  ", "cat"]) {
      assert.equal(pagerWords(none), undefined);
    }
  },
});

Deno.test({
  name: "withHeaders() starts each screen with the titles of the columns",
  permissions: "none",
  fn: () => {
    const size = { width: 9, height: 4 };
    assert.equal(
      withHeaders("summary\ntitles\n1\n2\n3\n4\n5\n", 2, size),
      "summary\ntitles\n1\n2\ntitles\n3\n4\n5\n",
    );
    // The summary takes two rows of a narrow screen.
    assert.equal(
      withHeaders("\x1b[1mlong\x1b[0m summary\ntitles\n1\n2\n3\n", 2, size),
      "\x1b[1mlong\x1b[0m summary\ntitles\n1\ntitles\n2\n3\n",
    );
    assert.equal(
      withHeaders("summary\ntitles\n1\n", 2, size),
      "summary\ntitles\n1\n",
    );
  },
});

/** A system with more cells than a terminal has lines. */
async function startFullSystem() {
  const system = await startSystem("embedded");
  await using client = await RawConnection.open(system.port, "filler");
  const rows = Array.from({ length: CELLS }, (_, i) => `${i},7,1`);
  await client.write(
    encodePublish("occupancy/data", rows.join("\n"), { qos: 1, id: 1 }),
  );
  await until(() => system.map.size === CELLS);
  return system;
}

Deno.test({
  name: "request in a terminal shows a long table in $PAGER, with all cells",
  ...needs("script"),
  fn: async () => {
    await using system = await startFullSystem();
    await using folder = await tempDir();
    const pager = await folder.file(
      "pager",
      `#!/bin/sh\ncat > "$1"\necho "LESS=$LESS" >> "$1"\n`,
    );
    await Deno.chmod(pager, 0o755);
    const run = async (env: Record<string, string>, ...flags: string[]) => {
      await using session = new TerminalSession(
        ["request", "--broker", system.url, ...flags],
        { ...OPTIONS, env },
      );
      assert.equal(await session.ended(), 0, session.output);
      return session.output;
    };
    const env = { PAGER: `${pager} "${folder.path}/out"`, LESS: "" };
    const readPaged = async () => {
      const text = await Deno.readTextFile(`${folder.path}/out`);
      await Deno.remove(`${folder.path}/out`);
      return text;
    };

    assert.equal(await run(env), "");
    const paged = await readPaged();
    assert.match(paged, /1200 cells/);
    assert.match(paged, /1199 +7 +1 +occupied/);
    assert.doesNotMatch(paged, /more\. Use/);
    // A pager that is not less gets the titles on each screen of 19 lines.
    const lines = paged.split("\n");
    for (const at of [1, 19, 38, 57]) assert.match(lines[at]!, /x +y +value/);

    const direct = /^\S*default.*1200 cells[^]*… and 200 more/;
    assert.match(await run(env, "--no-pager"), direct);
    assert.match(await run({ ...env, OCCUPANCY_PAGER: "false" }), direct);
    assert.match(await run({ PAGER: "cat" }), direct);
    assert.match(await run({ PAGER: "no-such-program" }), /1200 cells/);
    assert.match(await run({ ...env, TERM: "dumb" }), direct);
    assert.match(await run(env, "--at", "3,7"), /1 cell/, "it fits");
    assert.match(await run(env, "--map"), /1,200 cells/);
    await assert.rejects(readPaged(), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "request shows a long table in less: q ends it, Ctrl-C does not",
  ...needs("script", "less"),
  fn: async () => {
    await using system = await startFullSystem();
    await using session = new TerminalSession(
      ["request", "--broker", system.url],
      { ...OPTIONS, env: { PAGER: "less", LESS: "FRX" } },
    );
    await session.shows(/1200 cells/);
    await session.shows(/\n:/);
    assert.doesNotMatch(session.output, /\b100 +7 /);
    await session.type("\x03");
    // deno-lint-ignore no-control-regex
    await session.shows(/\x07/); // less has handled it
    await session.type("G");
    await session.shows(/1199 +7 /);
    await session.type("q");
    assert.equal(await session.ended(), 0, session.output);
  },
});

Deno.test({
  name: "SIGTERM ends request and its pager, which restores the terminal",
  ...needs("script", "less"),
  fn: async () => {
    await using system = await startFullSystem();
    // A shell in between, so that the process is not the session's leader.
    const line = ours(["request", "--broker", system.url], "--allow-run");
    await using session = new TerminalSession(`${line} & wait $!`, {
      ...SIZE,
      env: { PAGER: "less", LESS: "" },
    });
    await session.shows(/1200 cells[^]*:/);
    const pager = session.pid;
    const parent = Number(
      /PPid:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/${pager}/status`))![1],
    );
    Deno.kill(parent, "SIGTERM");
    assert.equal(await session.ended(), 143);
    await assert.rejects(Deno.stat(`/proc/${pager}`), Deno.errors.NotFound);
  },
});
