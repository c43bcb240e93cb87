import {
  parseAt,
  parseCount,
  parseRegion,
  parseWait,
} from "../../arguments/values.ts";
import {
  BROKER_OPTIONS,
  EVERY_OPTIONS,
  FORMAT_OPTIONS,
  layerOption,
  TIMEOUT_OPTION,
  WIRE_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** `occupancy request`. */
export const REQUEST: CommandSpec = {
  description:
    "Ask for the map, or a part of it, and print it; or watch it change.",
  options: [
    layerOption("layer to ask for"),
    {
      name: "region",
      short: "r",
      value: "x0,y0,x1,y1",
      summary:
        "only this rectangle: two opposite corners, in any order, both included",
      parse: parseRegion,
    },
    {
      name: "at",
      value: "x,y",
      summary: "only this cell",
      parse: parseAt,
      conflictsWith: ["region"],
      conflictHint: "A cell is a region of its own: leave one out.",
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
        "then what changes: a live table or --map in a terminal, else a line a change",
    },
    {
      name: "count",
      value: "n",
      summary: "with --watch: end after so many changes",
      parse: parseCount,
    },
    {
      name: "for",
      value: "duration",
      summary: "with --watch: end after so long, such as 10s",
      parse: parseWait,
    },
    {
      name: "test",
      summary:
        "print occupied, free, stale or unknown (nothing with --quiet), and exit with 0, 10, 11, 11",
    },
    ...BROKER_OPTIONS,
    WIRE_OPTION,
    TIMEOUT_OPTION,
    ...EVERY_OPTIONS,
  ],
  examples: [
    "request",
    "request --region -10,-10,10,10",
    "request --at -1,4 --json",
    "request --map --watch",
    "request --at 3,4 --test --quiet && echo occupied",
  ],
  load: async () => (await import("./run.ts")).request,
};
