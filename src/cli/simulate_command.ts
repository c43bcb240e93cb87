import { type Command, Option } from "commander";
import { SCENES } from "../simulate/mod.ts";
import { parsing } from "./parsing.ts";
import {
  parseCount,
  parseDuration,
  parseMany,
  parseRate,
  parseSeed,
  parseSpeed,
  parseTimeOfDay,
} from "./values.ts";

/** Adds the options of `occupancy simulate` that it has alone. */
export function withSimulation(command: Command): Command {
  return command
    .addOption(
      new Option(
        "-s, --scene <name>",
        "what is watched: desks in an office, meeting rooms, robots in a warehouse, or a campus of all three",
      ).choices(SCENES).default("campus"),
    )
    .option(
      "--size <n>",
      "how many desks, rooms or robots; of a campus, how many desks",
      parsing(parseCount),
    )
    .addOption(
      new Option("--seed <n>", "where chance begins: the same, the same again")
        .default(1).argParser(parsing(parseSeed)),
    )
    .option(
      "--start <hh:mm>",
      "time of day at the beginning (default: 08:00)",
      parsing(parseTimeOfDay),
    )
    .option(
      "--speed <n>",
      "how many times as fast as the clock (default: 1)",
      parsing(parseSpeed),
    )
    .option(
      "--rate <n>",
      "readings a second, instead of --speed; max for as fast as they are taken",
      parsing(parseRate),
    )
    .option("--count <n>", "end after so many readings", parsing(parseMany))
    .option(
      "--duration <duration>",
      "end after so long; of a --dry-run without a pace, so long of the scene's time",
      parsing(parseDuration),
    )
    .option(
      "--batch <n>",
      "readings a message at most (default: 100)",
      parsing(parseCount),
    )
    .option("--source <name>", "who reports, sent with the readings")
    .option("--dry-run", "print the readings instead of sending them")
    .addOption(
      new Option(
        "--format <form>",
        "with --dry-run: csv or ndjson (default: csv)",
      )
        .choices(["csv", "ndjson"]),
    )
    .option("-q, --quiet", "say nothing but what is wrong")
    .addHelpText(
      "after",
      `
Examples:
  occupancy simulate --speed 60
  occupancy simulate --scene robots --size 200 --duration 1m
  occupancy simulate --scene desks --rate 10000 --count 1000000
  occupancy simulate --dry-run --count 1000 | occupancy client --file -`,
    );
}
