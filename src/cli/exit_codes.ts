import type { ExitClass } from "../common/errors.ts";

/** The exit codes of all commands. */
export const Exit = {
  /** Done. With `--test`: occupied. */
  ok: 0,
  failure: 1,
  /** The command line or a setting is wrong. */
  usage: 2,
  /** Done, but readings were skipped or refused. */
  skipped: 3,
  /** Cannot connect to the broker, or the connection is lost permanently. */
  broker: 4,
  /** No server answered in time. */
  noAnswer: 5,
  /** `--test`: free. */
  free: 10,
  /** `--test`: unknown or stale. */
  unknown: 11,
  /** Ended by SIGHUP. */
  hungUp: 129,
  /** Ended by SIGINT. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** The exit code of a command that fails with an error of a class. */
export const EXIT_BY_CLASS: Readonly<Record<ExitClass, number>> = {
  failure: Exit.failure,
  usage: Exit.usage,
  broker: Exit.broker,
  "no-answer": Exit.noAnswer,
};

/** The exit codes with their meanings, for the manual page and docs/CLI.md. */
export const EXIT_MEANINGS: readonly (readonly [string, string])[] = [
  ["0", "done; with --test: occupied"],
  ["1", "failed"],
  ["2", "wrong command line or setting"],
  ["3", "done, but readings were skipped or refused"],
  [
    "4",
    "cannot connect to the broker, or the connection was lost permanently",
  ],
  ["5", "no server answered in time"],
  ["10", "with --test: free"],
  ["11", "with --test: unknown or stale"],
  [
    "129, 130, 143",
    "ended by SIGHUP, SIGINT or SIGTERM; a server returns these only after a second signal",
  ],
];
