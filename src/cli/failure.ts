import { AppError, type ExitClass, messageOf } from "../common/errors.ts";
import { CliError, Exit } from "./exit.ts";

/** What a person is told of a failure. */
export interface ErrorReport {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

const EXIT_BY_CLASS: Record<ExitClass, number> = {
  failure: Exit.failure,
  usage: Exit.usage,
  broker: Exit.broker,
  "no-answer": Exit.noAnswer,
};

/** What of the protocol's faults can stand in a command line, and what to do. */
const USAGE_HINTS: Record<string, string> = {
  "bad-prefix": "Choose topic levels, like occupancy or site/occupancy.",
  "bad-layer": "Choose a name or a path of names, like l2 or hall/l2.",
  "bad-source": "Choose a shorter name, without broken characters.",
};
const REPLY_HINT =
  "Another kind of server may answer there: see --prefix and --wire.";

/**
 * Says an error in words for people. Errors that were not foreseen keep their
 * message and ask for a report; a stack trace is shown only with OCCUPANCY_DEBUG.
 */
export function describeError(error: unknown): ErrorReport {
  if (error instanceof CliError) return error;
  if (error instanceof AppError) {
    if (error.name === "ProtocolError") return tellProtocol(error);
    const { message, hint, exitClass } = error;
    return { message, hint, exitCode: EXIT_BY_CLASS[exitClass] };
  }
  return {
    message: `Unexpected: ${messageOf(error)}`,
    hint: "This is a fault of occupancy; OCCUPANCY_DEBUG=1 shows where.",
    exitCode: Exit.failure,
  };
}

/** What is no fault of the command line is one of the answer. */
function tellProtocol({ code, message, hint }: AppError): ErrorReport {
  const usage = USAGE_HINTS[code];
  return {
    message: message[0]!.toUpperCase() + message.slice(1),
    hint: hint ?? usage ?? REPLY_HINT,
    exitCode: usage === undefined ? Exit.failure : Exit.usage,
  };
}

/** True if whoever read our output has gone; that is no failure. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error as { code?: unknown })?.code === "EPIPE";
}
