/** How options are called in help and in the manual. */
import type { CommandSpec, OptionSpec } from "../arguments/spec.ts";

/** The heading of options that name none. */
const OWN = "Options";

/** Options under their headings; those of every command come last. */
export function grouped(
  options: readonly OptionSpec[],
): Map<string, OptionSpec[]> {
  const groups = new Map<string, OptionSpec[]>();
  for (const option of options) {
    const group = option.group ?? OWN;
    groups.set(group, [...groups.get(group) ?? [], option]);
  }
  return groups;
}

/** As it is written: `--no-request`, `--timeout <duration>`. */
export function usageOf({ name, value, defaultOn }: OptionSpec): string {
  return `--${defaultOn ? "no-" : ""}${name}${
    value === undefined ? "" : ` <${value}>`
  }`;
}

/** As it is completed, without its value: `--no-request`, `--timeout`. */
export function switchName({ name, defaultOn }: OptionSpec): string {
  return `--${defaultOn ? "no-" : ""}${name}`;
}

/** What it does, what can be chosen, and what holds without it. */
export function meaningOf(option: OptionSpec): string {
  const { summary, choices, unset } = option;
  const notes = [
    ...(choices ? [choices.join(" | ")] : []),
    ...(option.default !== undefined ? [`default: ${option.default}`] : []),
    ...(unset !== undefined ? [`default: ${unset}`] : []),
    ...(option.required ? ["required"] : []),
  ];
  return notes.length === 0 ? summary : `${summary} (${notes.join("; ")})`;
}

/** What stands behind the program's name. */
export function synopsisOf(
  name: string,
  { operand, options }: CommandSpec,
): string {
  const required = options.filter((option) => option.required)
    .map((option) => ` ${usageOf(option)}`).join("");
  const word = operand === undefined
    ? ""
    : operand.required
    ? ` <${operand.name}>`
    : ` [${operand.name}]`;
  return `${name}${required}${word} [options]`;
}
