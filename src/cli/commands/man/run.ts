import {
  COMMON_OPTIONS,
  withoutCommon,
} from "../../arguments/common_options.ts";
import {
  type CommandEntry,
  type LoadedCommand,
  loadSpecs,
  type OptionSpec,
  variableOf,
} from "../../arguments/spec.ts";
import { Exit, EXIT_MEANINGS } from "../../exit_codes.ts";
import {
  meaningOf,
  operandMeaning,
  synopsisOf,
  usageOf,
} from "../../help/option_text.ts";
import { writeOut } from "../../terminal/output.ts";
import { VERSION } from "../../version.ts";

/**
 * Runs `occupancy man`.
 *
 * @param _flags not used
 * @param _operands not used
 * @param commands all commands
 */
export async function man(
  _flags: unknown,
  _operands: readonly string[],
  commands: readonly CommandEntry[],
): Promise<number> {
  writeOut(manPage(await loadSpecs(commands), VERSION));
  return Exit.ok;
}

/**
 * The manual page in roff, with the macros of man(7).
 *
 * @param commands all commands
 * @param version the program's version
 */
function manPage(
  commands: readonly LoadedCommand[],
  version: string,
): string {
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
    "Clients publish readings, x,y,value. The server stores the latest value of",
    "every coordinate and returns the map to every client that requests it. A",
    "value of 0 means free, above 0 occupied (or the number of people), below 0",
    "unknown.",
    ".SH COMMANDS",
    ...commands.flatMap(({ name, spec }) => [
      `.SS occupancy ${roff(name)}`,
      roff(spec.description),
      ...(spec.operand
        ? [
          ".TP",
          `.I ${roff(spec.operand.name)}`,
          roff(operandMeaning(spec.operand)),
        ]
        : []),
      ...(spec.operand?.more
        ? [
          ".TP",
          `.I ${roff(spec.operand.more.name)}`,
          roff(spec.operand.more.summary),
        ]
        : []),
      ...withoutCommon(spec.options).flatMap(entry),
    ]),
    ".SH OPTIONS OF ALL COMMANDS",
    ...COMMON_OPTIONS.flatMap(entry),
    ".SH ENVIRONMENT",
    "Each option is also an environment variable; a switch takes true or false.",
    "A flag wins over a variable, a variable over the file, the file over the",
    "default.",
    ...variables(commands).flatMap(({ variable, flag }) => [
      ".TP",
      `.B ${roff(variable)}`,
      roff(flag),
    ]),
    ".TP",
    ".B NO_COLOR",
    "If not empty: no colours, except with \\-\\-color always.",
    ".TP",
    ".BR PAGER ,\\ LESS",
    "The pager of long tables in a terminal, by default less, and its options, by default FRX.",
    ".SH FILES",
    "The file of",
    ".B \\-\\-config",
    "is TOML. Its keys are the long names of options. Keys at the top level are for",
    "all commands that have such an option, keys in a table for one command:",
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

/** An option with its meaning. */
function entry(option: OptionSpec): string[] {
  const { short, value, defaultOn, name, settingOnly, implied } = option;
  const isPlain = value === undefined || settingOnly;
  const long = isPlain ? usageOf(option) : `--${name}`;
  const bold = (text: string) => `\\fB${roff(text)}\\fR`;
  const argument = isPlain
    ? ""
    : implied === undefined
    ? ` \\fI${roff(value)}\\fR`
    : `[=\\fI${roff(value)}\\fR]`;
  const flags = [
    ...(short && !defaultOn ? [bold(`-${short}`)] : []),
    bold(long) + argument,
  ];
  return [".TP", flags.join(", "), roff(meaningOf(option))];
}

/** All environment variables, each once, with their flags. */
function variables(
  commands: readonly LoadedCommand[],
): { variable: string; flag: string }[] {
  const options = commands.flatMap(({ spec }) => spec.options)
    .filter(({ flagOnly }) => !flagOnly);
  const named = new Map(
    options.map((option) => [
      variableOf(option),
      option.settingOnly ? option.summary : usageOf(option),
    ]),
  );
  return [...named].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([variable, flag]) => ({ variable, flag }));
}

/** Escapes a text: dashes stay ASCII, and no line starts a roff request. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}
