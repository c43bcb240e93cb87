/**
 * Renders the results of the checks as a table, as JSON and as a summary.
 *
 * @module
 */
import { plural } from "../common/plural.ts";
import { printable, printableJson } from "../common/printable.ts";
import type { Result } from "./check.ts";
import type { Status } from "./finding.ts";

/** Options of {@linkcode renderResult}. */
export interface RenderOptions {
  /** Columns of the terminal, at least 20. */
  readonly width: number;
  /** Whether to colour the status. */
  readonly color: boolean;
}

const STATUS_COLUMNS = "warning".length + 2;
const CHECK_COLUMNS = "session".length + 2;
/** In narrower terminals the message starts below status and check. */
const MIN_WIDE_COLUMNS = 60;
const MAX_COLUMNS = 100;
const NARROW_INDENT = 2;
const HINT_MARK = "→ ";

const STYLES: Record<Status, string> = {
  ok: "\x1b[32m",
  warning: "\x1b[33m",
  error: "\x1b[31m",
  unknown: "\x1b[2m",
};
const RESET = "\x1b[0m";

/**
 * Renders a result for people.
 *
 * @param result the result
 * @param options width and colour
 * @returns one or more lines, each with a line feed
 */
export function renderResult(
  { status, check, broker, message, hint }: Result,
  { width, color }: RenderOptions,
): string {
  const padded = status.padEnd(STATUS_COLUMNS);
  const painted = color ? STYLES[status] + padded + RESET : padded;
  const wide = width >= MIN_WIDE_COLUMNS;
  const indent = " ".repeat(
    wide ? STATUS_COLUMNS + CHECK_COLUMNS : NARROW_INDENT,
  );
  const columns = Math.min(width, MAX_COLUMNS) - indent.length;
  const isNamed = broker === undefined || message.includes(broker);
  const named = isNamed ? message : `${broker}: ${message}`;
  const lines = wrap(printable(named), columns);
  if (hint !== undefined) {
    const [first, ...rest] = wrap(printable(hint), columns - HINT_MARK.length);
    lines.push(
      HINT_MARK + first,
      ...rest.map((line) => " ".repeat(HINT_MARK.length) + line),
    );
  }
  const text = lines.join(`\n${indent}`);
  return wide
    ? `${painted}${check.padEnd(CHECK_COLUMNS)}${text}\n`
    : `${painted}${check}\n${indent}${text}\n`;
}

/**
 * Renders a result for programs.
 *
 * @param result the result
 * @returns a JSON object and a line feed
 */
export function renderJson(
  { check, broker, status, message, hint, data }: Result,
): string {
  return printableJson({ check, broker, status, message, hint, data }) + "\n";
}

/**
 * Renders how many results have each status.
 *
 * @param results the results of all checks
 * @returns a line with a line feed
 */
export function renderSummary(results: readonly Result[]): string {
  const count = (status: Status) =>
    results.filter((result) => result.status === status).length;
  const unknown = count("unknown");
  return [
    `${count("ok")} ok`,
    plural(count("warning"), "warning"),
    plural(count("error"), "error"),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
  ].join(", ") + "\n";
}

/** Wraps text at spaces. A longer word stays whole: users copy paths. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
