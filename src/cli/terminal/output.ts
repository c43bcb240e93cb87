/**
 * Writes data to stdout and messages for people to stderr.
 *
 * @module
 */
import { AppError, messageOf } from "../../common/errors.ts";
import { excerpt } from "../../common/printable.ts";
import { env } from "../env.ts";
import { isBrokenPipe } from "../errors.ts";
import { splitIntoLines } from "./columns.ts";

/** Maximum length of a message, in UTF-16 code units; a longer one is cut. */
const MAX_LINE_LENGTH = 10_000;
const PROGRESS_INTERVAL_MS = 200;
/** Erases from the cursor to the end of the line (ECMA-48, EL). */
const ERASE_RIGHT = "\x1b[K";
const MIN_COLUMNS = 3;
const DEFAULT_COLUMNS = 80;
const encoder = new TextEncoder();

/**
 * Writes data to stdout, blocking until all of it is written.
 *
 * @throws {Deno.errors.BrokenPipe} if the reader has closed the pipe
 * @throws {AppError} if it cannot be written
 */
export function writeOut(data: string | Uint8Array): void {
  try {
    writeAll(Deno.stdout, data);
  } catch (error) {
    throw outputError(error);
  }
}

/**
 * Writes data to stdout without blocking, at the reader's speed.
 *
 * @throws {Deno.errors.BrokenPipe} if the reader has closed the pipe
 * @throws {AppError} if it cannot be written
 */
export async function drainOut(data: string | Uint8Array): Promise<void> {
  let rest = typeof data === "string" ? encoder.encode(data) : data;
  try {
    while (rest.length > 0) {
      rest = rest.subarray(await Deno.stdout.write(rest));
    }
  } catch (error) {
    throw outputError(error);
  }
}

function outputError(error: unknown): unknown {
  if (isBrokenPipe(error)) return error;
  const message = messageOf(error);
  return new AppError("cannot-write", `Cannot write the output: ${message}`, {
    hint: "Check where it is written to: the disk may be full.",
    cause: error,
  });
}

/**
 * Writes a line to stderr, with escapes in place of unprintable characters: it
 * may contain text from a server, a file or another client.
 */
export function printError(line: string): void {
  const safe = excerpt(line, MAX_LINE_LENGTH);
  writeError(`${shownProgress?.erase() ?? ""}${safe}\n`);
}

/** Prints a warning to stderr, once: a command may connect several times. */
export function printWarning(line: string): void {
  if (printedWarnings.has(line)) return;
  printedWarnings.add(line);
  printError(`Warning: ${line}`);
}

const printedWarnings = new Set<string>();

/**
 * Writes text to stderr as it is. Errors are ignored: they must not end a
 * server.
 */
export function writeError(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch {
    // Ignored.
  }
}

/** Writes a line to stderr, but not with --quiet. */
export function info(flags: { readonly quiet?: true }, line: string): void {
  if (!flags.quiet) printError(line);
}

/** Writes a line to stderr with --verbose. */
export function verbose(
  flags: { readonly verbose?: true },
  line: string,
): void {
  if (flags.verbose) printError(line);
}

function writeAll(
  to: { writeSync(bytes: Uint8Array): number },
  data: string | Uint8Array,
): void {
  let rest = typeof data === "string" ? encoder.encode(data) : data;
  while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
}

/** How much a command has sent. */
export interface SentSoFar {
  readonly readings: number;
  /** Of the input, from 0 to 100; undefined if its size is not known. */
  readonly percent?: number | undefined;
}

/** The progress that the terminal shows; lines are printed in its place. */
let shownProgress: Progress | undefined;

/**
 * A line on stderr that counts the sent readings, on terminals that can erase a
 * line only.
 */
export class Progress {
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  /** @param sent returns how much was sent so far */
  constructor(
    sent: () => SentSoFar,
    { quiet }: { readonly quiet?: true } = {},
  ) {
    if (quiet || !Deno.stderr.isTerminal() || env("TERM") === "dumb") return;
    this.#timer = setInterval(() => {
      const [text] = splitIntoLines(progressText(sent()), stderrColumns(), 1);
      writeError(`\r${text}${ERASE_RIGHT}`);
      shownProgress = this;
    }, PROGRESS_INTERVAL_MS);
  }

  /** Removes the line. */
  stop(): void {
    clearInterval(this.#timer);
    writeError(this.erase());
  }

  /** Returns what erases the line; empty if it is not shown. */
  erase(): string {
    if (shownProgress !== this) return "";
    shownProgress = undefined;
    return `\r${ERASE_RIGHT}`;
  }
}

/** Such as `12,000 readings sent, 40%`. */
function progressText({ readings, percent }: SentSoFar): string {
  const text = `${readings.toLocaleString("en")} readings sent`;
  return percent === undefined ? text : `${text}, ${percent}%`;
}

function stderrColumns(): number {
  try {
    return Math.max(MIN_COLUMNS, Deno.consoleSize().columns);
  } catch {
    return DEFAULT_COLUMNS; // stdout is no terminal
  }
}
