/**
 * The memory that this process may use.
 *
 * @module
 */
import process from "node:process";

/** Assumed if the memory cannot be read. */
const ASSUMED_BYTES = 1024 * 1024 * 1024;

/** How much memory a process may use. */
export interface MemoryLimit {
  readonly bytes: number;
  /** What limits it; `unknown` if it cannot be read, then 1 GiB is assumed. */
  readonly by: "machine" | "control group" | "unknown";
}

/**
 * Returns the memory that this process may use: the limit of its control group
 * (Linux, versions 1 and 2), or else that of the machine. Without the
 * permission `--allow-sys=systemMemoryInfo` it is unknown.
 */
export function memoryLimit(): MemoryLimit {
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "systemMemoryInfo",
  });
  // Without the permission Deno may ask the user for it.
  if (state !== "granted") return { bytes: ASSUMED_BYTES, by: "unknown" };
  const machine = Deno.systemMemoryInfo().total;
  // Without a limit: 0, undefined, or a number near 2^63.
  // Deno 2.6 does not have it.
  const group = process.constrainedMemory?.() ?? 0;
  return group > 0 && group < machine
    ? { bytes: group, by: "control group" }
    : { bytes: machine, by: "machine" };
}
