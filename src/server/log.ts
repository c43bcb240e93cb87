/**
 * The log of a server.
 *
 * @module
 */
import type { Line } from "../common/line_limiter.ts";

/** The log of a server. */
export interface ServerLog {
  info(line: string): void;
  warn(line: string): void;
  /**
   * Logs a warning that any client can cause: at most one line a kind and
   * minute; further ones are counted.
   *
   * @param kind a constant in kebab case
   */
  warnLimited(kind: string, line: Line): void;
  /** The same for information. */
  infoLimited(kind: string, line: Line): void;
}
