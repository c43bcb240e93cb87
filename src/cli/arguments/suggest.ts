import { similarNames } from "../../common/similar.ts";

/**
 * Suggests existing names that are similar to a misspelt one.
 *
 * @param given the misspelt name; leading dashes are ignored
 * @param names the names that exist
 * @returns `Did you mean --broker?`, or an empty text if no name is similar
 */
export function didYouMean(given: string, names: readonly string[]): string {
  const similar = similarNames(given, names);
  const best = similar.filter(({ edits }) => edits === similar[0]!.edits)
    .slice(0, 3);
  if (best.length === 0) return "";
  return `Did you mean ${best.map(({ name }) => name).join(" or ")}?`;
}
