import { EVERY_OPTIONS } from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** `occupancy config`. */
export const CONFIG: CommandSpec = {
  description:
    "Print what is in force for a command, and where each setting comes from: a flag, a variable, the --config file, or the default. Passwords are masked.",
  operand: {
    name: "command",
    summary: "whose settings; flags behind it are taken as that command's",
    choices: ["server", "client", "request", "simulate", "doctor"],
    required: false,
    rest: true,
  },
  options: [
    {
      name: "json",
      summary: "an object a setting, for a program",
    },
    ...EVERY_OPTIONS,
  ],
  examples: [
    "config server",
    "config --json request",
    "config server --config occupancy.toml --max-skew 10s",
  ],
  load: async () => (await import("./run.ts")).config,
};
