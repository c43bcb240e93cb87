import type { Result } from "./check.ts";
import type { Status } from "./finding.ts";

/** How a report looks. */
export interface RenderOptions {
  /** Columns there are, at least 20. */
  readonly width: number;
  /** Whether there may be colour. It only repeats what words say. */
  readonly color: boolean;
}

const STATUS_WIDTH = "warning".length + 2;
const CHECK_WIDTH = "session".length + 2;
const INDENT = STATUS_WIDTH + CHECK_WIDTH;
/** Below this a line of its own names the check, and the words go below it. */
const WIDE = 60;
/** Words in long lines are hard to read. */
const WIDEST = 100;
const ARROW = "→ ";

const STYLES: Record<Status, string> = {
  right: "\x1b[32m",
  warning: "\x1b[33m",
  wrong: "\x1b[31m",
  unseen: "\x1b[2m",
};
const RESET = "\x1b[0m";

/** One finding for people: a line or a few, with a line feed at the end. */
export function renderResult(
  { status, check, message, hint }: Result,
  { width, color }: RenderOptions,
): string {
  const word = status.padEnd(STATUS_WIDTH);
  const painted = color ? STYLES[status] + word + RESET : word;
  const wide = width >= WIDE;
  const indent = " ".repeat(wide ? INDENT : 2);
  const room = Math.min(width, WIDEST) - indent.length;
  const lines = wrap(message, room);
  if (hint !== undefined) {
    const [first, ...rest] = wrap(hint, room - ARROW.length);
    lines.push(ARROW + first, ...rest.map((line) => "  " + line));
  }
  if (wide) {
    return `${painted}${check.padEnd(CHECK_WIDTH)}${
      lines.join(`\n${indent}`)
    }\n`;
  }
  return `${painted}${check}\n${indent}${lines.join(`\n${indent}`)}\n`;
}

/** One finding for programs: a JSON object in a line. */
export function renderJson(
  { check, status, message, hint, data }: Result,
): string {
  return JSON.stringify({ check, status, message, hint, data }) + "\n";
}

/** How many there are of each, for people. */
export function renderSummary(results: readonly Result[]): string {
  const count = (status: Status) =>
    results.filter((result) => result.status === status).length;
  const warnings = count("warning");
  const hidden = count("unseen");
  return [
    `${count("right")} right`,
    `${warnings} warning${warnings === 1 ? "" : "s"}`,
    `${count("wrong")} wrong`,
    ...(hidden > 0 ? [`${hidden} unseen`] : []),
  ].join(", ") + "\n";
}

/**
 * Cuts text into lines at its spaces. A word that is too long stays whole: a
 * path is there to be copied.
 */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
