import {
  parseCount,
  parseDuration,
  parseMany,
  parseRate,
  parseSeed,
  parseSpeed,
  parseTimeOfDay,
} from "../../arguments/values.ts";
import {
  BROKER_OPTIONS,
  EVERY_OPTIONS,
  layerOption,
} from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** `occupancy simulate`. */
export const SIMULATE: CommandSpec = {
  description:
    "Send believable readings: desks over a day, rooms with people, robots driving.",
  options: [
    {
      name: "scene",
      short: "s",
      value: "name",
      summary:
        "what is watched: desks in an office, meeting rooms, robots in a warehouse, or a campus of all three",
      choices: ["desks", "rooms", "robots", "campus"],
      default: "campus",
    },
    {
      name: "size",
      value: "n",
      summary: "how many desks, rooms or robots; of a campus, how many desks",
      parse: parseCount,
    },
    {
      name: "seed",
      value: "n",
      summary: "where chance begins: the same, the same again",
      default: "1",
      parse: parseSeed,
    },
    {
      name: "start",
      value: "hh:mm",
      summary: "time of day at the beginning",
      unset: "08:00",
      parse: parseTimeOfDay,
    },
    {
      name: "speed",
      value: "n",
      summary: "how many times as fast as the clock",
      unset: "1",
      parse: parseSpeed,
    },
    {
      name: "rate",
      value: "n",
      summary:
        "readings a second, instead of --speed; max for as fast as they are taken",
      parse: parseRate,
    },
    {
      name: "count",
      value: "n",
      summary: "end after so many readings",
      parse: parseMany,
    },
    {
      name: "duration",
      value: "duration",
      summary:
        "end after so long; of a --dry-run without a pace, so long of the scene's time",
      parse: parseDuration,
    },
    layerOption("layer that the readings belong to"),
    {
      name: "source",
      value: "name",
      summary: "who reports, sent with the readings",
    },
    {
      name: "batch",
      value: "n",
      summary: "readings a message at most",
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
      summary: "with --dry-run: csv or ndjson",
      choices: ["csv", "ndjson"],
      unset: "csv",
    },
    ...BROKER_OPTIONS,
    ...EVERY_OPTIONS,
  ],
  examples: [
    "simulate --speed 60",
    "simulate --scene robots --size 200 --duration 1m",
    "simulate --scene desks --rate 10000 --count 1000000",
    "simulate --dry-run --count 1000",
  ],
  load: async () => (await import("./run.ts")).simulate,
};
