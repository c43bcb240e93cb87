/**
 * The interface of a check, and how the checks run.
 *
 * @module
 */
import { doneWithin } from "../common/async.ts";
import { AppError, messageOf, missingPackageError } from "../common/errors.ts";
import type { CheckContext } from "./check_context.ts";
import { errorFinding, type Finding, finding } from "./finding.ts";

/** One check of the doctor. */
export interface Check {
  /** One word, printed before each of its findings. */
  readonly name: string;
  /**
   * Runs the check.
   *
   * @returns the findings; none if the check does not apply
   */
  run(context: CheckContext): Promise<Finding[]> | Finding[];
}

/** A finding with the name of its check. */
export interface Result extends Finding {
  /** The name of the check. */
  readonly check: string;
  /** The broker that it is about, if several are checked. */
  readonly broker?: string;
}

/**
 * Runs checks in parallel and yields their findings in the order of the checks.
 * If a check throws or exceeds its time, the finding says so.
 *
 * @param checks the checks
 * @param context what the checks share
 * @param timeoutMs the maximum time of a check, in ms, counted from the end of
 * the attempt to connect to the broker
 */
export async function* runChecks(
  checks: readonly Check[],
  context: CheckContext,
  timeoutMs: number,
): AsyncGenerator<Result> {
  const running = checks.map((check) => runCheck(check, context, timeoutMs));
  for (const [i, findings] of running.entries()) {
    for (const one of await findings) {
      yield { check: checks[i]!.name, ...one };
    }
  }
}

async function runCheck(
  check: Check,
  context: CheckContext,
  timeoutMs: number,
): Promise<Finding[]> {
  const findings = findingsOf(check, context);
  // Connecting has its own timeout, with a better message.
  await Promise.race([findings, context.broker()]);
  if (await doneWithin(findings, timeoutMs)) return await findings;
  return [
    finding("warning", `No result within ${timeoutMs / 1000} s`, {
      hint:
        "The broker may be slow. Allow more time, for example --timeout 30s.",
    }),
  ];
}

async function findingsOf(
  check: Check,
  context: CheckContext,
): Promise<Finding[]> {
  try {
    return await check.run(context);
  } catch (thrown) {
    const error = missingPackageError(thrown) ?? thrown;
    if (error instanceof AppError) return [errorFinding(error)];
    return [
      finding("error", `The check failed: ${messageOf(error)}`, {
        hint: "This is a bug in occupancy. Please report it.",
      }),
    ];
  }
}
