/**
 * The arguments of `deno task test`: those of `deno test`, for both groups.
 *
 * @module
 */

/** Arguments of `deno test`, by what they are. */
export interface TestArguments {
  /** Test files and folders; empty: all. */
  readonly paths: readonly string[];
  /** Everything else, with the values of flags. */
  readonly flags: readonly string[];
}

/** Flags whose value may be the next argument. */
const WITH_VALUE = new Set([
  ...["--filter", "--reporter", "--junit-path", "--retry", "--repeats"],
  "--coverage-threshold",
  "--seed",
]);

/** Separates paths from flags. */
export function parseTestArguments(args: readonly string[]): TestArguments {
  const paths: string[] = [];
  const flags: string[] = [];
  let isValue = false;
  for (const arg of args) {
    if (isValue || arg.startsWith("-")) flags.push(arg);
    else paths.push(arg);
    isValue = !isValue && WITH_VALUE.has(arg);
  }
  return { paths, flags };
}

/**
 * Returns the flags of one group: a report in a file has the group in its name,
 * so that the second group does not replace the report of the first one.
 *
 * @param flags the flags of `deno test`
 * @param group the name of the group: `--junit-path=a.xml` becomes
 * `--junit-path=a.GROUP.xml`
 */
export function flagsOfGroup(
  flags: readonly string[],
  group: string,
): string[] {
  return flags.map((flag, i) => {
    if (flags[i - 1] === "--junit-path") return fileOfGroup(flag, group);
    const [name, path] = flag.split(/=(.*)/s);
    return name === "--junit-path" && path
      ? `${name}=${fileOfGroup(path, group)}`
      : flag;
  });
}

function fileOfGroup(path: string, group: string): string {
  if (path === "-") return path;
  return path.replace(/(\.[^./\\]*)?$/, (end) => `.${group}${end}`);
}
