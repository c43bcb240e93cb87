import {
  flagsAmong,
  type LoadedCommand,
  type OptionSpec,
  takesNextWord,
} from "../../arguments/spec.ts";
import { flagName } from "../../help/option_text.ts";

/** The script for fish 3 and later. */
export function fishCompletions(commands: readonly LoadedCommand[]): string {
  const lines = [
    "# fish completion for occupancy, printed by: occupancy completions fish",
    "complete -c occupancy -f",
    ...commands.map(({ name, summary }) =>
      `complete -c occupancy -n __fish_use_subcommand -a ${name} -d ${
        quoted(summary)
      }`
    ),
    "complete -c occupancy -n __fish_use_subcommand -a help -d 'print help for a command'",
    "complete -c occupancy -n __fish_use_subcommand -s h -l help -d 'print help'",
    "complete -c occupancy -n __fish_use_subcommand -s V -l version -d 'print the version'",
    ...commands.flatMap(commandLines),
  ];
  return lines.join("\n") + "\n";
}

function commandLines({ name, spec }: LoadedCommand): string[] {
  const when = `complete -c occupancy -n '__fish_seen_subcommand_from ${name}'`;
  const { operand, options } = spec;
  return [
    ...(operand?.choices
      ? [
        `complete -c occupancy -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${
          operand.choices.join(" ")
        }' -a '${operand.choices.join(" ")}' -d ${quoted(operand.summary)}`,
      ]
      : []),
    ...(operand?.option || operand?.more?.file ? [`${when} -F`] : []),
    ...flagsAmong(options).map((option) => `${when} ${argument(option)}`),
  ];
}

function argument(option: OptionSpec): string {
  const { short, summary, choices, file } = option;
  const completion = !takesNextWord(option)
    ? ""
    : choices
    ? ` -x -a '${choices.join(" ")}'`
    : file
    ? " -r -F"
    : " -x";
  return `${short ? `-s ${short} ` : ""}-l ${
    flagName(option).slice(2)
  }${completion} -d ${quoted(summary)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
