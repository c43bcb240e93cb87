import {
  BROKER_OPTIONS,
  COMMON_OPTIONS,
  FORMAT_OPTIONS,
  SOURCE_OPTION,
  TIMEOUT_OPTION,
  WIRE_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import { parseLayer } from "../../arguments/name_values.ts";
import { parseCount, parseWait } from "../../arguments/number_values.ts";

/** The options of `occupancy client`. */
export const CLIENT = {
  description:
    "Send the readings of files, wait until the broker has acknowledged each, then request the map and print it.",
  operand: {
    name: "file",
    summary: "files with readings, the same as --file",
    required: true,
    option: "file",
  },
  options: [
    {
      name: "file",
      short: "f",
      value: "path",
      summary:
        "file with readings in JSON, JSON lines, CSV or TSV, - for a pipe; may be repeated",
      file: true,
      required: true,
      multiple: true,
    },
    {
      name: "layer",
      value: "name",
      summary: "layer of the readings",
      unset: "the layer that the file names, else default",
      parse: parseLayer,
    },
    SOURCE_OPTION,
    {
      name: "batch",
      value: "n",
      summary: "readings per message",
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
      summary: "do not print the map afterwards",
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
    ...COMMON_OPTIONS,
  ],
  examples: [
    "client --file client2.json",
    "client client1.json client2.json",
    "client --file floor.csv --layer campus2/l2 --no-request",
    "client --file - --interval 1s",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy client`. */
export type ClientFlags = FlagsOf<typeof CLIENT.options>;
