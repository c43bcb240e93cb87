import { AppError, messageOf } from "../common/errors.ts";

/**
 * The result of a check. `ok`; `warning`: works, but may lose or distort data;
 * `error`: does not work; `unknown`: cannot be checked.
 */
export type Status = "ok" | "warning" | "error" | "unknown";

/** What a check found. */
export interface Finding {
  readonly status: Status;
  /** What was found, for people, without a full stop. */
  readonly message: string;
  /** What to do about it: one or two sentences. */
  readonly hint?: string;
  /** The facts of the message, for programs. */
  readonly data?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Makes a finding.
 *
 * @param status how serious it is
 * @param message what was found, for people, without a full stop
 * @param options hint and data
 */
export function finding(
  status: Status,
  message: string,
  options: Pick<Finding, "hint" | "data"> = {},
): Finding {
  return { status, message, ...options };
}

/**
 * Makes a finding with the status `error` of anything that was thrown.
 *
 * @param error what was thrown; the finding has the hint of an AppError
 */
export function errorFinding(error: unknown): Finding {
  const hint = error instanceof AppError ? error.hint : undefined;
  return finding(
    "error",
    messageOf(error),
    hint === undefined ? {} : { hint },
  );
}
