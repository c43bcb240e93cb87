/**
 * Finds the programs of other projects that a cluster on this machine runs.
 *
 * @module
 */
import { AppError } from "../../src/common/errors.ts";

/** Where Debian has programs that are not on every user's PATH. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
/** The programs, and Debian's package of each. */
const PACKAGES = {
  "redis-server": "redis-server",
  "redis-cli": "redis-tools",
  mosquitto: "mosquitto",
} as const;

/** A program of another project. */
export type Program = keyof typeof PACKAGES;

const PROGRAMS = Object.keys(PACKAGES) as readonly Program[];

/**
 * Returns the path of a program; undefined if it is not installed.
 *
 * @param name file name of the program
 */
export function findProgram(name: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return [...folders, ...SYSTEM_FOLDERS]
    .map((folder) => `${folder}/${name}`)
    .find(isFile);
}

/**
 * Returns the paths of programs.
 *
 * @param names default: all
 * @param find finds one of them; default: on this machine
 * @throws {AppError} if one is not installed; the hint has the command that
 * installs all that are missing
 */
export function findPrograms<P extends Program = Program>(
  names = PROGRAMS as readonly P[],
  find = findProgram,
): Record<P, string> {
  const missing = names.filter((name) => find(name) === undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((name) => PACKAGES[name]))];
    throw new AppError(
      "missing-program",
      `Cannot find ${missing.join(", ")}`,
      { hint: `Install with: sudo apt install ${packages.join(" ")}` },
    );
  }
  return Object.fromEntries(
    names.map((name) => [name, find(name)!]),
  ) as Record<P, string>;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
