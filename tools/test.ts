/**
 * `deno task test`: runs all tests in two groups. Most tests wait for processes
 * most of their time, so several of these files run at the same time; those in
 * `tools/test/alone.ts` run after them, one file after the other.
 *
 * The arguments are those of `deno test`. DENO_JOBS is the number of files that
 * run at the same time.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { AppError } from "../src/common/errors.ts";
import { isAlone, isFirst } from "./test/alone.ts";
import { flagsOfGroup, parseTestArguments } from "./test/arguments.ts";
import {
  NO_END,
  readResult,
  type RunResult,
  summaryLine,
} from "./test/summary.ts";
import { ROOT, runTool } from "./tool.ts";

/** The folder of all tests. */
const ALL = "tests";

/** Files that can run again; more have another reason than the load. */
const MAX_AGAIN_FILES = 8;

/** With these flags, `deno test` prints no summary. */
const OTHER_REPORT = /^--(?:no-run|reporter)\b/;

/** One run of `deno test`. */
interface Group {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Arguments of `deno test`: which files, and how. */
  readonly args: readonly string[];
}

if (import.meta.main) {
  await runTool(async () => {
    Deno.exitCode = await main(Deno.args);
  });
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const { paths, flags } = parseTestArguments(args);
  const began = performance.now();
  const results: RunResult[] = [];
  let code = 0;
  const isFast = flags.some((flag) => /^--fail-fast\b/.test(flag));
  for (const { name, title, args } of groupsOf(paths)) {
    console.log(`== ${title}`);
    const run = await runTests([...args, ...flagsOfGroup(flags, name)]);
    const files = filesOf(run.result.failures);
    if (name === "parallel" && !isFast && files !== undefined) {
      // Others may have taken the time that they need.
      console.log(`== failed beside others, again alone: ${files.join(" ")}`);
      const again = await runTests([...files, ...flagsOfGroup(flags, "again")]);
      results.push(withoutFailures(run.result, again.result));
      code ||= again.code;
    } else {
      results.push(run.result);
      code ||= run.code;
    }
    if (code !== 0 && isFast) break;
  }
  const failures = results.flatMap(({ failures }) => failures);
  if (results.some(({ hasSummary }) => !hasSummary)) {
    // The report has another form, or there is none.
    if (code === 0 && flags.some((flag) => OTHER_REPORT.test(flag))) return 0;
    failures.push(NO_END);
    code ||= 1;
  }
  if (failures.length > 0) console.log(`\nFailed:\n${failures.join("\n")}\n`);
  console.log(summaryLine(results, code === 0, performance.now() - began));
  return code;
}

/**
 * Returns the files of failures, if they can run again.
 *
 * @param failures as `deno test` lists them: `name => ./file:line:column`
 */
function filesOf(failures: readonly string[]): string[] | undefined {
  const files = new Set<string>();
  for (const failure of failures) {
    const file = / => (?:\.\/)?(\S+_test\.ts):\d+:\d+$/.exec(failure)?.[1];
    if (file === undefined) return undefined; // an error of a whole file
    files.add(file);
  }
  const { size } = files;
  return size > 0 && size <= MAX_AGAIN_FILES ? [...files] : undefined;
}

/** The result of a run whose failed files ran again. */
function withoutFailures(first: RunResult, again: RunResult): RunResult {
  return {
    ...first,
    // Tests of these files that passed before are in both.
    passed: first.passed + first.failed - again.failed,
    failed: again.failed,
    failures: again.failures,
    hasSummary: first.hasSummary && again.hasSummary,
  };
}

/**
 * Returns the groups that have files.
 *
 * @param paths files and folders of tests; empty: all
 */
function groupsOf(paths: readonly string[]): Group[] {
  const given = paths.length === 0 ? [ALL] : paths;
  const files = [...new Set(testFilesIn(given))];
  const alone = files.filter(isAlone);
  // Files only: with files and folders, `deno test` does not heed --ignore.
  const parallel = files.filter((file) => !isAlone(file));
  parallel.sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  const groups: Group[] = [];
  if (parallel.length > 0) {
    groups.push({
      name: "parallel",
      title: `tests that run ${jobs()} files at the same time`,
      args: ["--parallel", ...parallel],
    });
  }
  if (alone.length > 0) {
    groups.push({
      name: "alone",
      title: "tests that run alone (tools/test/alone.ts has the reasons)",
      args: alone,
    });
  }
  if (groups.length === 0) throw noTestFile(`tests in ${paths.join(" ")}`);
  return groups;
}

/** Returns the test files of files and folders, from the top of the checkout. */
function testFilesIn(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const file = relative(ROOT, resolve(ROOT, path)).replaceAll("\\", "/");
    if (!isFolder(file)) return [file];
    const names = [...Deno.readDirSync(ROOT + file)]
      .filter(({ name, isDirectory }) =>
        isDirectory || name.endsWith("_test.ts")
      )
      .map(({ name }) => `${file}/${name}`);
    return testFilesIn(names.sort());
  });
}

/** @throws {AppError} if there is no file or folder of this name */
function isFolder(file: string): boolean {
  try {
    return Deno.statSync(ROOT + file).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw noTestFile(file);
  }
}

function noTestFile(what: string): AppError {
  return new AppError("no-test-file", `Cannot find ${what}`, {
    exitClass: "usage",
    hint: "Give files or folders of tests, or none for all tests.",
  });
}

/** More would wait for the processors, and miss their deadlines. */
function jobs(): string {
  return Deno.env.get("DENO_JOBS") ?? `${navigator.hardwareConcurrency}`;
}

/** Runs `deno test` and shows its output as it comes. */
async function runTests(
  args: readonly string[],
): Promise<{ code: number; result: RunResult }> {
  const isColored = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--lock", "--frozen", "--quiet", "--allow-all", ...args],
    cwd: ROOT,
    env: { DENO_JOBS: jobs(), ...(isColored && { FORCE_COLOR: "1" }) },
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true });
    await write(chunk);
  }
  const { code } = await child.status;
  return { code, result: readResult(output) };
}

async function write(chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    at += await Deno.stdout.write(chunk.subarray(at));
  }
}
