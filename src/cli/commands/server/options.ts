import { parseDuration } from "../../../common/duration.ts";
import {
  BROKER_OPTIONS,
  COMMON_OPTIONS,
} from "../../arguments/common_options.ts";
import { redactUrl } from "../../../mqtt/url.ts";
import { parseUnit } from "../../../protocol/display.ts";
import type { CommandSpec, FlagsOf } from "../../arguments/spec.ts";
import {
  parseBroker,
  parseHttp,
  parseListen,
  parseOrigins,
} from "../../arguments/address_values.ts";
import { parseGroup, parseName } from "../../arguments/name_values.ts";
import {
  parseCount,
  parseLargeCount,
  parsePositiveDuration,
  parseSize,
  parseWait,
} from "../../arguments/number_values.ts";
import { REDIS_OPTIONS, STORE_OPTION } from "../../arguments/store_options.ts";
import { BROKER_LIMIT_OPTIONS } from "./broker_limits.ts";
import { HISTORY_OPTIONS } from "./history_options.ts";
import { ZONE_OPTIONS } from "./zone_options.ts";

const [BROKER_OPTION, ...OTHER_BROKER_OPTIONS] = BROKER_OPTIONS;

const BROKER = "Broker";
const EMBEDDED = "Embedded broker";
const STORE = "Store";
const TIME = "Time";
const HTTP = "Dashboard and HTTP";
const DISPLAY = "Display";
const LOG = "Log";

/** Of options that make no sense with the broker of `--broker`. */
const NO_OTHER_BROKER = {
  conflictsWith: ["broker"],
  conflictHint:
    "Use --broker to connect to another broker, or the options of the embedded one.",
  group: EMBEDDED,
} as const;

