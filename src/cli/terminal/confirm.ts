/**
 * Asks before something is deleted.
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { writeError } from "./output.ts";

/** The names in a question; more are counted. */
const MAX_NAMES = 10;

/**
 * Throws if a command that has to ask cannot.
 *
 * @param flags `yes`: it need not ask
 * @param before what it would ask before, such as `the deletion`
 * @throws {AppError} (usage) if stdin is no terminal
 */
export function assertCanAsk(
  { yes }: { readonly yes?: true },
  before = "the deletion",
): void {
  if (yes || Deno.stdin.isTerminal()) return;
  throw usageError(
    `Cannot ask before ${before}: stdin is not a terminal`,
    "Add --yes to delete without asking.",
  );
}

/**
 * Asks on stderr; the answer is a line of the terminal.
 *
 * @param question such as `Delete hall? [y/N] `, printable
 * @returns true for `y` and `yes`
 */
export function confirm(question: string): boolean {
  writeError(question);
  const line = new Uint8Array(1024);
  const length = Deno.stdin.readSync(line) ?? 0;
  const answer = new TextDecoder().decode(line.subarray(0, length));
  return /^y(es)?\s*$/i.test(answer);
}

/**
 * Joins names for a question: `a, b and 3 more layers`.
 *
 * @param names printable
 * @param more describes a number of further ones
 */
export function listOfNames(
  names: readonly string[],
  more: (count: number) => string,
): string {
  const named = names.slice(0, MAX_NAMES);
  const rest = names.length - named.length;
  if (rest > 0) named.push(more(rest));
  return named.length === 1
    ? named[0]!
    : `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
}
