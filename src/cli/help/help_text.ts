/** The texts of `--help`. */
import type { CommandEntry, CommandSpec } from "../arguments/spec.ts";
import {
  grouped,
  meaningOf,
  operandMeaning,
  synopsisOf,
  usageOf,
} from "./option_text.ts";

/** Maximum width of a line, in characters: wider lines are hard to read. */
const MAX_WIDTH = 100;
const MIN_WIDTH = 30;
/**
 * Minimum width of the meanings, in characters. In narrower terminals they are
 * printed below the terms.
 */
const MIN_MEANING_WIDTH = 24;

const ABOUT =
  "A live occupancy map over MQTT. Clients publish x,y,value; the server stores the latest value of every coordinate and returns the map to every client that requests it.";
const SETTINGS =
  "Each option is also an environment variable (OCCUPANCY_MAX_SKEW for --max-skew) and a key of the --config file. A flag wins over a variable, a variable over the file. occupancy config shows the effective settings.";
const EXAMPLES = [
  "server",
  "client --file client1.json",
  "request --region 0,0,9,9",
];

/** Layout of help. */
export interface HelpLayout {
  /** The width of the terminal, in characters. */
  readonly columns: number;
  readonly color: boolean;
}

/** Help for the program: all commands. */
export function programHelp(
  commands: readonly CommandEntry[],
  layout: HelpLayout,
): string {
  const page = new Page(layout);
  page.usage("<command> [options]");
  page.paragraph(ABOUT);
  page.list(
    "Commands",
    commands.map(({ name, summary }) => ({ term: name, meaning: summary })),
  );
  page.list("Options", [
    { short: "h", term: "--help", meaning: "print this help" },
    { short: "V", term: "--version", meaning: "print the version" },
  ]);
  page.paragraph("occupancy <command> --help describes a command.");
  page.examples(EXAMPLES);
  return page.text;
}

/** Help for one command. */
export function commandHelp(
  name: string,
  spec: CommandSpec,
  layout: HelpLayout,
): string {
  const { description, operand, options, examples } = spec;
  const page = new Page(layout);
  page.usage(synopsisOf(name, spec));
  page.paragraph(description);
  if (operand) {
    page.list("Arguments", [
      { term: `<${operand.name}>`, meaning: operandMeaning(operand) },
      ...(operand.more === undefined ? [] : [
        { term: `[${operand.more.name}...]`, meaning: operand.more.summary },
      ]),
    ]);
  }
  for (const [group, members] of grouped(options)) {
    page.list(
      group,
      members.map((option) => ({
        short: option.short,
        term: usageOf(option),
        meaning: meaningOf(option),
      })),
    );
  }
  page.paragraph(SETTINGS);
  page.examples(examples);
  return page.text;
}

/** An entry of a list. */
interface Entry {
  /** The letter of the short flag. */
  readonly short?: string | undefined;
  readonly term: string;
  readonly meaning: string;
}

/** A help text, built block by block. */
class Page {
  readonly #width: number;
  readonly #color: boolean;
  #blocks: string[] = [];

  constructor({ columns, color }: HelpLayout) {
    this.#width = Math.max(MIN_WIDTH, Math.min(columns, MAX_WIDTH));
    this.#color = color;
  }

  get text(): string {
    return this.#blocks.join("\n\n") + "\n";
  }

  usage(words: string): void {
    const [first, ...rest] = wrap(`occupancy ${words}`, {
      width: this.#width - "Usage: ".length,
    });
    this.#blocks.push([
      `${this.#bold("Usage:")} ${first}`,
      ...rest.map((line) => " ".repeat(9) + line),
    ].join("\n"));
  }

  paragraph(text: string): void {
    this.#blocks.push(wrap(text, { width: this.#width }).join("\n"));
  }

  list(heading: string, entries: readonly Entry[]): void {
    const shorts = entries.some(({ short }) => short !== undefined);
    const termOf = ({ short, term }: Entry) =>
      `${short ? `-${short}, ` : shorts ? "    " : ""}${term}`;
    const column = Math.max(...entries.map((entry) => termOf(entry).length)) +
      4;
    const beside = this.#width - column >= MIN_MEANING_WIDTH;
    const lines = entries.flatMap((entry) => {
      const width = this.#width;
      const term = `  ${termOf(entry)}`;
      if (!beside) {
        const { short, term } = entry;
        return [
          `  ${short ? `-${short}, ` : ""}${term}`,
          ...wrap(entry.meaning, { width, indent: 6 }),
        ];
      }
      const meaning = wrap(entry.meaning, { width, indent: column });
      return [
        term + meaning[0]!.slice(term.length),
        ...meaning.slice(1),
      ];
    });
    this.#blocks.push([this.#bold(`${heading}:`), ...lines].join("\n"));
  }

  examples(commands: readonly string[]): void {
    const lines = commands.flatMap((command) =>
      wrapCommand(`occupancy ${command}`, { width: this.#width, indent: 2 })
    );
    this.#blocks.push([this.#bold("Examples:"), ...lines].join("\n"));
  }

  #bold(text: string): string {
    return this.#color ? `\x1b[1m${text}\x1b[0m` : text;
  }
}

/** Options of {@linkcode wrap} and {@linkcode wrapCommand}. */
interface WrapOptions {
  /** The maximum length of a line with its indent, in characters. */
  readonly width: number;
  /** Spaces before each line. Default 0. */
  readonly indent?: number;
}

/** Breaks a text between words. A word longer than a line gets its own line. */
function wrap(
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
function wrapCommand(
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
