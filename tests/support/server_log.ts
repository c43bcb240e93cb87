import type { ServerLog } from "../../src/server/context.ts";

/**
 * Returns a log that passes on all lines, also those that a real one limits.
 *
 * @param add receives each line; default: drops it
 */
export function serverLog(add: (line: string) => void = () => {}): ServerLog {
  const limited: ServerLog["warnLimited"] = (_kind, line) =>
    add(typeof line === "string" ? line : line());
  return { info: add, warn: add, infoLimited: limited, warnLimited: limited };
}
