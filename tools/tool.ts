/**
 * Shared by all tools: the paths of the checkout, and the error and exit code
 * of a tool.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { AppError } from "../src/common/errors.ts";

/** The top of the checkout, with a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The folder of built files, with a slash at the end. */
export const DIST: string = `${ROOT}dist/`;

/** The bundle: the whole program in one JavaScript file. */
export const BUNDLE: string = `${DIST}occupancy.js`;

/** Code of the error of {@linkcode runTool} that ends with exit code 69. */
export const NO_BASE_RUNTIME = "no-base-runtime";

/**
 * Writes a file under a temporary name, then renames it: a failure leaves no
 * incomplete file.
 *
 * @param path the file; its folder must exist
 */
export async function writeAtomically(
  path: string,
  text: string,
): Promise<void> {
  const temporary = `${path}.part`;
  try {
    await Deno.writeTextFile(temporary, text);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/**
 * Runs a tool. Prints an {@linkcode AppError} with its hint to stderr and ends
 * the process.
 *
 * @param main the tool
 */
export async function runTool(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(error.message);
    if (error.hint !== undefined) console.error(`  hint: ${error.hint}`);
    Deno.exit(exitCodeOf(error));
  }
}

/**
 * Returns the exit code of a tool that failed.
 *
 * @returns 2 for wrong usage; 69 (EX_UNAVAILABLE of sysexits.h) if the machine
 * has no base runtime of Deno, which is not an error of the checkout; else 1
 */
export function exitCodeOf({ code, exitClass }: AppError): number {
  if (code === NO_BASE_RUNTIME) return 69;
  return exitClass === "usage" ? 2 : 1;
}
