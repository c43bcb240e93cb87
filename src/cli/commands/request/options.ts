import {
  BROKER_OPTIONS,
  COMMON_OPTIONS,
  FORMAT_OPTIONS,
  layerOption,
  TIMEOUT_OPTION,
  WIRE_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import { parseZone } from "../../arguments/name_values.ts";
import {
  parseAt,
  parseCount,
  parseRegion,
  parseTimeout,
} from "../../arguments/number_values.ts";

/** The options of `occupancy request`. */
export const REQUEST = {
  description:
    "Request the map, a part of it, zones or sources, and print them. With --watch, follow the changes.",
  options: [
    layerOption("layer to request"),
    {
      name: "region",
      short: "r",
      value: "x0,y0,x1,y1",
      summary:
        "only this rectangle: two opposite corners in any order, both included",
      parse: parseRegion,
    },
    {
      name: "at",
      value: "x,y",
      summary: "only this cell",
      parse: parseAt,
      conflictsWith: ["region"],
      conflictHint: "Use one of them: --at is the region of one cell.",
    },
    {
      name: "zone",
      value: "name",
      summary: "the state of this zone, such as a room, instead of cells",
      parse: parseZone,
      flagOnly: true,
      conflictsWith: ["zones", "layer", "region", "at", "map", "sources"],
      conflictHint: "--zone shows one zone, with all its cells: remove one.",
    },
    {
      name: "zones",
      summary: "all zones, the fullest first, instead of cells",
      flagOnly: true,
      conflictsWith: ["layer", "region", "at", "map", "sources"],
      conflictHint: "--zones shows zones, not cells: remove one of them.",
    },
    ...FORMAT_OPTIONS,
    {
      name: "map",
      short: "m",
      summary: "draw a map that fits the terminal",
    },
    {
      name: "watch",
      short: "w",
      summary:
        "follow the changes: in a terminal a live table, or a live map with --map; in a pipe one change per line",
    },
    {
      name: "count",
      value: "n",
      summary: "with --watch: end after n changes",
      parse: parseCount,
    },
    {
      name: "for",
      value: "duration",
      summary: "with --watch: end after this time, such as 10s",
      parse: parseTimeout,
    },
    {
      name: "sources",
      summary:
        "the sources of readings instead of cells, silent ones first: the last reading of each, its rate and its refused readings",
      conflictsWith: [
        ...["layer", "region", "at", "map", "watch"],
        ...["count", "for", "test", "times"],
      ],
      conflictHint: "--sources shows a list of sources: remove the other one.",
    },
    {
      name: "test",
      summary:
        "print the status (nothing with --quiet) and set the exit code: 0 occupied, 10 free, 11 stale or unknown",
    },
    ...BROKER_OPTIONS,
    WIRE_OPTION,
    TIMEOUT_OPTION,
    ...COMMON_OPTIONS,
  ],
  examples: [
    "request",
    "request --region -10,-10,10,10",
    "request --at -1,4 --json",
    "request --map --watch",
    "request --at 3,4 --test --quiet && echo occupied",
    "request --sources",
    "request --zones --watch",
    "request --zone lobby --json",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy request`. */
export type RequestFlags = FlagsOf<typeof REQUEST.options>;
