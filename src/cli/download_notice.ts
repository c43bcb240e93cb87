/**
 * Announces the first download of npm packages. Deno downloads a package when
 * it is first imported, and prints nothing with `--quiet`. Without this line,
 * the first command seems to hang.
 *
 * @module
 */
import { env } from "./env.ts";
import { info } from "./terminal/output.ts";

/** Defined by the bundler (tools/bundle/), and undefined in a checkout. */
declare const OCCUPANCY_COMMIT: string;

let isAnnounced = false;

/**
 * Prints a line to stderr if Deno's cache lacks one of the packages, once in a
 * process. Call it before the `import()` of a module that needs them. The
 * bundle and the executables contain their packages: nothing is printed.
 *
 * @param names names of packages, such as `mqtt`
 * @param flags with `quiet`, nothing is printed
 */
export function announceDownload(
  names: readonly string[],
  flags: { readonly quiet?: true } = {},
): void {
  if (typeof OCCUPANCY_COMMIT === "string" || isAnnounced) return;
  const cache = cacheFolder(Deno.build.os, env);
  if (cache === undefined || names.every((name) => isCached(cache, name))) {
    return;
  }
  isAnnounced = true;
  info(flags, "Downloading packages, once …");
}

/**
 * Finds the folder of Deno's cache, as Deno's documentation defines it.
 *
 * @param os the operating system, as in `Deno.build.os`
 * @param env reads an environment variable
 * @returns its path; undefined if the variables for it are not set
 */
export function cacheFolder(
  os: typeof Deno.build.os,
  env: (name: string) => string | undefined,
): string | undefined {
  const below = (variable: string, path: string) => {
    const folder = env(variable);
    return folder ? folder + path : undefined;
  };
  const set = below("DENO_DIR", "");
  if (set !== undefined) return set;
  if (os === "windows") return below("LOCALAPPDATA", "/deno");
  if (os === "darwin") return below("HOME", "/Library/Caches/deno");
  return below("XDG_CACHE_HOME", "/deno") ?? below("HOME", "/.cache/deno");
}

/** The cache has a folder for each registry. */
function isCached(cache: string, name: string): boolean {
  try {
    return [...Deno.readDirSync(`${cache}/npm`)].some((registry) =>
      exists(`${cache}/npm/${registry.name}/${name}`)
    );
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
