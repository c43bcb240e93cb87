/** A closed pipe is not a failure. Output that cannot be written is one. */
import assert from "node:assert/strict";
import { assertFailure } from "../../support/assert_failure.ts";
import { needs, requireTool } from "../../support/needs.ts";
import {
  DENO_RUN,
  forEachAtOnce,
  ROOT,
  Running,
} from "../../support/processes.ts";
import { startSystem } from "../../support/system.ts";

/** Runs a command line in bash, with its output redirected. */
function piped(line: string, to: string): Running {
  const program =
    [Deno.execPath(), ...DENO_RUN].map((word) => `'${word}' `).join("") +
    `--allow-net --allow-read --allow-env '${ROOT}main.ts' ${line}`;
  return new Running(requireTool("bash"), [
    "-c",
    `${program} ${to}; exit \${PIPESTATUS[0]}`,
  ]);
}

Deno.test({
  name: "every command ends quietly when the reader closes the pipe",
  ...needs("bash"),
  fn: async () => {
    await using system = await startSystem("embedded");
    const broker = `--broker ${system.url}`;
    const lines = [
      "--help",
      "--version",
      "server --help",
      "config",
      "config --json",
      "man",
      ...["bash", "zsh", "fish"].map((shell) => `completions ${shell}`),
      "simulate --dry-run --count 100000",
      `doctor ${broker}`,
      `request ${broker} --json`,
      `client --quiet --file client1.json ${broker}`,
    ];
    await forEachAtOnce(lines, async (line) => {
      await using running = piped(line, "| true");
      const { code, stderr } = await running.ended();
      assert.deepEqual([code, stderr], [0, ""], line);
    });
  },
});

Deno.test({
  name: "a command whose output cannot be written exits with 1 and the reason",
  ...needs("bash"),
  ignore: needs("bash").ignore || Deno.build.os !== "linux",
  fn: async () => {
    for (const line of ["--help", "man", "config"]) {
      await using running = piped(line, "> /dev/full");
      const ended = await running.ended();
      assertFailure(ended, 1, /Cannot write the output: No space left/, /disk/);
    }
  },
});
