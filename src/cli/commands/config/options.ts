import {
  COMMON_OPTIONS,
  PAGER_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";

/** The commands whose settings can be shown, in the order of help. */
export const CONFIGURABLE = [
  "server",
  "client",
  "request",
  "layers",
  "zones",
  "simulate",
  "doctor",
] as const;

/** The options of `occupancy config`. */
export const CONFIG = {
  description:
    "Show the effective settings of a command, and the source of each: a flag, an environment variable, the --config file, or the default. Passwords are masked.",
  operand: {
    name: "command",
    summary:
      "command whose settings to show; the flags after it are those of this command",
    choices: CONFIGURABLE,
    required: false,
    rest: true,
  },
  options: [
    { name: "json", summary: "print one JSON object per setting" },
    PAGER_OPTION,
    ...COMMON_OPTIONS,
  ],
  examples: [
    "config server",
    "config --json request",
    "config server --config occupancy.toml --max-skew 10s",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy config`. */
export type ConfigFlags = FlagsOf<typeof CONFIG.options>;
