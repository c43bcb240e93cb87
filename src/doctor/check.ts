import type { Examination } from "./examination.ts";
import { type Finding, warning, wrong, wrongBecause } from "./finding.ts";

/** One thing to look at. */
export interface Check {
  /** One word: how its lines begin. */
  readonly name: string;
  /** Looks; no finding where there is nothing to look at. */
  run(examination: Examination): Promise<Finding[]> | Finding[];
}

/** A finding, and what it is of. */
export interface Result extends Finding {
  readonly check: string;
}

/**
 * Runs checks at once and gives their findings in the order of the table. A
 * check that fails or takes too long is a finding itself; the others go on.
 *
 * @param timeout How long each may take once the broker was tried, ms
 */
export async function* runChecks(
  checks: readonly Check[],
  examination: Examination,
  timeout: number,
): AsyncGenerator<Result> {
  const running = checks.map((check) => runOne(check, examination, timeout));
  for (const [i, findings] of running.entries()) {
    for (const finding of await findings) {
      yield { check: checks[i]!.name, ...finding };
    }
  }
}

async function runOne(
  check: Check,
  examination: Examination,
  timeout: number,
): Promise<Finding[]> {
  const late = Promise.withResolvers<Finding[]>();
  const begin = () =>
    setTimeout(() => {
      late.resolve([
        warning(`No result within ${timeout / 1000} s`, {
          hint: "The broker may be slow: wait longer with --timeout 30s.",
        }),
      ]);
    }, timeout);
  let timer: ReturnType<typeof begin> | undefined;
  let over = false;
  // Joining has a deadline of its own, and tells more when it fails.
  examination.joining().then(() => {
    if (!over) timer = begin();
  });
  try {
    return await Promise.race([look(check, examination), late.promise]);
  } finally {
    over = true;
    clearTimeout(timer);
  }
}

async function look(
  check: Check,
  examination: Examination,
): Promise<Finding[]> {
  try {
    return await check.run(examination);
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "LinkError" || name === "StoreError") {
      return [wrongBecause(error)];
    }
    return [
      wrong(`The check itself failed: ${message ?? error}`, {
        hint: "This is a fault of occupancy; please report it.",
      }),
    ];
  }
}
