import { COMMON_OPTIONS } from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** The options of `occupancy man`. */
export const MAN = {
  description:
    "Print the manual page in roff format. To read it: occupancy man | man -l -",
  options: COMMON_OPTIONS,
  examples: ["man", "man > occupancy.1"],
} as const satisfies CommandSpec;
