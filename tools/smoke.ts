/**
 * `deno task smoke [EXECUTABLE]`: does it work in an empty folder, with an empty
 * home and nothing on the PATH? Without an executable: the bundle, with an empty
 * cache, so that nothing can be loaded from npm.
 *
 * @module
 */
import { PERMISSIONS } from "./compile/permissions.ts";
import { BUNDLE } from "./places.ts";
import { smoke } from "./smoke/smoke.ts";
import { runTool, ToolError } from "./tool_error.ts";

if (import.meta.main) await runTool(() => main(Deno.args));

async function main([executable]: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "occupancy-smoke-" });
  try {
    const passed = (what: string) => console.log(`ok  ${what}`);
    if (executable === undefined) {
      await smokeBundle({ bundle: BUNDLE, folder, passed });
    } else {
      const command = [
        await Deno.realPath(executable).catch(() => {
          throw new ToolError(`There is no ${executable}`, {
            hint: "deno task compile makes executables, in dist/.",
          });
        }),
      ];
      await smoke({ command, folder, passed });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What of the bundle is tried, and where. */
export interface SmokeBundleOptions {
  /** The path of the bundle; it is copied, nothing beside it is. */
  readonly bundle: string;
  /** An empty folder. */
  readonly folder: string;
  /** Default: the Deno that runs this. */
  readonly deno?: string;
  /** Told what has been checked. */
  readonly passed?: (what: string) => void;
}

/**
 * The smoke test of the bundle: with the permissions of an executable, an empty
 * cache and nowhere to load from.
 *
 * @throws {ToolError} at the first thing that is not as it should be
 */
export async function smokeBundle(options: SmokeBundleOptions): Promise<void> {
  const { bundle, folder, deno = Deno.execPath(), ...rest } = options;
  const copy = `${folder}/occupancy.js`;
  await Deno.copyFile(bundle, copy).catch(() => {
    throw new ToolError(`There is no ${bundle}`, {
      hint: "deno task bundle makes it.",
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
