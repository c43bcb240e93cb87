import type { Check } from "./check.ts";
import { finding } from "./finding.ts";

/** Open files that a few hundred clients need. */
const MIN_OPEN_FILES = 1024;

/**
 * Checks how many files can be open at once: each client of the embedded broker
 * needs one. Opens up to {@linkcode MIN_OPEN_FILES}.
 */
export const filesCheck: Check = {
  name: "files",
  run: () => {
    if (Deno.build.os === "windows") return []; // has no such limit
    const count = countOpenFiles("/dev/null", MIN_OPEN_FILES);
    if (count === undefined) return [];
    const data = { descriptors: count };
    if (count >= MIN_OPEN_FILES) {
      return [finding("ok", `${count} more files can be opened`, { data })];
    }
    return [
      finding("warning", `Only ${count} more files can be opened`, {
        hint:
          "Each client of the embedded broker needs one. Raise the limit with ulimit -n 65536.",
        data,
      }),
    ];
  },
};

/** Opens a file up to `max` times; undefined if it cannot be opened at all. */
function countOpenFiles(path: string, max: number): number | undefined {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < max) files.push(Deno.openSync(path));
  } catch {
    if (files.length === 0) return undefined;
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}
