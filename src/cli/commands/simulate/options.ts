import {
  BROKER_OPTIONS,
  COMMON_OPTIONS,
  layerOption,
  SOURCE_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import {
  parseCount,
  parseLargeCount,
  parsePositiveDuration,
  parseRate,
  parseSeed,
  parseSpeed,
  parseTimeOfDay,
} from "../../arguments/number_values.ts";

/** The options of `occupancy simulate`. */
export const SIMULATE = {
  description:
    "Send the readings of simulated sensors: desks and parking bays over a day, meeting rooms, moving robots.",
  options: [
    {
      name: "scene",
      short: "s",
      value: "name",
      summary:
        "desks of an office, meeting rooms, a car park, robots in a warehouse, or a campus of desks, rooms and robots",
      choices: ["desks", "rooms", "parking", "robots", "campus"],
      default: "campus",
    },
    {
      name: "size",
      value: "n",
      summary:
        "number of desks, rooms, bays or robots; for a campus, of its desks",
      parse: parseCount,
    },
    {
      name: "seed",
      value: "n",
      summary: "random seed; the same seed repeats the run",
      default: "1",
      parse: parseSeed,
    },
    {
      name: "start",
      value: "hh:mm",
      summary: "simulated time of day at the start",
      unset: "08:00",
      parse: parseTimeOfDay,
    },
    {
      name: "speed",
      value: "n",
      summary: "speed of simulated time; 60: an hour per minute",
      unset: "1",
      parse: parseSpeed,
    },
    {
      name: "rate",
      value: "n",
      summary: "readings per second, instead of --speed; max: no limit",
      parse: parseRate,
    },
    {
      name: "count",
      value: "n",
      summary: "end after n readings",
      parse: parseLargeCount,
    },
    {
      name: "duration",
      value: "duration",
      summary:
        "end after this time; with --dry-run, but without --rate and --speed, in simulated time",
      parse: parsePositiveDuration,
    },
    layerOption("layer of the readings and zones"),
    SOURCE_OPTION,
    {
      name: "batch",
      value: "n",
      summary: "maximum number of readings per message",
      unset: "100",
      parse: parseCount,
    },
    {
      name: "dry-run",
      summary: "print the readings instead of sending them",
    },
    {
      name: "format",
      value: "form",
      summary: "format of --dry-run",
      choices: ["csv", "ndjson"],
      unset: "csv",
    },
    {
      name: "print-zones",
      summary:
        "print the zones of the scene, such as its rooms, as GeoJSON, and end",
      conflictsWith: [
        ...["dry-run", "format", "rate", "speed", "count", "duration"],
        ...["batch", "source"],
      ],
      conflictHint:
        "Use one command for the zones and another one for the readings.",
    },
    ...BROKER_OPTIONS,
    ...COMMON_OPTIONS,
  ],
  examples: [
    "simulate --speed 60",
    "simulate --scene robots --size 200 --duration 1m",
    "simulate --scene desks --rate 10000 --count 1000000",
    "simulate --dry-run --count 1000",
    "simulate --print-zones | occupancy zones import -",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy simulate`. */
export type SimulateFlags = FlagsOf<typeof SIMULATE.options>;
