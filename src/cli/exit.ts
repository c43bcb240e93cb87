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

/** What each exit code tells, for people. */
export const EXIT_MEANINGS: readonly (readonly [string, string])[] = [
  ["0", "done; with --test: occupied"],
  ["1", "failed"],
  ["2", "the command line is wrong, or a setting"],
  ["3", "done, but readings were skipped or refused"],
  ["4", "the broker cannot be joined, or was lost for good"],
  ["5", "no server answered in time"],
  ["10", "with --test: free"],
  ["11", "with --test: unknown, stale or never reported"],
  [
    "129, 130, 143",
    "ended by SIGHUP, SIGINT or SIGTERM; a server only by a second one",
  ],
];

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
