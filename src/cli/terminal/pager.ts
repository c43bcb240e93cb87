/**
 * Shows long output in a pager, as git and gh do: `$PAGER`, by default `less`.
 *
 * @module
 */
import { basename } from "node:path";
import { env } from "../env.ts";
import { CommandEnded, ENDING_SIGNALS } from "./ending.ts";
import { outputSize } from "./capabilities.ts";
import { columnsOfText } from "./columns.ts";
import { writeOut } from "./output.ts";
import { mayRun } from "./pipe_reader.ts";

/** Since this version, `less` can keep lines at the top of the screen. */
const MIN_HEADER_VERSION = 600;
/**
 * Options of `less` if the user has set none, as in git: quit if all fits one
 * screen, show colors, leave the text on the screen.
 */
const DEFAULT_LESS = "FRX";

/** Options of {@linkcode printPaged}. */
export interface PagedOptions {
  /** False for `--no-pager`. */
  readonly pager: boolean;
  /**
   * Number of lines at the start that stay visible: a summary, and the titles
   * of the columns. Default 0.
   */
  readonly headerLines?: number;
}

/** True if output may go to a pager: on a terminal, if the user wants it. */
export function canPage({ pager }: Pick<PagedOptions, "pager">): boolean {
  return pager && Deno.stdout.isTerminal() && env("TERM") !== "dumb" &&
    command() !== undefined;
}

/**
 * Prints text to stdout. In a terminal with fewer lines it is shown in a pager.
 *
 * @param text lines, each with a line feed
 * @throws {Deno.errors.BrokenPipe} if the reader has closed the pipe
 * @throws {AppError} if it cannot be written
 */
export async function printPaged(
  text: string,
  { pager, headerLines = 0 }: PagedOptions,
): Promise<void> {
  if (!canPage({ pager }) || fitsScreen(text)) return writeOut(text);
  const [program, ...args] = command()!;
  const keepsHeader = headerLines > 0 && await canKeepHeader(program!);
  if (keepsHeader) args.push(`--header=${headerLines}`);
  const shown = headerLines > 0 && !keepsHeader
    ? withHeaders(text, headerLines, outputSize())
    : text;
  if (!await show(shown, program!, args)) writeOut(text);
}

/**
 * Repeats the titles of the columns, so that each screen of a pager starts with
 * them.
 *
 * @param text lines, each with a line feed
 * @param headerLines lines at the start; the last one is repeated
 * @param screen width and height of what a pager shows at once, in characters
 */
export function withHeaders(
  text: string,
  headerLines: number,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const lines = text.replace(/\n$/, "").split("\n");
  const titles = lines[headerLines - 1]!;
  const wrapped = lines.slice(0, headerLines)
    .reduce((sum, line) => sum + rowsOf(line, width) - 1, 0);
  const first = Math.max(headerLines + 1, height - wrapped);
  const pages = [lines.slice(0, first)];
  const rows = Math.max(1, height - 1);
  for (let from = first; from < lines.length; from += rows) {
    pages.push([titles, ...lines.slice(from, from + rows)]);
  }
  return pages.map((page) => page.join("\n") + "\n").join("");
}

/**
 * Splits a command into words, as a shell does with spaces and quotes.
 *
 * @returns undefined for no pager: an empty text, or `cat`
 */
export function pagerWords(text: string): string[] | undefined {
  const words = [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, bare]) => double ?? single ?? bare!);
  return words[0] === undefined || words[0] === "cat" ? undefined : words;
}

function command(): string[] | undefined {
  const words = pagerWords(env("PAGER") ?? "less");
  return words === undefined || !mayRun(words[0]!) ? undefined : words;
}

function fitsScreen(text: string): boolean {
  const { width, height } = outputSize();
  let rows = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    rows += rowsOf(line, width);
    if (rows > height) return false;
  }
  return true;
}

/** The rows of the screen that a line takes. */
function rowsOf(line: string, width: number): number {
  // deno-lint-ignore no-control-regex
  const text = line.replace(/\x1b\[[\d;]*m/g, "");
  return Math.max(1, Math.ceil(columnsOfText(text) / width));
}

async function canKeepHeader(program: string): Promise<boolean> {
  if (basename(program) !== "less") return false;
  try {
    const { stdout } = await new Deno.Command(program, { args: ["--version"] })
      .output();
    const [, version] = /^less (\d+)/.exec(new TextDecoder().decode(stdout)) ??
      [];
    return Number(version) >= MIN_HEADER_VERSION;
  } catch {
    return false;
  }
}

function spawn(program: string, args: string[]): Deno.ChildProcess | undefined {
  try {
    return new Deno.Command(program, {
      args,
      env: { LESS: env("LESS") ?? DEFAULT_LESS, LV: env("LV") ?? "-c" },
      stdin: "piped",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Shows a text in a pager, and waits until the user ends it. SIGINT is ignored
 * from before its start: Ctrl-C is a key of the pager. It stays ignored after
 * its end: a busy machine delivers it late, and the command has nothing left to
 * do.
 *
 * @returns false if there is no such program
 * @throws {CommandEnded} if a signal ends it
 */
async function show(
  text: string,
  program: string,
  args: string[],
): Promise<boolean> {
  let child: Deno.ChildProcess | undefined;
  let exitCode: number | undefined;
  const listeners = ENDING_SIGNALS.map(([name, code]) => {
    const listener = () => {
      if (name === "SIGINT") return;
      exitCode = code;
      child?.kill("SIGTERM");
    };
    Deno.addSignalListener(name, listener);
    return [name, listener] as const;
  });
  try {
    child = spawn(program, args);
    if (child === undefined) return false;
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text)).catch(() => {}); // ended
    await writer.close().catch(() => {});
    await child.status;
  } finally {
    for (const [name, listener] of listeners) {
      if (name === "SIGINT" && child !== undefined) continue;
      Deno.removeSignalListener(name, listener);
    }
  }
  if (exitCode !== undefined) throw new CommandEnded(exitCode);
  return true;
}
