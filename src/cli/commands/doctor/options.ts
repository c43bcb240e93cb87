import { COMMON_OPTIONS } from "../../arguments/common_options.ts";
import {
  type CommandSpec,
  type FlagsOf,
  pickOptions,
} from "../../arguments/spec.ts";
import { parseCount, parseTimeout } from "../../arguments/number_values.ts";
import { SERVER } from "../server/options.ts";

/** The options of `occupancy doctor`. */
export const DOCTOR = {
  description:
    "Check what a server needs: each broker with its limits and permissions, the group, the store, the ports, the clock. Give it the options of the server. It changes nothing.",
  options: [
    {
      name: "queue",
      value: "n",
      summary:
        "messages to send to a disconnected client, to see how many the broker stores",
      default: "1",
      parse: parseCount,
    },
    {
      name: "timeout",
      value: "duration",
      summary: "maximum time for each check",
      default: "5s",
      parse: parseTimeout,
    },
    { name: "json", summary: "print one JSON object per line" },
    ...pickOptions(SERVER.options, [
      "name",
      "broker",
      "user",
      "password-file",
      "password",
      "ca",
      "cert",
      "key",
      "insecure",
      "prefix",
      "group",
      "listen",
      "http",
      "no-http",
      "http-token-file",
      "store",
      "redis-replicas",
      "shards",
      "redis-password-file",
      "redis-password",
      "redis-ca",
      "redis-cert",
      "redis-key",
      "session-expiry",
      "max-skew",
    ]),
    ...COMMON_OPTIONS,
  ],
  examples: [
    "doctor",
    "doctor --broker mqtt://broker.example --queue 2000",
    "doctor --name server-1 --group hall --broker mqtt://broker-1 --broker mqtt://broker-2 --store redis://redis-1/hall",
    "doctor --listen 0.0.0.0:1883 --store sqlite:map.db",
    "doctor --json",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy doctor`. */
export type DoctorFlags = FlagsOf<typeof DOCTOR.options>;
