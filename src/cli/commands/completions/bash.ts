import type { OptionSpec } from "../../arguments/spec.ts";
import type { LoadedCommand } from "../../help/loaded.ts";
import { switchName } from "../../help/option_text.ts";

/** Completions for bash 3.2 and later; bash-completion is not needed. */
export function bashCompletions(commands: readonly LoadedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion for occupancy, made by: occupancy completions bash
_occupancy() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local command= inner= word i
  # "--format=js" comes as three words.
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
  local words=
  case $command in
    "") words=${single(`${names} help --help --version`)} ;;
${commands.map(wordsCase).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _occupancy occupancy
`;
}

/** What comes behind an option that takes a value. */
function valueCases({ name, spec }: LoadedCommand): string[] {
  return spec.options.filter(({ value }) => value !== undefined).map(
    (option) => {
      const flags = [
        `--${option.name}`,
        ...(option.short ? [`-${option.short}`] : []),
      ]
        .map((flag) => single(`${name} ${flag}`)).join("|");
      return `    ${flags}) ${completed(option)}; return ;;`;
    },
  );
}

function completed({ choices, file }: OptionSpec): string {
  if (choices) {
    return `COMPREPLY=($(compgen -W ${single(choices.join(" "))} -- "$cur"))`;
  }
  return file
    ? `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`
    : "return";
}

function wordsCase({ name, spec }: LoadedCommand): string {
  const flags = spec.options.map(switchName);
  const words = [...spec.operand?.choices ?? [], ...flags];
  return `    ${name}) words=${single(words.join(" "))} ;;`;
}

function single(text: string): string {
  return `'${text}'`;
}
