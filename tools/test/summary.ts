/**
 * Reads the last lines of `deno test`, and adds the results of several runs.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";

/** A failed test in the list of all tests. */
const FAILED = /^(.*) \.\.\. FAILED\b/gm;

/** The result of one run of `deno test`. */
export interface RunResult {
  /** Numbers of tests. */
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
  readonly filtered: number;
  /** Names and places of the failed tests, as `deno test` lists them. */
  readonly failures: readonly string[];
  /** False if the output has no summary: the numbers are not known. */
  readonly hasSummary: boolean;
}

/** Describes a run that was ended before its summary. */
export const NO_END = "deno test did not come to its end: see the output above";
/** A summary, as `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2m3s)`. */
const SUMMARY = /^(?:ok|FAILED) \| (\d+ passed.*)$/gm;
/** The list of failed tests before the summary. */
const FAILURES = /^ FAILURES *\n\n([\s\S]*?)\n\n/gm;

/**
 * Reads the output of a run. If it has no summary, the run did not come to its
 * end: then only the failures until then are known.
 */
export function readResult(output: string): RunResult {
  const text = stripVTControlCharacters(output).replaceAll("\r\n", "\n");
  const summary = [...text.matchAll(SUMMARY)].at(-1)?.[1];
  if (summary === undefined) {
    const failed = [...text.matchAll(FAILED)].map(([, name]) => name!);
    return {
      ...{ passed: 0, failed: failed.length, ignored: 0, filtered: 0 },
      failures: failed,
      hasSummary: false,
    };
  }
  const count = (what: string) =>
    Number(new RegExp(`(\\d+) ${what}`).exec(summary)?.[1] ?? 0);
  const failures = [...text.matchAll(FAILURES)].at(-1)?.[1] ?? "";
  return {
    passed: count("passed"),
    failed: count("failed"),
    ignored: count("ignored"),
    filtered: count("filtered out"),
    failures: failures.split("\n").filter((line) => line !== ""),
    hasSummary: true,
  };
}

/**
 * Makes the last line of all runs, in the form of `deno test`.
 *
 * @param results of the runs
 * @param isOk false if a run failed, for any reason
 * @param ms the time of all runs
 */
export function summaryLine(
  results: readonly RunResult[],
  isOk: boolean,
  ms: number,
): string {
  const sum = (what: "passed" | "failed" | "ignored" | "filtered") =>
    results.reduce((total, result) => total + result[what], 0);
  const parts = [
    isOk ? "ok" : "FAILED",
    `${sum("passed")} passed`,
    `${sum("failed")} failed`,
    `${sum("ignored")} ignored`,
    ...(sum("filtered") > 0 ? [`${sum("filtered")} filtered out`] : []),
  ];
  return `${parts.join(" | ")} (${duration(ms)})`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds === 0) return `${Math.round(ms)}ms`;
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
