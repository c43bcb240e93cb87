/**
 * How topic filters relate to topics and to each other (MQTT 3.1.1 and MQTT 5,
 * 4.7).
 *
 * @module
 */
import { isLongerThan } from "../../common/bytes.ts";

/** A topic or filter as its levels. */
export type Levels = readonly string[];

/** MQTT writes the length of a string in two bytes (1.5.3). */
const MAX_FILTER_BYTES = 65_535;

/**
 * Returns what is wrong with a topic filter (4.7.1, 4.7.3); undefined if it is
 * valid.
 *
 * @param filter any text
 */
export function filterProblem(filter: string): string | undefined {
  if (filter === "") return "is empty";
  if (filter.includes("\0")) return "has a NUL character";
  if (!filter.isWellFormed()) return "has half of a surrogate pair";
  if (isLongerThan(filter, MAX_FILTER_BYTES)) {
    return `is over ${MAX_FILTER_BYTES} bytes`;
  }
  const levels = filter.split("/");
  const last = levels.length - 1;
  for (const [index, level] of levels.entries()) {
    if (level === "#" && index < last) return "continues after #";
    if (level.length > 1 && /[+#]/.test(level)) {
      return `has a wildcard beside other characters in the level ${level}`;
    }
  }
  return undefined;
}

/**
 * Returns true if a filter matches a topic, or every topic that another filter
 * matches. A wildcard at the first level does not match topics that begin with
 * `$` (4.7.2).
 *
 * @param wide a valid filter
 * @param narrow a valid topic or filter
 */
export function covers(wide: Levels, narrow: Levels): boolean {
  if (isWildcard(wide[0]) && narrow[0]!.startsWith("$")) return false;
  for (let i = 0;; i++) {
    const a = wide[i];
    const b = narrow[i];
    if (a === "#") return true; // its parent level too (4.7.1.2)
    if (a === undefined || b === undefined) return a === b;
    if (b === "#" || (a !== "+" && a !== b)) return false;
  }
}

/**
 * Returns true if there is a topic that two filters match.
 *
 * @param one a valid topic or filter
 * @param other a valid topic or filter
 */
export function overlaps(one: Levels, other: Levels): boolean {
  if (isWildcard(one[0]) && other[0]!.startsWith("$")) return false;
  if (isWildcard(other[0]) && one[0]!.startsWith("$")) return false;
  for (let i = 0;; i++) {
    const a = one[i];
    const b = other[i];
    if (a === "#" || b === "#") return true;
    if (a === undefined || b === undefined) return a === b;
    if (a !== b && a !== "+" && b !== "+") return false;
  }
}

function isWildcard(level: string | undefined): boolean {
  return level === "+" || level === "#";
}
