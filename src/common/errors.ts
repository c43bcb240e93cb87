/**
 * The errors of this program. Each says what happened, what to do next, and how
 * a command that fails with it ends.
 *
 * @module
 */

/**
 * How a command ends that fails with an error. `src/cli` maps each class to an
 * exit code.
 */
export type ExitClass = "failure" | "usage" | "broker" | "no-answer";

/** What an {@linkcode AppError} holds besides its code and message. */
export interface AppErrorOptions {
  /** What to do about it: one or two sentences for people. */
  readonly hint?: string | undefined;
  /** How a command ends that fails with it. Default `failure`. */
  readonly exitClass?: ExitClass | undefined;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/**
 * A failure that was foreseen, described for people. Any other error is a bug.
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
  /** What to do about it, for people. */
  readonly hint: string | undefined;
  /** How a command ends that fails with it. */
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
 * The message of anything that was thrown.
 *
 * @param error what was thrown, of any type
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
