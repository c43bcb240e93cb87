import { ToolError } from "../tool_error.ts";
import { compileFailure } from "./base_runtime.ts";
import { PERMISSIONS } from "./permissions.ts";
import { executableName, type Target } from "./targets.ts";

/** What to compile. */
export interface CompileOptions {
  /** The bundle. */
  readonly bundle: string;
  /** The folder that the executable goes to. */
  readonly folder: string;
  readonly version: string;
  /** This machine's target. */
  readonly host: Target | undefined;
  /** Default: the Deno that runs this. */
  readonly deno?: string;
}

/**
 * Makes the executable for a target, whole or not at all: it gets its name only
 * when it is done and, where this machine can run it, has told its version.
 *
 * @returns the name of the file
 * @throws {ToolError} if it cannot be made
 */
export async function compile(
  target: Target,
  options: CompileOptions,
): Promise<string> {
  const { bundle, folder, version, host } = options;
  const name = executableName(version, target);
  // Deno adds .exe for Windows where it is missing.
  const temporary = `${folder}/part-${name}`;
  try {
    const made = await run(options.deno ?? Deno.execPath(), [
      "compile",
      "--quiet",
      "--no-config",
      "--no-lock",
      "--no-check",
      // The bundle stands alone: what it would still fetch is a fault.
      "--no-remote",
      "--no-npm",
      ...PERMISSIONS,
      "--target",
      target.triple,
      "--output",
      temporary,
      bundle,
    ]);
    if (!made.success) throw compileFailure(target, made.stderr);
    if (target === host) await checkVersion(temporary, version);
    await Deno.rename(temporary, `${folder}/${name}`);
    return name;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** A `denort` that is none (a whole deno, say) makes a file that runs, but not ours. */
async function checkVersion(path: string, version: string): Promise<void> {
  const { success, stdout, stderr } = await run(path, ["--version"]);
  if (success && stdout.startsWith(`occupancy ${version}`)) return;
  throw new ToolError(
    `Cannot use what was compiled: --version says ${
      JSON.stringify((stdout + stderr).split("\n")[0])
    }`,
    {
      hint:
        `If DENORT_BIN is set: is it the denort of Deno ${Deno.version.deno}, and not deno itself?`,
    },
  );
}

interface Result {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: string[]): Promise<Result> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, stdout: text(stdout), stderr: text(stderr) };
}
