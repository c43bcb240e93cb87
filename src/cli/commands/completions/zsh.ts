import type { OptionSpec } from "../../arguments/spec.ts";
import type { LoadedCommand } from "../../help/loaded.ts";
import { switchName } from "../../help/option_text.ts";

/** Completions for zsh: to be kept as `_occupancy` on the fpath, or sourced. */
export function zshCompletions(commands: readonly LoadedCommand[]): string {
  const list = commands.map(({ name, summary }) =>
    `    '${name}:${quoted(summary)}'`
  ).join("\n");
  return `#compdef occupancy
# zsh completion for occupancy, made by: occupancy completions zsh

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
  const lines = options.map(argument);
  if (operand) {
    lines.push(`'1:${operand.name}:(${operand.choices.join(" ")})'`);
    // The words behind it are completed as if the command stood first.
    if (operand.rest) lines.push(`'*::words:_occupancy_inner'`);
  }
  const body = lines.map((line) => `        ${line}`).join(" \\\n");
  return `    ${name})\n      _arguments \\\n${body}\n      ;;`;
}

function argument(option: OptionSpec): string {
  const { short, value } = option;
  const long = switchName(option);
  const about = `[${quoted(option.summary)}]`;
  const what = value === undefined ? "" : `:${value}:${completed(option)}`;
  // "=" lets the value follow either a "=" or a space.
  const flag = value === undefined ? long : `${long}=`;
  if (short === undefined) return `'${flag}${about}${what}'`;
  return `'(-${short} ${long})'{-${short},${flag}}'${about}${what}'`;
}

function completed({ choices, file }: OptionSpec): string {
  return choices ? `(${choices.join(" ")})` : file ? "_files" : " ";
}

/** Inside single quotes, and inside the brackets or behind the colon of a specification. */
function quoted(text: string): string {
  return text.replace(/[[\]:]/g, "\\$&").replaceAll("'", "'\\''");
}
