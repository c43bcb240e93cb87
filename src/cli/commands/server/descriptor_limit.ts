/** Finds how many file descriptors the process, and of these HTTP, may have. */

/** The share of the file descriptors that HTTP may have. */
const HTTP_SHARE = 1 / 2;
/** That of connections to the embedded broker. */
const BROKER_SHARE = 3 / 8;

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
 * Returns the maximum number of HTTP connections: as set, but at most half of
 * the file descriptors. The rest is for MQTT clients and files.
 *
 * @param descriptors their limit; undefined if it is unknown
 * @param warn called with a line for the log if it is less than wanted
 */
export function connectionBudget(
  wanted: number,
  descriptors: number | undefined,
  warn: (line: string) => void,
): number {
  return budgetOf("HTTP", HTTP_SHARE, wanted, descriptors, warn);
}

/**
 * Returns the maximum number of connections to the embedded broker: as set, but
 * at most three eighths of the file descriptors. Parameters as of
 * {@linkcode connectionBudget}.
 */
export function brokerConnectionBudget(
  wanted: number,
  descriptors: number | undefined,
  warn: (line: string) => void,
): number {
  return budgetOf("MQTT", BROKER_SHARE, wanted, descriptors, warn);
}

function budgetOf(
  kind: string,
  share: number,
  wanted: number,
  descriptors: number | undefined,
  warn: (line: string) => void,
): number {
  const most = Math.max(1, Math.floor((descriptors ?? Infinity) * share));
  if (wanted <= most) return wanted;
  warn(
    `Only ${most} ${kind} connections instead of ${wanted}: the process may have ${descriptors} file descriptors. Raise the limit with ulimit -n`,
  );
  return most;
}
