/** Finds environment variables that look like settings and are none. */
import { type CommandEntry, loadSpecs, variableOf } from "./spec.ts";
import { didYouMean } from "./suggest.ts";

const PREFIX = "OCCUPANCY_";
/** Variables that are not settings of a command. */
const OTHER_VARIABLES = ["OCCUPANCY_DEBUG"];
/**
 * Kubernetes sets these in every container for a service named `occupancy`.
 */
const OF_KUBERNETES = /^OCCUPANCY_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)/;
/** Variables of the tests of this program. */
const OF_TESTS = /^OCCUPANCY_TEST_/;

/**
 * Warns of variables that no command reads, for example because the name is
 * mistyped.
 *
 * @param variables all variables of the environment, with their values
 * @param commands all commands
 * @returns a line for each, such as `OCCUPANCY_BROKR is not a setting. Did you
 * mean OCCUPANCY_BROKER?`
 */
export async function unknownVariables(
  variables: Readonly<Record<string, string>>,
  commands: readonly CommandEntry[],
): Promise<string[]> {
  const given = Object.entries(variables).filter(([name, value]) =>
    name.startsWith(PREFIX) && value !== "" && !OF_KUBERNETES.test(name) &&
    !OF_TESTS.test(name)
  ).map(([name]) => name);
  if (given.length === 0) return []; // usual: no need to load all tables
  const known = new Set(OTHER_VARIABLES);
  for (const { spec } of await loadSpecs(commands)) {
    for (const option of spec.options) {
      if (!option.flagOnly) known.add(variableOf(option));
    }
  }
  const unknown = given.filter((name) => !known.has(name)).sort();
  return unknown.map((name) => {
    const positive = name.replace(/^OCCUPANCY_NO_/, PREFIX);
    if (known.has(positive)) {
      return `${name} is not a setting. Did you mean ${positive}=false?`;
    }
    const bare = (name: string) => name.slice(PREFIX.length);
    const meant = didYouMean(bare(name), [...known].map(bare))
      .replace(/\b(?=[A-Z][A-Z_]+\b)/g, PREFIX);
    return `${name} is not a setting${meant && `. ${meant}`}`;
  });
}
