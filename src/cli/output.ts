/** Data goes to stdout, everything said to people goes to stderr. */

const encoder = new TextEncoder();

/** Writes all of it to stdout. @throws {Deno.errors.BrokenPipe} if the reader left */
export function writeOut(data: string | Uint8Array): void {
  writeAll(Deno.stdout, data);
}

/** Says one line to the person at the terminal. */
export function say(line: string): void {
  try {
    writeAll(Deno.stderr, line + "\n");
  } catch {
    // Nobody listens; that must not end a server.
  }
}

function writeAll(
  to: { writeSync(bytes: Uint8Array): number },
  data: string | Uint8Array,
): void {
  let rest = typeof data === "string" ? encoder.encode(data) : data;
  while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
}

/** True if a person may see colour there (https://no-color.org). */
export function wantsColor(): boolean {
  return !Deno.env.get("NO_COLOR") && Deno.stdout.isTerminal();
}

/** Columns of the terminal; 80 where there is none. */
export function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
