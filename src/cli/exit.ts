/** Exit codes, as documented in the README. */
export const Exit = {
  ok: 0,
  /** Something failed that has no code of its own. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Done, but rows of the input were skipped. */
  skipped: 3,
  /** The broker cannot be joined, or was lost for good. */
  broker: 4,
  /** No server answered in time. */
  noAnswer: 5,
  /** `--test`: free. Occupied is {@linkcode Exit.ok}. */
  free: 10,
  /** `--test`: unknown, stale or never reported. */
  unknown: 11,
  /** Ended by SIGHUP. */
  hungUp: 129,
  /** Ended by SIGINT. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** A failure in words for people, with the exit code it ends in. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;
  /** What to do next. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: { exitCode?: number; hint?: string | undefined; cause?: unknown } =
      {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.exitCode = options.exitCode ?? Exit.failure;
    this.hint = options.hint;
  }
}
