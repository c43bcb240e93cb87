import { EVERY_OPTIONS } from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** `occupancy man`. */
export const MAN: CommandSpec = {
  description:
    "Print the manual page, as roff. To read it: occupancy man | man -l -",
  options: EVERY_OPTIONS,
  examples: ["man", "man > occupancy.1"],
  load: async () => (await import("./run.ts")).man,
};
