/** Describes an option for help, manual page, docs/CLI.md and completions. */
import {
  type CommandSpec,
  type OperandSpec,
  type OptionSpec,
  variableOf,
} from "../arguments/spec.ts";

/** The heading of options without a group. */
const DEFAULT_GROUP = "Options";

/** Options by their headings, in the order of the table. */
export function grouped(
  options: readonly OptionSpec[],
): Map<string, OptionSpec[]> {
  const groups = new Map<string, OptionSpec[]>();
  for (const option of options) {
    const group = option.group ?? DEFAULT_GROUP;
    groups.set(group, [...groups.get(group) ?? [], option]);
  }
  return groups;
}

/**
 * The flag with its value: `--no-request`, `--timeout <duration>`; the variable
 * of an option without a flag.
 */
export function usageOf(option: OptionSpec): string {
  const { value, settingOnly } = option;
  if (settingOnly) return variableOf(option);
  if (value === undefined) return flagName(option);
  return option.implied === undefined
    ? `${flagName(option)} <${value}>`
    : `${flagName(option)}[=<${value}>]`;
}

/** The flag without its value: `--no-request`, `--timeout`. */
export function flagName({ name, defaultOn }: OptionSpec): string {
  return `--${defaultOn ? "no-" : ""}${name}`;
}

/** The summary with choices and default. */
export function meaningOf(option: OptionSpec): string {
  const { summary, choices, unset } = option;
  const notes = [
    ...(choices ? [choices.join(" | ")] : []),
    ...(option.implied !== undefined
      ? [`without a value: ${option.implied}`]
      : []),
    ...(option.default !== undefined ? [`default: ${option.default}`] : []),
    ...(unset !== undefined ? [`default: ${unset}`] : []),
    ...(option.required ? ["required"] : []),
  ];
  return notes.length === 0 ? summary : `${summary} (${notes.join("; ")})`;
}

/** What an operand is, with its choices. */
export function operandMeaning({ summary, choices }: OperandSpec): string {
  return choices ? `${summary} (${choices.join(" | ")})` : summary;
}

/** The usage of a command, without the program's name. */
export function synopsisOf(
  name: string,
  { operand, options }: CommandSpec,
): string {
  // An operand is another way to write its option.
  const required = options.filter((option) =>
    option.required && option.name !== operand?.option
  )
    .map((option) => ` ${usageOf(option)}`).join("");
  const word = operand === undefined
    ? ""
    : operand.option !== undefined
    ? ` <${operand.name}>...`
    : operand.required
    ? ` <${operand.name}>`
    : ` [${operand.name}]`;
  const more = operand?.more === undefined ? "" : ` [${operand.more.name}...]`;
  return `${name}${required}${word}${more} [options]`;
}
