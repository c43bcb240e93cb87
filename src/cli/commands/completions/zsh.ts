import {
  flagsAmong,
  type LoadedCommand,
  type OptionSpec,
} from "../../arguments/spec.ts";
import { flagName } from "../../help/option_text.ts";

/** The script for zsh: to save as `_occupancy` on the fpath, or to source. */
export function zshCompletions(commands: readonly LoadedCommand[]): string {
  const list = commands.map(({ name, summary }) =>
    `    '${name}:${quoted(summary)}'`
  ).join("\n");
  return `#compdef occupancy
# zsh completion for occupancy, printed by: occupancy completions zsh

_occupancy() {
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
${list}
    'help:print help for a command'
  )
  _arguments -C \\
    '(-h --help)'{-h,--help}'[print help]' \\
    '(-V --version)'{-V,--version}'[print the version]' \\
    '1:command:->command' \\
    '*::words:->words'
  case $state in
    command) _describe command commands ;;
    words) _occupancy_words ;;
  esac
}

_occupancy_words() {
  case $words[1] in
${commands.map(commandCase).join("\n")}
  esac
}

_occupancy_inner() { _occupancy_words }

if [[ $funcstack[1] == _occupancy ]]; then
  _occupancy "$@"
else
  compdef _occupancy occupancy
fi
`;
}

function commandCase({ name, spec }: LoadedCommand): string {
  const { operand, options } = spec;
  const lines = flagsAmong(options).map(argument);
  if (operand?.option) lines.push(`'*:${operand.name}:_files'`);
  if (operand?.choices) {
    lines.push(`'1:${operand.name}:(${operand.choices.join(" ")})'`);
    // The words after the operand are completed as those of that command.
    if (operand.rest) lines.push(`'*::words:_occupancy_inner'`);
    if (operand.more) {
      const what = operand.more.file ? "_files" : " ";
      lines.push(`'*:${operand.more.name}:${what}'`);
    }
  }
  const body = lines.map((line) => `        ${line}`).join(" \\\n");
  return `    ${name})\n      _arguments \\\n${body}\n      ;;`;
}

function argument(option: OptionSpec): string {
  const { short, value } = option;
  const long = flagName(option);
  const meaning = `[${quoted(option.summary)}]`;
  const completion = value === undefined
    ? ""
    : `${option.implied === undefined ? "" : ":"}:${value}:${
      valueCompletion(option)
    }`;
  // "=" allows a value after "=" and after a space, "=-" only after "=".
  const flag = value === undefined
    ? long
    : option.implied === undefined
    ? `${long}=`
    : `${long}=-`;
  if (short === undefined) return `'${flag}${meaning}${completion}'`;
  const exclusion = option.multiple ? "*" : `(-${short} ${long})`;
  return `'${exclusion}'{-${short},${flag}}'${meaning}${completion}'`;
}

function valueCompletion({ choices, file }: OptionSpec): string {
  return choices ? `(${choices.join(" ")})` : file ? "_files" : " ";
}

/** Escaped for single quotes, and for the brackets and colons of _arguments. */
function quoted(text: string): string {
  return text.replace(/[[\]:]/g, "\\$&").replaceAll("'", "'\\''");
}
