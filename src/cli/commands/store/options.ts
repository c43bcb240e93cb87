import { COMMON_OPTIONS } from "../../arguments/common_options.ts";
import {
  type CommandSpec,
  type FlagsOf,
  pickOptions,
} from "../../arguments/spec.ts";
import {
  REDIS_ACCESS_OPTIONS,
  REDIS_OPTIONS,
} from "../../arguments/store_options.ts";

/** The options of `occupancy store`. */
export const STORE = {
  description:
    "Copy a store with its layers, revisions, thresholds, zones and history to another one: to move the map, as a backup, or to restore one. No server may use a file that is copied; it is only read. Servers may use a store in Redis that is copied. The copy is read again and compared before a server can see it. Clients of a server with the copy receive all cells once.",
  operand: {
    name: "action",
    summary: "what to do",
    choices: ["copy"],
    required: true,
    more: {
      name: "store",
      summary:
        "the store to copy, then the new one: sqlite:PATH or redis://HOST:PORT/PREFIX",
    },
  },
  options: [
    {
      name: "force",
      summary:
        "replace a store that has a map: a file is kept as PATH.before-TIME, a map in Redis is lost",
      flagOnly: true,
    },
    ...pickOptions(REDIS_OPTIONS, ["shards"]),
    ...REDIS_ACCESS_OPTIONS,
    ...COMMON_OPTIONS,
  ],
  examples: [
    "store copy sqlite:map.db sqlite:/backup/map-2026-02-01.db",
    "store copy sqlite:/backup/map-2026-02-01.db sqlite:map.db --force",
    "store copy sqlite:map.db redis://redis-1,redis-2/hall",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy store`. */
export type StoreFlags = FlagsOf<typeof STORE.options>;
