import { parseDuration } from "../../../common/duration.ts";
import type { OccupiedWhen } from "../../../zones/mod.ts";
import {
  COMMON_OPTIONS,
  HTTP_API_OPTIONS,
  PAGER_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import { parseLayer } from "../../arguments/name_values.ts";
import {
  parseLargeCount,
  parsePositiveDuration,
  parseRegion,
  parseTimeout,
} from "../../arguments/number_values.ts";

const SET = "Options of zones set (flags only)";
/** Removes a property. */
const NONE = "none";

/** The options of `occupancy zones`. */
export const ZONES = {
  description:
    "List the zones of a server, import or export all of them as GeoJSON, set the properties of one, or delete some. It uses the server's HTTP address. In a terminal, it asks before zones are deleted. docs/ZONES.md describes zones.",
  operand: {
    name: "action",
    summary: "what to do",
    choices: ["list", "import", "export", "set", "delete"],
    required: true,
    more: {
      name: "word",
      summary:
        "import, export: file with GeoJSON, or - for stdin and stdout; set: zone to change or add; delete: zones",
      file: true,
    },
  },
  options: [
    ...HTTP_API_OPTIONS,
    {
      name: "merge",
      summary: "import: keep the zones that are not in the file",
      flagOnly: true,
    },
    {
      name: "dry-run",
      summary: "import: only check the file; needs no server",
      flagOnly: true,
    },
    {
      name: "yes",
      short: "y",
      summary:
        "delete zones without asking; required if stdin is not a terminal",
    },
    {
      name: "timeout",
      value: "duration",
      summary: "maximum wait for each answer",
      default: "10s",
      parse: parseTimeout,
    },
    { name: "json", summary: "print JSON: an object per zone, or the result" },
    PAGER_OPTION,
    {
      name: "rect",
      value: "x0,y0,x1,y1",
      summary: "the cells of the zone: two opposite corners, both included",
      parse: parseRegion,
      flagOnly: true,
      group: SET,
    },
    {
      name: "layer",
      value: "name",
      summary: "its layer",
      parse: parseLayer,
      flagOnly: true,
      group: SET,
    },
    {
      name: "title",
      value: "text",
      summary: "its title for people; empty removes it",
      flagOnly: true,
      group: SET,
    },
    {
      name: "capacity",
      value: "n",
      summary: "how many it is made for; none removes it",
      parse: orNone(parseLargeCount, "a whole number of at least 1"),
      flagOnly: true,
      group: SET,
    },
    {
      name: "occupied-when",
      value: "rule",
      summary: "from when on it is occupied: cells=1, count=5 or percent=80",
      parse: parseOccupiedWhen,
      flagOnly: true,
      group: SET,
    },
    {
      name: "clear-after",
      value: "duration",
      summary: "how long it must be without occupancy before it is free",
      parse: parseDuration,
      flagOnly: true,
      group: SET,
    },
    {
      name: "stale-after",
      value: "duration",
      summary:
        "when its cells are stale; none: as --stale-after of the server says",
      parse: orNone(parsePositiveDuration, "500ms, 5s, 10m, 2h or 7d"),
      flagOnly: true,
      group: SET,
    },
    ...COMMON_OPTIONS,
  ],
  examples: [
    "zones list",
    "zones set lobby --rect 0,0,9,3 --title Lobby --capacity 20",
    "zones set lobby --clear-after 30s --capacity none",
    "zones export zones.geojson",
    "zones import --dry-run zones.geojson",
    "zones import --merge --url https://map.example zones.geojson",
    "zones delete --yes lobby",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy zones`. */
export type ZonesFlags = FlagsOf<typeof ZONES.options>;

/** The options that are for `zones import` only. */
export const IMPORT_OPTIONS = ["merge", "dryRun"] as const;

/** The options that are for `zones set` only. */
export const SET_OPTIONS = [
  ...["rect", "layer", "title", "capacity", "occupiedWhen"] as const,
  ...["clearAfter", "staleAfter"] as const,
] as const;

/** Returns a parser that also accepts `none`, as null. */
function orNone(
  parse: (text: string) => number,
  form: string,
): (text: string) => number | null {
  return (text) => {
    if (text === NONE) return null;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`Use ${form}, or none.`);
    }
  };
}

/**
 * Parses `cells=1`, `count=5` or `percent=80`.
 *
 * @throws {RangeError} if the text is none of them
 */
function parseOccupiedWhen(text: string): OccupiedWhen {
  const match = /^(cells|count|percent)=(\d{1,15}(?:\.\d{1,6})?)$/.exec(text);
  const [, kind, digits] = match ?? [];
  const least = Number(digits);
  const isValid = kind === "percent" || Number.isInteger(least);
  if (!isValid || !(least > 0)) {
    throw new RangeError("Use cells=1, count=5 or percent=80.");
  }
  if (kind === "cells") return { cells: least };
  return kind === "count" ? { count: least } : { percent: least };
}
