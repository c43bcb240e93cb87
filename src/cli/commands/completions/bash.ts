import {
  flagsAmong,
  type LoadedCommand,
  type OptionSpec,
  takesNextWord,
} from "../../arguments/spec.ts";
import { flagName } from "../../help/option_text.ts";

/** The script for bash 3.2 and later; it does not need bash-completion. */
export function bashCompletions(commands: readonly LoadedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion for occupancy, printed by: occupancy completions bash
_occupancy() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local command= inner= word i
  # bash splits "--format=js" into three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${names.replaceAll(" ", "|")})
        [[ -z $command ]] && command=$word
        [[ $command == config ]] && inner=$word
        ;;
    esac
  done
  [[ -n $inner ]] && command=$inner
  COMPREPLY=()
  case "$command $prev" in
${commands.flatMap(valueCases).join("\n")}
  esac
  local words= files=
  case $command in
    "") words=${quoted(`${names} help --help --version`)} ;;
${commands.map(wordsCase).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $files && $cur != -* ]]; then
    compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
complete -F _occupancy occupancy
`;
}

/** Completions of the values of options. */
function valueCases({ name, spec }: LoadedCommand): string[] {
  return flagsAmong(spec.options).filter(takesNextWord)
    .map(
      (option) => {
        const flags = [
          `--${option.name}`,
          ...(option.short ? [`-${option.short}`] : []),
        ]
          .map((flag) => quoted(`${name} ${flag}`)).join("|");
        return `    ${flags}) ${valueCompletion(option)}; return ;;`;
      },
    );
}

function valueCompletion({ choices, file }: OptionSpec): string {
  if (choices) {
    return `COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$cur"))`;
  }
  return file
    ? `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`
    : "return";
}

function wordsCase({ name, spec }: LoadedCommand): string {
  const flags = flagsAmong(spec.options).map(flagName);
  const { operand } = spec;
  const words = [...operand?.choices ?? [], ...flags];
  const files = operand?.option || operand?.more?.file ? " files=true" : "";
  return `    ${name}) words=${quoted(words.join(" "))}${files} ;;`;
}

/** In single quotes. */
function quoted(text: string): string {
  return `'${text}'`;
}
