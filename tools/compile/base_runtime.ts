/**
 * The base runtime (`denort`), a Deno without tools, which `deno compile`
 * downloads and puts the bundle into.
 *
 * @module
 */
import { AppError } from "../../src/common/errors.ts";
import { NO_BASE_RUNTIME } from "../tool.ts";
import type { Target } from "./executable.ts";

/** Options of {@linkcode checkBaseRuntime}. */
export interface BaseRuntimeOptions {
  /** The value of DENORT_BIN: a `denort` for this machine. */
  readonly denort: string | undefined;
  /** The target of this machine. */
  readonly host: Target | undefined;
}

/**
 * Checks that DENORT_BIN fits the target. Deno uses this file for every target:
 * on Linux it would make a Linux executable with the name of the one for macOS.
 *
 * @throws {AppError} if it is not a file, or if it is set for another platform
 */
export async function checkBaseRuntime(
  target: Target,
  { denort, host }: BaseRuntimeOptions,
): Promise<void> {
  if (denort === undefined) return;
  if (target !== host) {
    throw new AppError(
      "foreign-base-runtime",
      `Cannot compile for ${target.label}: DENORT_BIN is a base runtime for this machine`,
      {
        hint:
          "Unset DENORT_BIN, so that Deno downloads the base runtime of each platform.",
      },
    );
  }
  const info = await Deno.stat(denort).catch(() => undefined);
  if (info?.isFile) return;
  throw new AppError(
    NO_BASE_RUNTIME,
    `Cannot compile: DENORT_BIN=${denort} is not a file`,
    { hint: `Set it to the denort of Deno ${Deno.version.deno}, or unset it.` },
  );
}

/**
 * Describes why `deno compile` failed.
 *
 * @param stderr its error output
 */
export function compileFailure(target: Target, stderr: string): AppError {
  const archive = `denort-${target.triple}.zip`;
  const address = new RegExp(
    `\\bhttps?://\\S*${archive.replaceAll(".", "\\.")}`,
  ).exec(stderr)?.[0];
  if (address === undefined) {
    return new AppError(
      "compile-failed",
      `Cannot compile for ${target.label}: deno compile failed\n${stderr.trim()}`,
    );
  }
  return new AppError(
    NO_BASE_RUNTIME,
    `Cannot compile for ${target.label}: Deno's base runtime cannot be downloaded from ${address}`,
    {
      hint:
        `Set DENORT_BIN to a denort of Deno ${Deno.version.deno} for this machine, or copy that file to dl/release/v${Deno.version.deno}/${archive} in DENO_DIR.`,
    },
  );
}
