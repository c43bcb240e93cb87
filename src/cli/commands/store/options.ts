import { COMMON_OPTIONS } from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";

/** The options of `occupancy store`. */
export const STORE = {
  description:
    "Copy a store with its layers, revisions, thresholds and zones to another one: to move the map, as a backup, or to restore one. No server may use the file that is copied; it is only read. The copy is read again and compared before a server can see it. Clients of a server with the copy receive all cells once.",
  operand: {
    name: "action",
    summary: "what to do",
    choices: ["copy"],
    required: true,
    more: {
      name: "store",
      summary: "the store to copy, then the new one: sqlite:PATH",
    },
  },
  options: [
    {
      name: "force",
      summary:
        "replace a store that has a map; a file is kept as PATH.before-TIME",
      flagOnly: true,
    },
    ...COMMON_OPTIONS,
  ],
  examples: [
    "store copy sqlite:map.db sqlite:/backup/map-2026-02-01.db",
    "store copy sqlite:/backup/map-2026-02-01.db sqlite:map.db --force",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy store`. */
export type StoreFlags = FlagsOf<typeof STORE.options>;
