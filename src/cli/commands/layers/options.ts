import {
  COMMON_OPTIONS,
  HTTP_API_OPTIONS,
  PAGER_OPTION,
} from "../../arguments/common_options.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import { parseTimeout } from "../../arguments/number_values.ts";

/** The options of `occupancy layers`. */
export const LAYERS = {
  description:
    "List the layers of a server, or delete layers with all their cells. It uses the server's HTTP address: over MQTT, every client that may publish readings could delete those of others. In a terminal, delete asks first.",
  operand: {
    name: "action",
    summary: "what to do",
    choices: ["list", "delete"],
    required: true,
    more: { name: "layer", summary: "layer to delete" },
  },
  options: [
    ...HTTP_API_OPTIONS,
    {
      name: "yes",
      short: "y",
      summary: "delete without asking; required if stdin is not a terminal",
    },
    {
      name: "timeout",
      value: "duration",
      summary: "maximum wait for each answer",
      default: "5s",
      parse: parseTimeout,
    },
    { name: "json", summary: "print one JSON object per layer" },
    PAGER_OPTION,
    ...COMMON_OPTIONS,
  ],
  examples: [
    "layers list",
    "layers list --json",
    "layers delete floor3 hall/l2",
    "layers delete --yes --url https://map.example --http-token-file token test",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy layers`. */
export type LayersFlags = FlagsOf<typeof LAYERS.options>;
