/**
 * Compiles the bundle into an executable.
 *
 * @module
 */
import { AppError } from "../../src/common/errors.ts";
import { compileFailure } from "./base_runtime.ts";
import { executableName, PERMISSIONS, type Target } from "./executable.ts";

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Path of the bundle. */
  readonly bundle: string;
  /** Folder of the executable. */
  readonly folder: string;
  readonly version: string;
  /** The target of this machine. */
  readonly host: Target | undefined;
  /** Path of Deno. Default: the running Deno. */
  readonly deno?: string;
}

/**
 * Makes the executable for a target. The file is renamed to its final name
 * only when it is complete. If this machine can run it, `--version` must first
 * print the right version.
 *
 * @returns the name of the file
 * @throws {AppError} if it cannot be made
 */
export async function compile(
  target: Target,
  options: CompileOptions,
): Promise<string> {
  const { bundle, folder, version, host } = options;
  const name = executableName(version, target);
  // Deno appends .exe for Windows if it is missing.
  const temporary = `${folder}/part-${name}`;
  try {
    const compiled = await run(options.deno ?? Deno.execPath(), [
      "compile",
      "--quiet",
      "--no-config",
      "--no-lock",
      "--no-check",
      // The bundle is complete: a download would be an error.
      "--no-remote",
      "--no-npm",
      ...PERMISSIONS,
      "--target",
      target.triple,
      "--output",
      temporary,
      bundle,
    ]);
    if (!compiled.success) throw compileFailure(target, compiled.stderr);
    if (target === host) await checkVersion(temporary, version);
    await Deno.rename(temporary, `${folder}/${name}`);
    return name;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** With a wrong base runtime, such as `deno`, the file runs as `deno`. */
async function checkVersion(path: string, version: string): Promise<void> {
  const { success, stdout, stderr } = await run(path, ["--version"]);
  if (success && stdout.startsWith(`occupancy ${version}`)) return;
  const line = JSON.stringify((stdout + stderr).split("\n")[0]);
  throw new AppError(
    "wrong-base-runtime",
    `Cannot use the compiled file: --version prints ${line}`,
    {
      hint:
        `If DENORT_BIN is set, set it to the denort of Deno ${Deno.version.deno}, not to deno.`,
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
