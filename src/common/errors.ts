/**
 * The error class of expected failures: what happened, what to do next, and the
 * exit class of the command.
 *
 * @module
 */

/**
 * How a command ends when it fails with an error. `src/cli` maps each class to
 * an exit code.
 */
export type ExitClass = "failure" | "usage" | "broker" | "no-answer";

/** Options of {@linkcode AppError}. */
export interface AppErrorOptions {
  /** What to do next: one or two sentences for people. */
  readonly hint?: string | undefined;
  /** How a command ends when it fails with the error. Default `failure`. */
  readonly exitClass?: ExitClass | undefined;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/**
 * An expected failure, described for people. Every other error is a bug.
 *
 * @example
 * ```ts
 * import { AppError } from "./errors.ts";
 *
 * const error = new AppError("disk-full", "Cannot write the map: disk full", {
 *   hint: "Free some space.",
 * });
 * console.log(error.code, error.exitClass); // disk-full failure
 * ```
 */
export class AppError extends Error {
  /** The name of the class. */
  override readonly name: string = "AppError";
  /** What is wrong, in kebab case, for programs. */
  readonly code: string;
  /** What to do next, for people. */
  readonly hint: string | undefined;
  /** How a command ends when it fails with this error. */
  readonly exitClass: ExitClass;

  /**
   * Makes an error.
   *
   * @param code what is wrong, in kebab case
   * @param message what happened, for people, without a full stop
   * @param options hint, exit class and cause
   */
  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exitClass = options.exitClass ?? "failure";
  }
}

/**
 * Returns the message of a thrown value.
 *
 * @param error the value, of any type
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Describes the failure of an `import()` whose npm package is not in Deno's
 * cache and cannot be downloaded. Deno marks such an error only by its text.
 *
 * @param error what was thrown
 * @returns undefined if it is another error
 */
export function missingPackageError(error: unknown): AppError | undefined {
  const message = messageOf(error);
  const name = /^Failed caching npm package '([^']+)'/.exec(message)?.[1];
  if (name === undefined) return undefined;
  // The causes are numbered lines; the last one is the most specific.
  const causes = [...message.matchAll(/^ +\d+: (.+?)\.?$/gm)];
  const cause = causes.at(-1)?.[1];
  const reason = cause === undefined ? "" : `: ${cause}`;
  return new AppError(
    "missing-package",
    `Cannot download the npm package ${name}${reason}`,
    {
      hint:
        "Connect this machine to the network and run the command again: packages are downloaded once. Behind a proxy, set HTTPS_PROXY. The executables and occupancy.js need no packages.",
      cause: error,
    },
  );
}
