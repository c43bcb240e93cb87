/**
 * Counts with nouns, for messages to people.
 *
 * @module
 */

/** Returns a count with its noun: `1 cell`, `2 cells`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
