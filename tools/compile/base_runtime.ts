import { ToolError } from "../tool_error.ts";
import type { Target } from "./targets.ts";

/**
 * The exit code when there is no base runtime (EX_UNAVAILABLE of sysexits.h):
 * the machine lacks something, the checkout is not at fault.
 */
export const NO_BASE_RUNTIME = 69;

/** Where a base runtime comes from, besides Deno's own site. */
export interface BaseRuntimeOptions {
  /** DENORT_BIN, if it is set: a `denort` for this machine. */
  readonly denort: string | undefined;
  /** This machine's target. */
  readonly host: Target | undefined;
}

/**
 * Holds DENORT_BIN against what it is to be used for. Deno takes the file that
 * it names for every target, and would make a Linux program of it and call that
 * macOS's.
 *
 * @throws {ToolError} if it is not a file, or if it is set for another platform
 */
export async function checkBaseRuntime(
  target: Target,
  { denort, host }: BaseRuntimeOptions,
): Promise<void> {
  if (denort === undefined) return;
  if (target !== host) {
    throw new ToolError(
      `Cannot compile for ${target.label}: DENORT_BIN names a base runtime of this machine`,
      {
        hint:
          "Unset DENORT_BIN for --all, and let Deno download the base runtimes.",
      },
    );
  }
  const info = await Deno.stat(denort).catch(() => undefined);
  if (info?.isFile) return;
  throw new ToolError(`Cannot compile: DENORT_BIN=${denort} is not a file`, {
    exitCode: NO_BASE_RUNTIME,
    hint: `Set it to the denort of Deno ${Deno.version.deno}, or unset it.`,
  });
}

/**
 * What to say when `deno compile` has failed.
 *
 * @param said what it wrote to stderr
 */
export function compileFailure(target: Target, said: string): ToolError {
  const archive = `denort-${target.triple}.zip`;
  const wanted = new RegExp(
    `\\bhttps?://\\S*${archive.replaceAll(".", "\\.")}`,
  ).exec(said)?.[0];
  if (wanted === undefined) {
    return new ToolError(
      `Cannot compile for ${target.label}: deno compile failed\n${said.trim()}`,
    );
  }
  return new ToolError(
    `Cannot compile for ${target.label}: Deno's base runtime cannot be downloaded from ${wanted}`,
    {
      exitCode: NO_BASE_RUNTIME,
      hint:
        `Set DENORT_BIN to a denort of Deno ${Deno.version.deno} for this machine, or download that file where it can be, to dl/release/v${Deno.version.deno}/${archive} in DENO_DIR.`,
    },
  );
}
