/** The permissions of tasks, executables and the launcher for Windows. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { PERMISSIONS } from "../../tools/compile/executable.ts";
import { launched } from "../cli/launched.ts";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";

Deno.test({
  name: "tasks, executable and launchers read the same environment variables",
  ...needs("sh"),
  fn: async () => {
    const variables = PERMISSIONS.find((one) =>
      one.startsWith("--allow-env=")
    )!;
    const launcher = await launched(["server"]);
    assert.ok(launcher.includes(variables), launcher.join(" "));
    const batch = await readBatch();
    assert.ok(batch.includes(`set variables=${variables.split("=")[1]}`));
    assert.match(batch, /--allow-env=%variables% --ignore-env/);
    assert.match(batch, /^set DENO_NO_UPDATE_CHECK=1$/m);
    for (const name of ["server", "client", "request", "demo"] as const) {
      const { command } = manifest.tasks[name];
      assert.ok(command.includes(` ${variables} --ignore-env `), name);
    }
  },
});

Deno.test({
  name: "tasks and executable give only the listed kinds",
  permissions: "none",
  fn: () => {
    const kinds = (command: string) =>
      [...command.matchAll(
        /--(?:allow|deny|ignore|no)-[a-z=,]+(?:MemoryInfo)?|-A\b/g,
      )].flat();
    const run = ["--no-prompt", "--no-remote"];
    const env = ["--allow-env=", "--ignore-env"];
    const expected = {
      server: [
        ...[...run, "--allow-net", "--allow-read", "--allow-write", ...env],
        "--allow-sys=systemMemoryInfo",
      ],
      client: [
        ...[...run, "--allow-net", "--allow-read", ...env],
        "--allow-run=tail,less",
      ],
      request: [
        ...[...run, "--allow-net", "--allow-read", ...env],
        "--allow-run=tail,less",
      ],
      demo: [...run, "--allow-net=", "--allow-read", ...env],
    };
    for (const [name, list] of Object.entries(expected)) {
      const { command } = manifest.tasks[name as keyof typeof expected];
      assert.deepEqual(kinds(command), list, name);
      assert.match(command, /^DENO_NO_UPDATE_CHECK=1 deno run /, name);
    }
    assert.deepEqual(PERMISSIONS.map((one) => one.split("=")[0]), [
      ...["--no-prompt", "--allow-net", "--allow-read", "--allow-write"],
      ...["--allow-env", "--ignore-env", "--allow-run", "--allow-sys"],
    ]);
  },
});

Deno.test({
  name: "occupancy.cmd gives each command only the kinds that it needs",
  ...needs(),
  fn: async () => {
    const batch = await readBatch();
    const pager = "--allow-run=less,more.com";
    const lines = batch.split("\n").filter((line) => /extra=/.test(line));
    assert.deepEqual(lines, [
      `set extra=--allow-net ${pager}`,
      'for %%c in (server doctor store) do if "%~1"=="%%c" set extra=--allow-net --allow-write --allow-sys=systemMemoryInfo',
      `for %%c in (users zones history) do if "%~1"=="%%c" set extra=--allow-net --allow-write ${pager}`,
      'for %%c in (completions man) do if "%~1"=="%%c" set extra=',
      `if "%~1"=="config" set extra=${pager}`,
    ]);
  },
});

async function readBatch(): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}occupancy.cmd`);
  return text.replaceAll("\r\n", "\n");
}
