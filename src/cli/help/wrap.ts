/** What every line begins with, and how long it may be with that. */
export interface WrapOptions {
  /** In characters. */
  readonly width: number;
  /** Spaces before each line. Default 0. */
  readonly indent?: number;
}

/** Breaks a text between words; a word that is longer than a line stands alone. */
export function wrap(
  text: string,
  { width, indent = 0 }: WrapOptions,
): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && indent + longer.length > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((line) => " ".repeat(indent) + line);
}

/** Breaks a command line so that it can still be pasted into a shell. */
export function wrapCommand(
  command: string,
  { width, indent = 0 }: WrapOptions,
): string[] {
  if (indent + command.length <= width) return [" ".repeat(indent) + command];
  const lines = wrap(command, { width: width - 4 }); // two more in, " \" behind
  return lines.map((line, i) =>
    " ".repeat(indent + (i > 0 ? 2 : 0)) + line +
    (i < lines.length - 1 ? " \\" : "")
  );
}
