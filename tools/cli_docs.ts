/**
 * `deno task docs`: writes docs/CLI.md from the option tables of the commands.
 * A test compares the file with the tables.
 *
 * @module
 */
import {
  COMMON_OPTIONS,
  withoutCommon,
} from "../src/cli/arguments/common_options.ts";
import {
  type LoadedCommand,
  loadSpecs,
  type OptionSpec,
  variableOf,
} from "../src/cli/arguments/spec.ts";
import { COMMANDS } from "../src/cli/commands/mod.ts";
import { EXIT_MEANINGS } from "../src/cli/exit_codes.ts";
import { grouped, synopsisOf, usageOf } from "../src/cli/help/option_text.ts";
import { ROOT, writeAtomically } from "./tool.ts";

/** The file that the tool writes. */
export const CLI_DOCS: string = `${ROOT}docs/CLI.md`;

const HEAD = `# Command line

<!-- Written by \`deno task docs\` from the option tables. Do not edit. -->

All commands with all options, their defaults and environment variables. A
checkout runs as \`./occupancy\`, an executable as \`occupancy\`. \`--help\` prints
the same; [USING.md](USING.md) shows examples.`;

const SETTINGS = `## Settings

Each option of a command can be set in four ways. The first one wins:

1. a flag: \`--max-skew 10s\` or \`--max-skew=10s\`
2. an environment variable: \`OCCUPANCY_MAX_SKEW=10s\`; an empty one counts as not
   set
3. the file of \`--config\` or \`OCCUPANCY_CONFIG\`
4. the default

The rules:

- A switch is \`true\` or \`false\` in a variable or the file. On the command line
  \`--no-NAME\` turns it off.
- If two options conflict, such as \`--listen\` and \`--broker\`, the one from the
  stronger source wins. If both come from the same source, it is an error.
- An option is given once; only \`--file\` and \`--webhook\` may be repeated, in
  the file as a list.
- An unknown name or an invalid value is an error. The names in the file are checked
  for all commands.
- \`occupancy config server\` prints the effective settings and their sources, with
  passwords masked.

The file is [TOML](https://toml.io/en/v1.0.0). Its keys are the names of the
options. A key at the top level applies to all commands that have the option, a key
in a table to one command. The key in the table wins.

\`\`\`toml
broker = "mqtts://broker.example"

[server]
stale-after = "5m"
http-token-file = "/etc/occupancy/token"

[request]
region = [0, 0, 9, 9]
\`\`\`

A duration is a number with a unit: \`500ms\`, \`1.5s\`, \`10m\`, \`2h\` or \`7d\`. A
number without a unit is in seconds.

More variables: \`NO_COLOR\` (not empty) turns colours off unless
\`--color always\` is given, \`COLUMNS\` is the width of a table or map in a pipe,
\`PAGER\` is the pager of long tables in a terminal (by default \`less\`, with the
options in \`LESS\`, by default \`FRX\`), and \`OCCUPANCY_DEBUG\` prints stack
traces.`;

if (import.meta.main) await writeAtomically(CLI_DOCS, await cliDocs());

/** The text of docs/CLI.md, formatted. */
export async function cliDocs(): Promise<string> {
  const commands = await loadSpecs(COMMANDS);
  return await format(
    [
      HEAD,
      section("Commands", [
        table(
          ["command", "does"],
          commands.map(({ name, summary }) => [
            `[\`${name}\`](#occupancy-${name})`,
            summary,
          ]),
        ),
      ]),
      ...commands.map(commandSection),
      section("Options of all commands", [optionTable(COMMON_OPTIONS)]),
      SETTINGS,
      section("Exit codes", [
        table(
          ["code", "meaning"],
          EXIT_MEANINGS.map(([code, meaning]) => [code, escape(meaning)]),
        ),
      ]),
    ].join("\n\n"),
  );
}

function commandSection({ name, spec }: LoadedCommand): string {
  const { description, operand, options, examples } = spec;
  const groups = [...grouped(withoutCommon(options))].flatMap((
    [group, members],
  ) => [
    `**${group}**`,
    optionTable(members),
  ]);
  return section(`occupancy ${name}`, [
    escape(description),
    code("text", [`occupancy ${synopsisOf(name, spec)}`]),
    ...(operand === undefined ? [] : [
      `\`${operand.name}\`: ${escape(operand.summary)}${
        operand.choices === undefined ? "" : `; ${listed(operand.choices)}`
      }.`,
    ]),
    ...(operand?.more === undefined
      ? []
      : [`\`${operand.more.name}\`: ${escape(operand.more.summary)}.`]),
    ...groups,
    "Examples:",
    code("text", examples.map((example) => `occupancy ${example}`)),
  ]);
}

function optionTable(options: readonly OptionSpec[]): string {
  return table(
    ["option", "meaning", "default", "variable"],
    options.map((option) => [
      (option.short && !option.defaultOn ? `\`-${option.short}\`, ` : "") +
      (option.settingOnly ? "no flag" : `\`${usageOf(option)}\``),
      escape(option.summary) +
      (option.choices === undefined ? "" : ` (${listed(option.choices)})`),
      defaultOf(option),
      option.flagOnly ? "" : `\`${variableOf(option)}\``,
    ]),
  );
}

function defaultOf(
  { name, default: value, unset, required, defaultOn }: OptionSpec,
): string {
  if (required) return "required";
  if (defaultOn) return `\`--${name}\``;
  return value === undefined ? escape(unset ?? "") : `\`${value}\``;
}

/** Joins words, such as `` `table`, `tsv`, `json` ``. */
function listed(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

function section(title: string, blocks: readonly string[]): string {
  return [`## ${title}`, ...blocks].join("\n\n");
}

function code(language: string, lines: readonly string[]): string {
  return ["```" + language, ...lines, "```"].join("\n");
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Escapes markup, and formats flags and file names as code. */
function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<")
    .replace(
      /--[a-z][a-z-]*(?: (?:json|off|always|original)\b)?|~\/\S*\w|\bSIG[A-Z]+\b/g,
      "`$&`",
    );
}

/** Formats the text with `deno fmt`. */
async function format(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--no-config", "--ext=md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = new Blob([text + "\n"]).stream().pipeTo(child.stdin);
  const [{ success, stdout }] = await Promise.all([child.output(), input]);
  if (!success) throw new Error("Cannot format docs/CLI.md: deno fmt failed");
  return new TextDecoder().decode(stdout);
}
