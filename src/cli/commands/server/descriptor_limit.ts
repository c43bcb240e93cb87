/** Finds how many file descriptors the process may have. */

/** Where the limit cannot be read: the usual soft limit of Linux. */
const ASSUMED_DESCRIPTORS = 1024;

/**
 * Returns the limit of file descriptors (`ulimit -n`). Linux has it in a file,
 * which Deno lets a process read that has all permissions; elsewhere 1,024.
 */
export async function descriptorLimit(): Promise<number> {
  try {
    return parseLimit(await Deno.readTextFile("/proc/self/limits"));
  } catch {
    return ASSUMED_DESCRIPTORS;
  }
}

/**
 * Returns the soft limit of open files.
 *
 * @param limits the content of `/proc/self/limits`
 */
export function parseLimit(limits: string): number {
  const text = /^Max open files +(\d+|unlimited) /m.exec(limits)?.[1];
  if (text === undefined) return ASSUMED_DESCRIPTORS;
  return text === "unlimited" ? Infinity : Number(text);
}
