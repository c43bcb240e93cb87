/**
 * How a server speaks to the person who runs it: as lines with times for a log,
 * or with a banner and a status line in a terminal. All of it is on stderr.
 *
 * @module
 */
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";
import { colorDepth } from "../../terminal/color.ts";
import type { ServerFlags } from "../../arguments/flags.ts";
import { printError } from "../../terminal/output.ts";
import { type Status, StatusLine } from "./status_line.ts";

/** What a server can say, and how. */
export interface ServerLog {
  /** For whoever looks for a fault. */
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  /** True if a person reads this in a terminal. */
  readonly live: boolean;
  /** Shows how it is going, in one line that is rewritten in place; in a terminal only. */
  follow(status: () => Status): void;
  /** Takes the status line away, and ends. */
  close(): void;
}

/** What of the flags decides on the voice. */
export type ServerLogFlags = Pick<
  ServerFlags,
  "logFormat" | "logLevel" | "quiet" | "verbose" | "color"
>;

const CATEGORY = "occupancy";
const RED = "\x1b[31m";
const YELLOW = "\x1b[33m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** Opens the voice of this process; there is one at a time. */
export function openServerLog(flags: ServerLogFlags): ServerLog {
  const { logFormat, quiet, verbose } = flags;
  const terminal = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  const live = logFormat === "auto" && terminal && !quiet;
  const level: LogLevel = flags.logLevel ??
    (quiet ? "warning" : verbose ? "debug" : "info");
  const env = (name: string) => Deno.env.get(name);
  const color = colorDepth(flags.color, env, terminal) !== "none";
  const status = live ? new StatusLine() : undefined;
  const format = formatterOf(logFormat, live, color);
  configureSync({
    reset: true,
    sinks: {
      stderr: (record) => {
        if (record.level === "warning" || record.level === "error") {
          status?.noteProblem(String(record.message.join("")));
        }
        if (status) status.above(format(record));
        else printError(format(record));
      },
    },
    loggers: [
      { category: CATEGORY, lowestLevel: level, sinks: ["stderr"] },
      {
        category: ["logtape", "meta"],
        lowestLevel: "error",
        sinks: ["stderr"],
      },
    ],
  });
  const logger = getLogger(CATEGORY);
  // Braces would be taken for places to fill in; without an opening one, as they are.
  const plain = (line: string) =>
    line.includes("{") ? line.replace(/[{}]/g, "$&$&") : line;
  return {
    debug: (line) => logger.debug(plain(line)),
    info: (line) => logger.info(plain(line)),
    warn: (line) => logger.warn(plain(line)),
    error: (line) => logger.error(plain(line)),
    live,
    follow: (told) => status?.follow(told),
    close: () => {
      status?.close();
      resetSync();
    },
  };
}

function formatterOf(
  format: ServerLogFlags["logFormat"],
  live: boolean,
  color: boolean,
): (record: LogRecord) => string {
  if (format === "json") {
    const json = getJsonLinesFormatter();
    return (record) => json(record).trimEnd();
  }
  const text = getTextFormatter({
    timestamp: live ? "time" : "rfc3339",
    level: "full",
    format: ({ timestamp, message, record }) =>
      painted(`${timestamp} ${wordOf(record.level)}${message}`, record, color),
  });
  return (record) => text(record).trimEnd();
}

/** Information needs no word for it. */
function wordOf(level: LogLevel): string {
  if (level === "info") return "";
  return `${level[0]!.toUpperCase()}${level.slice(1)}: `;
}

function painted(line: string, { level }: LogRecord, color: boolean): string {
  const paint = level === "error" || level === "fatal"
    ? RED
    : level === "warning"
    ? YELLOW
    : level === "debug"
    ? DIM
    : undefined;
  return color && paint ? paint + line + RESET : line;
}
