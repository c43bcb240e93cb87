/**
 * Runs the launcher with a stand-in for Deno that prints its arguments.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ROOT, Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

/** The home folder of the user; it does not exist. */
export const HOME = "/occupancy-test/ann";

/**
 * Returns the arguments of Deno.
 *
 * @param words the command line
 * @param options additional environment variables
 */
export async function launched(
  words: readonly string[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string[]> {
  await using bin = await tempDir();
  await bin.file(
    "deno",
    `#!/bin/sh\nprintf '%s\\n' "$@" "$DENO_NO_UPDATE_CHECK"`,
  );
  await Deno.chmod(`${bin.path}/deno`, 0o755);
  await using launcher = new Running("/bin/sh", [
    `${ROOT}occupancy`,
    ...words,
  ], {
    env: {
      PATH: `${bin.path}:${Deno.env.get("PATH")}`,
      HOME,
      XDG_DATA_HOME: "",
      XDG_CACHE_HOME: "",
      DENO_DIR: "",
      TMPDIR: "",
      OCCUPANCY_STORE: "",
      OCCUPANCY_HTTP: "",
      ...env,
    },
  });
  const { code, stdout, stderr } = await launcher.ended();
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.pop(), "1", "no check for updates");
  return lines;
}
