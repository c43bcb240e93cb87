/** Describes errors to users: message, hint and exit code. */
import { AppError, messageOf, missingPackageError } from "../common/errors.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { NoAnswerError } from "../request/errors.ts";
import { Exit, EXIT_BY_CLASS } from "./exit_codes.ts";

/** An error as it is printed. */
export interface ErrorReport {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

/**
 * Creates the error for a wrong command line or setting.
 *
 * @param message what is wrong, without a full stop
 * @param hint what to write instead, in sentences
 * @param cause the error that caused it
 */
export function usageError(
  message: string,
  hint: string | undefined,
  cause?: unknown,
): AppError {
  return new AppError("usage", message, { hint, exitClass: "usage", cause });
}

/**
 * Describes anything that was thrown. An error that is not an {@linkcode
 * AppError} is described as a bug.
 */
export function describeError(thrown: unknown): ErrorReport {
  const error = missingPackageError(thrown) ?? thrown;
  if (error instanceof AppError) {
    const { message, hint, exitClass } = error;
    const exitCode = EXIT_BY_CLASS[exitClass];
    // Options were checked when they were parsed: the cause is a reply.
    if (error instanceof ProtocolError) {
      return {
        message: capitalized(message),
        hint: hint ??
          "Check --prefix and --wire: another kind of server may have replied.",
        exitCode,
      };
    }
    if (error instanceof NoAnswerError) {
      return { message, hint: noAnswerHint(error), exitCode };
    }
    return { message, hint, exitCode };
  }
  if (isUndecodable(error)) {
    return {
      message: `Cannot read the environment: ${messageOf(error)}`,
      hint: "Set the variable again, in UTF-8, or remove it.",
      exitCode: Exit.usage,
    };
  }
  return {
    message: `Internal error: ${messageOf(error).split("\n")[0]}`,
    hint: "This is a bug in occupancy. OCCUPANCY_DEBUG=1 prints a stack trace.",
    exitCode: Exit.failure,
  };
}

/** The hint of the error with the names of the flags. */
function noAnswerHint(
  { serverState, ignoredMessages }: NoAnswerError,
): string {
  if (ignoredMessages > 0) {
    return "Check --prefix and --wire: another kind of server may have replied. Otherwise another program publishes on the reply topic (docs/SECURITY.md).";
  }
  return serverState === "online"
    ? "It may be busy: wait longer with --timeout 30s."
    : 'Start one with "occupancy server", or check --broker and --prefix.';
}

/** True for a variable of the environment that is not valid Unicode. */
export function isUndecodable(error: unknown): boolean {
  return error instanceof Deno.errors.InvalidData &&
    error.message.startsWith("environment variable ");
}

/** True if the reader of the output closed it, which is not a failure. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error as { code?: unknown })?.code === "EPIPE";
}

/** The text with its first letter in upper case. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
