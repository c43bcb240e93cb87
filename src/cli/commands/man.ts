import { EVERY_OPTIONS } from "../options/common.ts";
import type { CommandSpec } from "../options/spec.ts";

/** `occupancy man`. */
export const MAN: CommandSpec = {
  description:
    "Print the manual page, as roff. To read it: occupancy man | man -l -",
  options: EVERY_OPTIONS,
  examples: ["man", "man > occupancy.1"],
  load: async () => (await import("../man.ts")).man,
};
