import {
  BROKER_OPTIONS,
  EVERY_OPTIONS,
} from "../../arguments/common_options.ts";
import type { CommandSpec, OptionSpec } from "../../arguments/spec.ts";
import { parseCount, parseTimeout } from "../../arguments/values.ts";
import { announceDownload } from "../../packages.ts";
import { SERVER } from "../server/options.ts";

/** What a server is told, it is examined with. */
const OF_THE_SERVER = [
  "name",
  "listen",
  "http",
  "no-http",
  "store",
  "session-expiry",
  "max-skew",
] as const;

/** `occupancy doctor`. */
export const DOCTOR: CommandSpec = {
  description:
    "Look at all that a server needs: the broker, what it keeps and allows, the store, the ports, the clock. Give it the server's options. It changes nothing.",
  options: [
    {
      name: "queue",
      value: "n",
      summary:
        "messages to send to a client that is away, to see how many wait for it",
      default: "1",
      parse: parseCount,
    },
    {
      name: "timeout",
      value: "duration",
      summary: "how long each check may take",
      default: "5s",
      parse: parseTimeout,
    },
    { name: "json", summary: "a JSON object a line" },
    ...OF_THE_SERVER.map(ofTheServer),
    ...BROKER_OPTIONS,
    ...EVERY_OPTIONS,
  ],
  examples: [
    "doctor",
    "doctor --broker mqtt://broker.example --queue 2000",
    "doctor --listen 0.0.0.0:1883 --store sqlite:map.db",
    "doctor --json",
  ],
  load: async () => {
    announceDownload(["mqtt"]);
    return (await import("./run.ts")).doctor;
  },
};

function ofTheServer(name: string): OptionSpec {
  return SERVER.options.find((option) => option.name === name)!;
}
