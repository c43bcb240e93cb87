import { parseCount, parseWait } from "../../arguments/values.ts";
import {
  BROKER_OPTIONS,
  EVERY_OPTIONS,
  FORMAT_OPTIONS,
  layerOption,
  TIMEOUT_OPTION,
  WIRE_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec } from "../../arguments/spec.ts";

/** `occupancy client`. */
export const CLIENT: CommandSpec = {
  description:
    "Send the readings of a file, wait until each is acknowledged, then ask for the map and print it.",
  options: [
    {
      name: "file",
      short: "f",
      value: "path",
      summary: "readings to send: .json, .ndjson or .csv; - reads a pipe",
      file: true,
      required: true,
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
      summary: "readings a message",
      unset: "100, or 1 with --interval",
      parse: parseCount,
    },
    {
      name: "interval",
      value: "duration",
      summary: "pause between messages, such as 1s",
      parse: parseWait,
    },
    {
      name: "request",
      summary: "do not ask for the map afterwards",
      defaultOn: true,
    },
    {
      name: "strict",
      summary: "stop at the first bad row instead of skipping it",
    },
    ...FORMAT_OPTIONS,
    ...BROKER_OPTIONS,
    WIRE_OPTION,
    TIMEOUT_OPTION,
    ...EVERY_OPTIONS,
  ],
  examples: [
    "client --file client2.json",
    "client --file floor.csv --layer campus2/l2 --no-request",
    "client --file - --interval 1s",
  ],
  load: async () => (await import("./run.ts")).client,
};