/** The options of `occupancy server`. */
export const SERVER = {
  description:
    "Run the server. It connects to the broker on localhost:1883; if there is none, or if an option of the embedded broker is set, it starts the embedded broker. Without a terminal, SIGHUP reloads the files of --users, --tls-cert, --tls-key, --tls-client-ca, --http-token-file, --map-file, --zones, --webhook-secret-file, --ca, --cert, --key, --password-file, --redis-password-file, --redis-ca, --redis-cert and --redis-key.",
  options: [
    {
      name: "name",
      value: "id",
      summary: "MQTT client id, unique on the broker",
      default: "occupancy-server",
      parse: parseName,
      group: BROKER,
    },
    {
      ...BROKER_OPTION,
      summary:
        "broker to connect to: mqtt, mqtts, ws or wss, with user:password@ if it requires a login; may be repeated to join several brokers, in the variable with spaces between",
      multiple: true,
      words: true,
    },
    ...OTHER_BROKER_OPTIONS,
    {
      name: "group",
      value: "name",
      summary:
        "share the load with the other servers of this group: each message is taken by one of them; needs a --store that they share",
      parse: parseGroup,
      group: BROKER,
    },
    {
      name: "listen",
      short: "l",
      value: "host:port",
      summary:
        "start the embedded broker on this address (port 0: any free); on others than a loopback address it needs --users or --allow-anonymous",
      unset: "127.0.0.1:1883, if the embedded broker is started",
      parse: parseListen,
      ...NO_OTHER_BROKER,
      conflictsWith: [
        ...["broker", "user", "password-file", "password"],
        ...["ca", "cert", "key", "insecure"],
      ],
    },
    {
      name: "listen-tls",
      value: "host:port",
      summary: "also listen for MQTT over TLS",
      parse: (text) => parseListen(text, 8883),
      ...NO_OTHER_BROKER,
    },
    {
      name: "listen-ws",
      value: "host:port",
      summary: "also listen for MQTT over WebSocket",
      parse: (text) => parseListen(text, 9001),
      ...NO_OTHER_BROKER,
    },
    {
      name: "listen-wss",
      value: "host:port",
      summary: "also listen for MQTT over WebSocket with TLS",
      parse: (text) => parseListen(text, 9443),
      ...NO_OTHER_BROKER,
    },
    {
      name: "ws-origins",
      value: "origins",
      summary:
        "origins whose pages may connect over WebSocket without a user, such as https://home.example",
      unset: "pages of the same host",
      parse: parseOrigins,
      ...NO_OTHER_BROKER,
    },
    {
      name: "tls-cert",
      value: "file",
      summary: "PEM file of the broker's certificate, with its chain",
      file: true,
      ...NO_OTHER_BROKER,
    },
    {
      name: "tls-key",
      value: "file",
      summary: "PEM file of the private key of --tls-cert",
      file: true,
      ...NO_OTHER_BROKER,
    },
    {
      name: "tls-client-ca",
      value: "file",
      summary:
        "PEM file of the certificate authority of clients: --listen-tls then requires a certificate, whose name is the user",
      file: true,
      ...NO_OTHER_BROKER,
    },
    {
      name: "users",
      value: "file",
      summary:
        "users of the embedded broker and what they may do; occupancy users changes it",
      file: true,
      ...NO_OTHER_BROKER,
    },
    {
      name: "allow-anonymous",
      summary:
        "accept clients without a user name: with --users, and on all addresses",
      ...NO_OTHER_BROKER,
    },
    {
      name: "session-expiry",
      value: "duration",
      summary:
        "how long the broker stores messages for the disconnected server",
      default: "7d",
      parse: parseDuration,
      group: BROKER,
    },
    {
      name: "max-payload",
      value: "size",
      summary:
        "maximum size of a message with readings; larger ones are refused",
      default: "8MiB",
      parse: parseSize,
      group: BROKER,
    },
    STORE_OPTION,
    {
      name: "durability",
      value: "level",
      summary:
        "what acknowledged readings survive in a file; fsync: a power failure; commit: a crash of the process",
      choices: ["fsync", "commit"],
      default: "fsync",
      group: STORE,
    },
    ...REDIS_OPTIONS,
    {
      name: "max-layers",
      value: "n",
      summary:
        "maximum number of layers besides default; readings for more are refused",
      default: "10000",
      parse: parseCount,
      group: STORE,
    },
    {
      name: "max-cells",
      value: "n",
      summary: "maximum number of cells; readings of more cells are refused",
      unset: "as many as fit in half of the memory",
      parse: parseLargeCount,
      group: STORE,
    },
    {
      name: "max-cells-per-layer",
      value: "n",
      summary: "the same for the cells of one layer",
      unset: "as many as in all layers",
      parse: parseLargeCount,
      group: STORE,
    },
    {
      name: "stale-after",
      value: "duration",
      summary: "a cell without an observation for this time is stale",
      unset: "never",
      parse: parsePositiveDuration,
      group: TIME,
    },
    {
      name: "forget-after",
      value: "duration",
      summary: "a cell without an observation for this time is unknown",
      unset: "never",
      parse: parsePositiveDuration,
      group: TIME,
    },
    {
      name: "remove-after",
      value: "duration",
      summary:
        "a cell that has been unknown for this time is removed, and a layer with its last cell; 0: never",
      default: "30d",
      parse: parseDuration,
      group: TIME,
    },
    {
      name: "max-skew",
      value: "duration",
      summary: "maximum time that a reading may be in the future",
      default: "60s",
      parse: parseDuration,
      group: TIME,
    },
    {
      name: "silent-after",
      value: "duration",
      summary:
        "a source without a reading for this time is silent: it is first in the list of sources, and an event is published",
      unset: "never",
      parse: parsePositiveDuration,
      group: TIME,
    },
    {
      name: "changes-interval",
      value: "duration",
      summary:
        "minimum time between two messages with the changes of a layer; 0: publish none",
      default: "100ms",
      parse: parseWait,
      group: TIME,
    },
    ...HISTORY_OPTIONS,
    ...ZONE_OPTIONS,
    ...BROKER_LIMIT_OPTIONS,
    {
      name: "http",
      value: "host:port",
      summary: "address of the dashboard and the API; port 0: any free; or off",
      unset: "127.0.0.1:8080",
      parse: parseHttp,
      group: HTTP,
    },
    {
      name: "no-http",
      summary: "the same as --http off",
      conflictsWith: ["http"],
      conflictHint: "--no-http is the same as --http off: use one of them.",
      group: HTTP,
    },
    {
      name: "http-token-file",
      value: "file",
      summary:
        "file with the access token for HTTP; required unless --http is a loopback address",
      file: true,
      group: HTTP,
    },
    {
      name: "http-connections",
      value: "n",
      summary:
        "maximum number of open HTTP connections; needs twice as many file descriptors",
      default: "512",
      parse: parseCount,
      group: HTTP,
    },
    {
      name: "http-connections-per-address",
      value: "n",
      summary: "the same for one address (IPv6: for one /64 network)",
      unset: "half of --http-connections",
      parse: parseCount,
      group: HTTP,
    },
    {
      name: "http-embed",
      value: "origins",
      summary:
        "origins whose pages may show the dashboard in a frame, such as https://home.example:8123",
      unset: "none",
      parse: parseOrigins,
      group: HTTP,
    },
    {
      name: "map-file",
      value: "file",
      summary:
        "floor plans to draw under the cells: maps.json, or a ROS map.yaml",
      file: true,
      group: HTTP,
    },
    {
      name: "public-broker",
      value: "url",
      summary:
        "address of the broker for other machines, in the commands that the dashboard shows",
      unset: "the address that the server uses",
      parse: parseBroker,
      mask: redactUrl,
      group: HTTP,
    },
    {
      name: "unit",
      value: "one,many",
      summary:
        "what values above 0 count, such as car,cars; a layer of --map-file can have its own",
      unset: "person,people",
      parse: parseUnit,
      group: DISPLAY,
    },
    {
      name: "y-up",
      summary:
        "y grows upwards on maps, as in ROS; a layer of --map-file can have its own direction",
      group: DISPLAY,
    },
    {
      name: "log-format",
      value: "form",
      summary:
        "text, or json lines; auto: a status line in a terminal, else text",
      choices: ["auto", "text", "json"],
      default: "auto",
      group: LOG,
    },
    {
      name: "log-level",
      value: "level",
      summary: "minimum log level",
      choices: ["debug", "info", "warning", "error"],
      unset: "info; with --quiet warning, with --verbose debug",
      group: LOG,
    },
    ...COMMON_OPTIONS,
  ],
  examples: [
    "server",
    "server --listen 0.0.0.0:1883 --users users.conf",
    "server --broker mqtts://broker.example --user hall --password-file secret",
    "server --stale-after 5m --store sqlite:map.db",
    "server --history 90d --history-size 50GiB --timezone Europe/Berlin",
    "server --zones zones.geojson --webhook https://hooks.example/occupancy",
  ],
} as const satisfies CommandSpec;

/** The flags of `occupancy server`. */
export type ServerFlags = FlagsOf<typeof SERVER.options>;
