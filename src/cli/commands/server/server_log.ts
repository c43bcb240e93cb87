/**
 * The log of a server on stderr: lines with times; in a terminal also a status
 * line below them.
 *
 * @module
 */
import { env } from "../../env.ts";
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";
import { type Line, LineLimiter } from "../../../common/line_limiter.ts";
import { excerpt } from "../../../common/printable.ts";
import { colorDepth } from "../../terminal/capabilities.ts";
import { writeError } from "../../terminal/output.ts";
import type { ServerFlags } from "./options.ts";
import { type Status, StatusLine } from "./status_line.ts";

/** The log of the process. */
export interface ServerLog {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  /** See {@linkcode LineLimiter.add}. */
  warnLimited(kind: string, line: Line): void;
  /** The same for information. */
  infoLimited(kind: string, line: Line): void;
  /** Calls a function for each line that is limited from now on. */
  countLimited(add: () => void): void;
  error(line: string): void;
  /** True with a status line: in a terminal. */
  readonly live: boolean;
  /** Shows a status line that is rewritten in place, if {@linkcode live}. */
  showStatus(status: () => Status): void;
  /** Writes the last counts, removes the status line and closes the log. */
  close(): void;
}

/** The flags that configure the log. */
export type ServerLogFlags = Pick<
  ServerFlags,
  "logFormat" | "logLevel" | "quiet" | "verbose" | "color"
>;

/** Maximum length of a line, in UTF-16 code units; a longer one is cut. */
const MAX_LINE_LENGTH = 4000;
const CATEGORY = "occupancy";
const RED = "\x1b[31m";
const YELLOW = "\x1b[33m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** Opens the log. There can be only one at a time. */
export function openServerLog(flags: ServerLogFlags): ServerLog {
  const { logFormat, quiet, verbose } = flags;
  const terminal = Deno.stderr.isTerminal() && env("TERM") !== "dumb";
  const live = logFormat === "auto" && terminal && !quiet;
  const level: LogLevel = flags.logLevel ??
    (quiet ? "warning" : verbose ? "debug" : "info");
  const color = colorDepth(flags.color, env, terminal) !== "none";
  const statusLine = live ? new StatusLine() : undefined;
  const format = formatterOf(logFormat, live, color);
  configureSync({
    reset: true,
    sinks: {
      stderr: (record) => {
        if (record.level === "warning" || record.level === "error") {
          statusLine?.setProblem(String(record.message.join("")));
        }
        if (statusLine) statusLine.printAbove(format(record));
        else writeError(format(record) + "\n");
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
  const escape = (line: string) => {
    // May contain text that clients chose.
    const safe = excerpt(line, MAX_LINE_LENGTH);
    // LogTape replaces {name} by a property, and {{ by {.
    return safe.includes("{") ? safe.replace(/[{}]/g, "$&$&") : safe;
  };
  const warn = (line: string) => logger.warn(escape(line));
  const info = (line: string) => logger.info(escape(line));
  const limiter = new LineLimiter();
  return {
    debug: (line) => logger.debug(escape(line)),
    info,
    warn,
    warnLimited: (kind, line) => limiter.add(kind, line, warn),
    infoLimited: (kind, line) => limiter.add(kind, line, info),
    countLimited: (add) => limiter.onLimited = add,
    error: (line) => logger.error(escape(line)),
    live,
    showStatus: (status) => statusLine?.show(status),
    close: () => {
      limiter[Symbol.dispose]();
      statusLine?.close();
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
      colored(`${timestamp} ${label(record.level)}${message}`, record, color),
  });
  return (record) => text(record).trimEnd();
}

/** `Warning: `; empty for info. */
function label(level: LogLevel): string {
  if (level === "info") return "";
  return `${level[0]!.toUpperCase()}${level.slice(1)}: `;
}

function colored(line: string, { level }: LogRecord, color: boolean): string {
  const code = level === "error" || level === "fatal"
    ? RED
    : level === "warning"
    ? YELLOW
    : level === "debug"
    ? DIM
    : undefined;
  return color && code ? code + line + RESET : line;
}
