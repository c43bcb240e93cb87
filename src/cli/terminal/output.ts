/** Data goes to stdout, everything said to people goes to stderr. */
import { AppError, messageOf } from "../../common/errors.ts";
import { colorDepth, type ColorWhen } from "./color.ts";
import { isBrokenPipe } from "../errors.ts";

const encoder = new TextEncoder();

/**
 * Writes all of it to stdout.
 *
 * @throws {Deno.errors.BrokenPipe} if the reader left
 * @throws {AppError} if it cannot be written
 */
export function writeOut(data: string | Uint8Array): void {
  try {
    writeAll(Deno.stdout, data);
  } catch (error) {
    throw explained(error);
  }
}

/**
 * The same, but other things go on while a slow reader is waited for.
 *
 * @throws {Deno.errors.BrokenPipe} if the reader left
 * @throws {AppError} if it cannot be written
 */
export async function drainOut(data: string | Uint8Array): Promise<void> {
  let rest = typeof data === "string" ? encoder.encode(data) : data;
  try {
    while (rest.length > 0) {
      rest = rest.subarray(await Deno.stdout.write(rest));
    }
  } catch (error) {
    throw explained(error);
  }
}

/** A reader that left is no failure, which is told elsewhere; the rest is one. */
function explained(error: unknown): unknown {
  if (isBrokenPipe(error)) return error;
  const message = messageOf(error);
  return new AppError("cannot-write", `Cannot write the output: ${message}`, {
    hint: "Check where it is written to: the disk may be full.",
    cause: error,
  });
}

/** Says one line to the person at the terminal. */
export function printError(line: string): void {
  errorOutput(line + "\n");
}

/** Writes just this to stderr. */
export function errorOutput(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch {
    // Nobody listens; that must not end a server.
  }
}

/** The same, unless it is asked to be quiet: what is good to know, and not wrong. */
export function info(flags: { readonly quiet?: true }, line: string): void {
  if (!flags.quiet) printError(line);
}

/** Says more to whoever asks for it. */
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

/**
 * Columns and lines that there are for a picture: those of the terminal without
 * one for the prompt, else what COLUMNS and LINES say, else 80 wide and so high
 * that a square fits.
 */
export function pictureSize(): { width: number; height: number } {
  if (Deno.stdout.isTerminal()) {
    const { columns, rows } = Deno.consoleSize();
    // A terminal that does not know its size says 0.
    if (columns > 0 && rows > 1) return { width: columns, height: rows - 1 };
  }
  const width = told("COLUMNS") ?? 80;
  return { width, height: told("LINES") ?? width };
}

/** How help looks where it goes: in colours if a person reads it, as wide as there is room. */
export function helpLook(
  to: { isTerminal(): boolean },
  when: ColorWhen = "auto",
): { columns: number; color: boolean } {
  const terminal = to.isTerminal();
  const depth = colorDepth(when, (name) => Deno.env.get(name), terminal);
  const seen = terminal ? Deno.consoleSize().columns : 0;
  return {
    columns: seen > 0 ? seen : told("COLUMNS") ?? 80,
    color: depth !== "none",
  };
}

/** A number of the environment that makes sense as a size. */
function told(name: string): number | undefined {
  const size = Number(Deno.env.get(name));
  return Number.isInteger(size) && size > 0 && size <= 10_000
    ? size
    : undefined;
}
