/** `occupancy doctor --json` for tests. */
import { runOccupancy, type SpawnOptions } from "../support/processes.ts";

/** A line of its answer. */
export interface Line {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly hint?: string;
  readonly data?: Record<string, unknown>;
}

/** How it ended, and what it said of what. */
export interface Diagnosis {
  readonly code: number;
  readonly stderr: string;
  readonly lines: readonly Line[];
  /** The lines of a check, as `status: message`. */
  of(check: string): string[];
}

/** Runs it to its end. */
export async function diagnose(
  args: string[],
  options?: SpawnOptions,
): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runOccupancy(
    ["doctor", "--json", ...args],
    options,
  );
  const lines: Line[] = stdout.trimEnd().split("\n").filter(Boolean)
    .map((line) => JSON.parse(line));
  return {
    code,
    stderr,
    lines,
    of: (check) =>
      lines.filter((line) => line.check === check)
        .map(({ status, message }) => `${status}: ${message}`),
  };
}
