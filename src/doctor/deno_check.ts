import type { Check } from "./check.ts";
import { right, warning, wrong } from "./finding.ts";

/** The oldest Deno that occupancy runs on. */
const OLDEST = [2, 6] as const;
/** Descriptors that are enough for some hundreds of clients. */
const ENOUGH = 1024;

/** Whether this Deno is new enough. */
export const denoCheck: Check = {
  name: "deno",
  run: () => [judgeDeno(Deno.version.deno)],
};

/** Judges a version of Deno, as `2.9.6`. */
export function judgeDeno(version: string) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const old = major < OLDEST[0] || major === OLDEST[0] && minor < OLDEST[1];
  const data = { version };
  return old
    ? wrong(`Deno ${version} is too old`, {
      hint: `Use ${OLDEST.join(".")} or newer, such as npx deno@2.9.6.`,
      data,
    })
    : right(`Deno ${version}`, { data });
}

/**
 * Whether enough files can be open at once: each client of the embedded broker
 * takes one. It is tried, up to {@linkcode ENOUGH}.
 */
export const filesCheck: Check = {
  name: "files",
  run: () => {
    if (Deno.build.os === "windows") return []; // it has no such limit
    const count = openAtOnce("/dev/null", ENOUGH);
    if (count === undefined) return [];
    const data = { descriptors: count };
    return count < ENOUGH
      ? [
        warning(`Only ${count} more files can be open at once`, {
          hint:
            "Each client of the embedded broker takes one: raise it with ulimit -n 65536.",
          data,
        }),
      ]
      : [right(`${ENOUGH} files and more can be open at once`, { data })];
  },
};

/** How often a file can be open at once, at most so often; undefined if it cannot at all. */
function openAtOnce(path: string, most: number): number | undefined {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < most) files.push(Deno.openSync(path));
  } catch {
    if (files.length === 0) return undefined;
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}
