import { EXIT_MEANINGS } from "../../exit.ts";
import { type OptionSpec, variableOf } from "../../arguments/spec.ts";
import { EVERY_OPTIONS } from "../../arguments/common_options.ts";
import type { LoadedCommand } from "../../help/loaded.ts";
import {
  grouped,
  meaningOf,
  synopsisOf,
  usageOf,
} from "../../help/option_text.ts";

/**
 * The manual page, as roff with the macros of man(7).
 *
 * @param version of the program
 */
export function manPage(
  commands: readonly LoadedCommand[],
  version: string,
): string {
  const every = new Set(EVERY_OPTIONS.map(({ name }) => name));
  return [
    `.TH OCCUPANCY 1 "" "occupancy ${version}" "User Commands"`,
    ".SH NAME",
    "occupancy \\- a live occupancy map over MQTT",
    ".SH SYNOPSIS",
    ...commands.flatMap(({ name, spec }, i) => [
      ...(i > 0 ? [".br"] : []),
      `.B occupancy ${roff(name)}`,
      roff(synopsisOf(name, spec).slice(name.length + 1)),
    ]),
    ".SH DESCRIPTION",
    "Clients report readings, x,y,value; the server keeps the latest value of",
    "every coordinate and hands out the map. A value of 0 is free, above 0 is",
    "occupied (or how many people), below 0 is unknown.",
    ".SH COMMANDS",
    ...commands.flatMap(({ name, spec }) => [
      `.SS occupancy ${roff(name)}`,
      roff(spec.description),
      ...(spec.operand
        ? [
          ".TP",
          `.I ${roff(spec.operand.name)}`,
          roff(`${spec.operand.summary} (${spec.operand.choices.join(", ")})`),
        ]
        : []),
      ...spec.options.filter((option) => !every.has(option.name)).flatMap(
        entry,
      ),
    ]),
    ".SH OPTIONS OF EVERY COMMAND",
    ...[...grouped(EVERY_OPTIONS).values()].flat().flatMap(entry),
    ".SH ENVIRONMENT",
    "Each option is also a variable; a switch takes true or false. A flag wins",
    "over a variable, a variable over the file, and that over the default.",
    ...variables(commands).flatMap(({ variable, of }) => [
      ".TP",
      `.B ${roff(variable)}`,
      roff(of),
    ]),
    ".TP",
    ".B NO_COLOR",
    "If set and not empty, no colours unless \\-\\-color always is given.",
    ".SH FILES",
    "The file of",
    ".B \\-\\-config",
    "is TOML. Its keys are the long names of options. Those at the top are for",
    "every command that has such an option, those in a table for one command:",
    ".PP",
    ".nf",
    'broker = "mqtts://broker.example"',
    ".PP",
    "[server]",
    'stale\\-after = "5m"',
    ".fi",
    ".SH EXIT STATUS",
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => [
      ".TP",
      `.B ${code}`,
      roff(meaning),
    ]),
    ".SH EXAMPLES",
    ...commands.flatMap(({ spec }) =>
      spec.examples.flatMap((example) => [
        ".PP",
        ".nf",
        roff(`occupancy ${example}`),
        ".fi",
      ])
    ),
  ].join("\n") + "\n";
}

function entry(option: OptionSpec): string[] {
  const { short, value, defaultOn, name } = option;
  const long = value === undefined ? usageOf(option) : `--${name}`;
  const bold = (text: string) => `\\fB${roff(text)}\\fR`;
  const what = value === undefined ? "" : ` \\fI${roff(value)}\\fR`;
  const flags = [
    ...(short && !defaultOn ? [bold(`-${short}`)] : []),
    bold(long) + what,
  ];
  return [".TP", flags.join(", "), roff(meaningOf(option))];
}

/** Every variable once, with the flags it stands for. */
function variables(
  commands: readonly LoadedCommand[],
): { variable: string; of: string }[] {
  const options = commands.flatMap(({ spec }) => spec.options)
    .filter(({ flagOnly }) => !flagOnly);
  const named = new Map(
    options.map((option) => [variableOf(option), usageOf(option)]),
  );
  return [...named].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([variable, of]) => ({ variable, of }));
}

/** Text as roff: dashes that can be copied, and nothing taken for a request. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}
