import { COMMON_OPTIONS } from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** The options of `occupancy completions`. */
export const COMPLETIONS = {
  description:
    "Print a completion script. bash: source it. zsh: save it as _occupancy in a folder of the fpath. fish: save it as occupancy.fish in ~/.config/fish/completions.",
  operand: {
    name: "shell",
    summary: "shell to print the script for",
    choices: ["bash", "zsh", "fish"],
    required: true,
  },
  options: COMMON_OPTIONS,
  examples: ["completions bash", "completions zsh > _occupancy"],
} as const satisfies CommandSpec;
