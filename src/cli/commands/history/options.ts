import {
  COMMON_OPTIONS,
  HTTP_API_OPTIONS,
  layerOption,
  PAGER_OPTION,
} from "../../arguments/common_options.ts";
import { parseTimeZone, parseZone } from "../../arguments/name_values.ts";
import { parseRegion, parseTimeout } from "../../arguments/number_values.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import { parseDays, parseHours, parseTime } from "./values.ts";

const QUESTION = "Question (flags only)";
const OUTPUT = "Output";

/** The options of `occupancy history`. */
export const HISTORY = {
  description:
    "Ask a server about the past: how many were in a zone, a region or a layer, step by step; with --at the map at a time; with --utilisation how much each cell was used. info prints what is recorded, prune deletes what is older. It uses the server's HTTP address. Unknown time is neither occupied nor free: every figure comes with the part of the time that is known, and a time without records is drawn as · in tables.",
  operand: {
    name: "action",
    summary:
      "info: what is recorded; prune: delete the records before --before",
    choices: ["info", "prune"],
    required: false,
  },
  options: [
    {
      name: "at",
      value: "time",
      summary:
        "the map at this time: 2026-01-31T12:00, 2026-01-31T12:00:00Z, -2h, or ms since 1970",
      parse: parseTime,
      flagOnly: true,
      conflictsWith: ["from", "to", "step", "zone", "utilisation"],
      conflictHint: "--at is one time, with all cells: remove one of them.",
      group: QUESTION,
    },
    {
      name: "zone",
      value: "name",
      summary: "this zone, such as a room, instead of a layer",
      parse: parseZone,
      flagOnly: true,
      conflictsWith: ["layer", "region", "utilisation"],
      conflictHint: "A zone has its layer and cells: remove one of them.",
      group: QUESTION,
    },
    {
      name: "utilisation",
      short: "u",
      summary: "how much each cell was used",
      flagOnly: true,
      conflictsWith: ["step"],
      conflictHint: "--utilisation has no steps: remove one of them.",
      group: QUESTION,
    },
    {
      name: "from",
      value: "time",
      summary: "first time, in a form of --at",
      unset: "-1d; with --utilisation -7d",
      parse: parseTime,
      flagOnly: true,
      group: QUESTION,
    },
    {
      name: "to",
      value: "time",
      summary: "the time after the last",
      unset: "now",
      parse: parseTime,
      flagOnly: true,
      group: QUESTION,
    },
    {
      name: "step",
      value: "duration",
      summary: "length of a step",
      choices: ["15m", "1h", "1d", "1w"],
      unset: "1h",
      flagOnly: true,
      group: QUESTION,
    },
    {
      name: "days",
      value: "list",
      summary:
        "with --utilisation: days of the week that count, 1 Monday to 7 Sunday, such as 1-5",
      unset: "all",
      parse: parseDays,
      flagOnly: true,
      group: QUESTION,
    },
    {
      name: "hours",
      value: "from-to",
      summary: "with --utilisation: hours of the day that count, such as 8-18",
      unset: "all",
      parse: parseHours,
      flagOnly: true,
      group: QUESTION,
    },
    {
      name: "before",
      value: "time",
      summary: "prune: delete what was recorded before this time",
      parse: parseTime,
      flagOnly: true,
      group: QUESTION,
    },
    layerOption("layer to ask about"),
    {
      name: "region",
      short: "r",
      value: "x0,y0,x1,y1",
      summary:
        "only this rectangle: two opposite corners in any order, both included",
      parse: parseRegion,
    },
    {
      name: "timezone",
      value: "name",
      summary: "time zone of dates, days and weeks, such as Europe/Berlin",
      unset: "that of the server",
      parse: parseTimeZone,
    },
    ...HTTP_API_OPTIONS,
    {
      name: "timeout",
      value: "duration",
      summary: "maximum wait for each answer",
      default: "30s",
      parse: parseTimeout,
    },
    {
      name: "yes",
      short: "y",
      summary: "prune without asking; required if stdin is not a terminal",
    },
    {
      name: "format",
      value: "form",
      summary:
        "table, map (with --at), csv, ndjson, json (the answer of the server) or parquet",
      choices: ["table", "map", "csv", "ndjson", "json", "parquet"],
      unset: "table in a terminal, csv in a pipe",
      flagOnly: true,
      group: OUTPUT,
    },
    {
      name: "map",
      short: "m",
      summary: "the same as --format map",
      flagOnly: true,
      conflictsWith: ["format", "json"],
      conflictHint: "--map is the same as --format map: use one of them.",
      group: OUTPUT,
    },
    {
      name: "json",
      summary: "the same as --format json",
      conflictsWith: ["format"],
      conflictHint: "--json is the same as --format json: use one of them.",
      group: OUTPUT,
    },
    {
      name: "times",
      value: "form",
      summary: "times in csv and ndjson: RFC 3339, or milliseconds since 1970",
      choices: ["rfc3339", "ms"],
      unset: "rfc3339",
      group: OUTPUT,
    },
    {
      name: "output",
      short: "o",
      value: "file",
      summary: "write to this file; required for parquet",
      file: true,
      flagOnly: true,
      group: OUTPUT,
    },
    { ...PAGER_OPTION, group: OUTPUT },
    ...COMMON_OPTIONS,
  ],
  examples: [
    "history --zone lobby",
    "history --zone lobby --from -30d --step 1d --format csv",
    "history --at 2026-01-27T10:00 --map",
    "history --utilisation --days 1-5 --hours 8-18 --from -30d",
    "history --region 0,0,9,9 --from 2026-01-01 --format parquet -o january.parquet",
    "history info",
    "history prune --before -90d",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy history`. */
export type HistoryFlags = FlagsOf<typeof HISTORY.options>;
