/** Options of {@linkcode wrap} and {@linkcode wrapCommand}. */
export interface WrapOptions {
  /** The maximum length of a line with its indent, in characters. */
  readonly width: number;
  /** Spaces before each line. Default 0. */
  readonly indent?: number;
}

/** Breaks a text between words. A word longer than a line gets its own line. */
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

/** Breaks a command line with backslashes, so that a shell accepts it. */
export function wrapCommand(
  command: string,
  { width, indent = 0 }: WrapOptions,
): string[] {
  if (indent + command.length <= width) return [" ".repeat(indent) + command];
  const lines = wrap(command, { width: width - 4 }); // 2 of indent, " \" at the end
  return lines.map((line, i) =>
    " ".repeat(indent + (i > 0 ? 2 : 0)) + line +
    (i < lines.length - 1 ? " \\" : "")
  );
}
