import { EVERY_OPTIONS } from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** `occupancy completions`. */
export const COMPLETIONS: CommandSpec = {
  description:
    "Print completions for a shell. In bash, source them; in zsh, keep them as _occupancy on the fpath; in fish, as occupancy.fish among its completions.",
  operand: {
    name: "shell",
    summary: "which shell they are for",
    choices: ["bash", "zsh", "fish"],
    required: true,
  },
  options: EVERY_OPTIONS,
  examples: ["completions bash", "completions zsh > _occupancy"],
  load: async () => (await import("./run.ts")).completions,
};
