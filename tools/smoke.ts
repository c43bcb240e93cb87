/**
 * `deno task smoke [EXECUTABLE]`: runs the smoke test of an executable, or of
 * the bundle, in an empty folder with an empty home and nothing on the PATH.
 * The bundle runs with an empty cache, so that no package can be loaded.
 *
 * @module
 */
import { AppError } from "../src/common/errors.ts";
import { PERMISSIONS } from "./compile/executable.ts";
import { smoke } from "./smoke/smoke.ts";
import { BUNDLE, runTool } from "./tool.ts";

if (import.meta.main) await runTool(() => main(Deno.args));

async function main([executable]: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "occupancy-smoke-" });
  try {
    const onPassed = (what: string) => console.log(`ok  ${what}`);
    if (executable === undefined) {
      await smokeBundle({ bundle: BUNDLE, folder, onPassed });
    } else {
      const path = await Deno.realPath(executable).catch(() => {
        throw new AppError(
          "no-executable",
          `Cannot find the executable ${executable}`,
          { hint: "Make one in dist/: deno task compile" },
        );
      });
      await smoke({ command: [path], folder, onPassed });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Options of {@linkcode smokeBundle}. */
export interface SmokeBundleOptions {
  /** Path of the bundle, which is copied to the folder. */
  readonly bundle: string;
  /** An empty folder. */
  readonly folder: string;
  /** Path of Deno. Default: the running Deno. */
  readonly deno?: string;
  /** Called after each check that passed. */
  readonly onPassed?: (what: string) => void;
}

/**
 * Runs the smoke test of the bundle, with the permissions of an executable and
 * an empty cache.
 *
 * @throws {AppError} at the first check that fails
 */
export async function smokeBundle(options: SmokeBundleOptions): Promise<void> {
  const { bundle, folder, deno = Deno.execPath(), ...rest } = options;
  const copy = `${folder}/occupancy.js`;
  await Deno.copyFile(bundle, copy).catch(() => {
    throw new AppError("no-bundle", `Cannot find the bundle ${bundle}`, {
      hint: "Make it: deno task bundle",
    });
  });
  const command = [
    ...[deno, "run", "--quiet", "--no-remote", "--no-npm", "--cached-only"],
    ...PERMISSIONS,
    copy,
  ];
  const env = { DENO_DIR: `${folder}/deno` };
  await smoke({ command, folder, env, ...rest });
}
