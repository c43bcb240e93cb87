import {
  parseCount,
  parseDuration,
  parseHttp,
  parseListen,
  parseName,
  parseStore,
  parseWait,
} from "../../arguments/values.ts";
import {
  BROKER_OPTIONS,
  EVERY_OPTIONS,
} from "../../arguments/common_options.ts";
import type { CommandSpec, OptionSpec } from "../../arguments/spec.ts";

const TIME = "Time";
const HTTP = "Dashboard and HTTP";
const LOG = "What it says";

const LISTEN: OptionSpec = {
  name: "listen",
  short: "l",
  value: "host:port",
  summary: "start the embedded broker there (port 0: any free one)",
  parse: parseListen,
  conflictsWith: ["broker"],
  conflictHint: "--listen starts a broker, --broker joins one: leave one out.",
  group: "Broker",
};

/** `occupancy server`. */
export const SERVER: CommandSpec = {
  description:
    "Keep the map. Joins the broker on localhost:1883 if there is one, else starts the embedded one there.",
  options: [
    {
      name: "name",
      value: "id",
      summary: "MQTT client id, unique on the broker",
      default: "occupancy-server",
      parse: parseName,
      group: "Broker",
    },
    ...BROKER_OPTIONS,
    LISTEN,
    {
      name: "session-expiry",
      value: "duration",
      summary:
        "how long the broker is asked to keep what arrives while the server is away",
      default: "7d",
      parse: parseDuration,
      group: "Broker",
    },
    {
      name: "store",
      value: "address",
      summary: "where the map is kept: sqlite:PATH or memory:",
      unset: "a file in your data folder, named after --name",
      parse: parseStore,
      group: "Store",
    },
    {
      name: "durability",
      value: "level",
      summary:
        "what acknowledged readings survive: fsync, a power loss; commit, the end of the process",
      choices: ["fsync", "commit"],
      default: "fsync",
      group: "Store",
    },
    {
      name: "max-layers",
      value: "n",
      summary: "refuse readings that would make more layers than this",
      default: "10000",
      parse: parseCount,
      group: "Store",
    },
    {
      name: "stale-after",
      value: "duration",
      summary: "a cell not observed for so long is stale",
      unset: "never",
      parse: parseDuration,
      group: TIME,
    },
    {
      name: "forget-after",
      value: "duration",
      summary: "a cell not observed for so long is unknown",
      unset: "never",
      parse: parseDuration,
      group: TIME,
    },
    {
      name: "max-skew",
      value: "duration",
      summary: "refuse readings from further in the future",
      default: "60s",
      parse: parseDuration,
      group: TIME,
    },
    {
      name: "changes-interval",
      value: "duration",
      summary:
        "changes of a layer are published at most once in so long; 0 for not at all",
      default: "100ms",
      parse: parseWait,
      group: TIME,
    },
    {
      name: "http",
      value: "host:port",
      summary:
        "where the map is shown and asked for over HTTP; port 0: any free one; off: nowhere",
      unset: "127.0.0.1:8080",
      parse: parseHttp,
      group: HTTP,
    },
    {
      name: "no-http",
      summary: "the same as --http off",
      conflictsWith: ["http"],
      conflictHint: "--no-http is --http off: leave one out.",
      group: HTTP,
    },
    {
      name: "http-token-file",
      value: "file",
      summary:
        "a secret that whoever asks over HTTP must show; needed to listen beyond this machine",
      file: true,
      group: HTTP,
    },
    {
      name: "map-file",
      value: "file",
      summary: "floor plans under the cells: maps.json, or a ROS map.yaml",
      file: true,
      group: HTTP,
    },
    {
      name: "log-format",
      value: "form",
      summary:
        "text or json lines; auto: a banner and a status line in a terminal, text elsewhere",
      choices: ["auto", "text", "json"],
      default: "auto",
      group: LOG,
    },
    {
      name: "log-level",
      value: "level",
      summary: "the least that is said",
      choices: ["debug", "info", "warning", "error"],
      unset: "info; with --quiet warning, with --verbose debug",
      group: LOG,
    },
    ...EVERY_OPTIONS,
  ],
  examples: [
    "server",
    "server --listen 0.0.0.0:1883",
    "server --broker mqtts://user:secret@broker.example",
    "server --stale-after 5m --store sqlite:map.db",
  ],
  load: async () => (await import("./run.ts")).server,
};
