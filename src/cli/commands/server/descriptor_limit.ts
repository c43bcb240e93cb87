/**
 * Finds how many file descriptors the process may have, and how many of them
 * connections may have.
 */

/** The shares of the file descriptors that connections may have. */
const SHARES = { HTTP: 1 / 2, MQTT: 3 / 8 };

/**
 * Returns the limit of file descriptors, which Deno raises at its start to the
 * hard limit (`ulimit -Hn`). Undefined if it is unknown: only Linux has it in a
 * file, which Deno lets a process read that has all permissions.
 */
export async function descriptorLimit(): Promise<number | undefined> {
  try {
    return parseLimit(await Deno.readTextFile("/proc/self/limits"));
  } catch {
    return undefined;
  }
}

/**
 * Returns the soft limit of open files; undefined if there is none.
 *
 * @param limits the content of `/proc/self/limits`
 */
export function parseLimit(limits: string): number | undefined {
  const text = /^Max open files +(\d+|unlimited) /m.exec(limits)?.[1];
  if (text === undefined) return undefined;
  return text === "unlimited" ? Infinity : Number(text);
}

/**
 * Returns the maximum number of connections: as set, but at most half of the
 * file descriptors for HTTP, and three eighths for the embedded broker. The
 * rest is for files.
 *
 * @param wanted the number that is set
 * @param descriptors their limit; undefined if it is unknown
 * @param warn called with a line for the log if it is less than wanted
 */
export function connectionBudget(
  kind: keyof typeof SHARES,
  wanted: number,
  descriptors: number | undefined,
  warn: (line: string) => void,
): number {
  const most = Math.max(
    1,
    Math.floor((descriptors ?? Infinity) * SHARES[kind]),
  );
  if (wanted <= most) return wanted;
  warn(
    `Only ${most} ${kind} connections instead of ${wanted}: the process may have ${descriptors} file descriptors. Raise the limit with ulimit -n`,
  );
  return most;
}
