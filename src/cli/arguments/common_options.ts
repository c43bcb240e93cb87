/** Options that several commands share, with the types of their flags. */
import { redactUrl } from "../../mqtt/url.ts";
import type { FlagsOf, OptionSpec } from "./spec.ts";
import { parseBroker, parseHttpUrl } from "./address_values.ts";
import { parseLayer, parsePrefix, parseSource } from "./name_values.ts";
import { parseTimeout } from "./number_values.ts";

const BROKER = "Broker";
const ALL_COMMANDS = "All commands";

/** Which broker to connect to. */
export const BROKER_OPTIONS = [
  {
    name: "broker",
    short: "b",
    value: "url",
    summary:
      "broker to connect to: mqtt, mqtts, ws or wss, with user:password@ if it requires a login",
    unset: "mqtt://localhost:1883",
    parse: parseBroker,
    mask: redactUrl,
    group: BROKER,
  },
  {
    name: "user",
    value: "name",
    summary: "user for the broker, if --broker names none",
    group: BROKER,
  },
  {
    name: "password-file",
    value: "file",
    summary: "file with the password of the user",
    file: true,
    conflictsWith: ["password"],
    conflictHint: "Use one of them.",
    group: BROKER,
  },
  {
    name: "password",
    value: "password",
    summary:
      "the password; no flag, because all users of the machine can see a command line",
    settingOnly: true,
    mask: () => "***",
    group: BROKER,
  },
  {
    name: "ca",
    value: "file",
    summary: "PEM file of the certificate authority to trust for TLS",
    file: true,
    group: BROKER,
  },
  {
    name: "cert",
    value: "file",
    summary: "PEM file of the client certificate, if the broker requires one",
    file: true,
    group: BROKER,
  },
  {
    name: "key",
    value: "file",
    summary: "PEM file of the private key of --cert",
    file: true,
    group: BROKER,
  },
  {
    name: "insecure",
    summary:
      "accept any certificate of the broker, for tests: others can read and change all messages",
    conflictsWith: ["ca"],
    conflictHint: "Remove --insecure to check the certificate of the broker.",
    group: BROKER,
  },
  {
    name: "prefix",
    value: "topic",
    summary: "prefix of all topics",
    default: "occupancy",
    parse: parsePrefix,
    group: BROKER,
  },
] as const satisfies readonly OptionSpec[];

/** Flags of {@linkcode BROKER_OPTIONS}. */
export type BrokerFlags = FlagsOf<typeof BROKER_OPTIONS>;

/** Options of all commands. */
export const COMMON_OPTIONS = [
  {
    name: "config",
    value: "file",
    summary: "TOML file with settings",
    file: true,
    group: ALL_COMMANDS,
  },
  {
    name: "color",
    value: "when",
    summary: "when to use colours; auto: in a terminal, unless NO_COLOR is set",
    choices: ["auto", "always", "never"],
    default: "auto",
    group: ALL_COMMANDS,
  },
  {
    name: "quiet",
    short: "q",
    summary: "print no messages except errors and warnings",
    group: ALL_COMMANDS,
  },
  {
    name: "verbose",
    short: "v",
    summary: "print more messages",
    conflictsWith: ["quiet"],
    conflictHint: "Use one of them.",
    group: ALL_COMMANDS,
  },
  {
    name: "help",
    short: "h",
    summary: "print this help",
    flagOnly: true,
    group: ALL_COMMANDS,
  },
] as const satisfies readonly OptionSpec[];

/** Flags of {@linkcode COMMON_OPTIONS}. */
export type CommonFlags = FlagsOf<typeof COMMON_OPTIONS>;

/** Returns the options without {@linkcode COMMON_OPTIONS}. */
export function withoutCommon(options: readonly OptionSpec[]): OptionSpec[] {
  const common = new Set<string>(COMMON_OPTIONS.map(({ name }) => name));
  return options.filter(({ name }) => !common.has(name));
}

/** `--layer`. */
export function layerOption<const Summary extends string>(summary: Summary) {
  return {
    name: "layer",
    value: "name",
    summary,
    default: "default",
    parse: parseLayer,
  } as const satisfies OptionSpec;
}

/** Where the HTTP interface of a server is. */
export const HTTP_API_OPTIONS = [
  {
    name: "url",
    value: "url",
    summary: "HTTP address of the server",
    default: "http://127.0.0.1:8080",
    parse: parseHttpUrl,
  },
  {
    name: "http-token-file",
    value: "file",
    summary: "file with the access token, if the server requires one",
    file: true,
  },
] as const satisfies readonly OptionSpec[];

/** `--source`. */
export const SOURCE_OPTION = {
  name: "source",
  value: "name",
  summary: "name of the sensor or program that reports, sent with each reading",
  parse: parseSource,
} as const satisfies OptionSpec;

/** `--wire`. */
export const WIRE_OPTION = {
  name: "wire",
  value: "form",
  summary: "protocol; original: that of the three Python scripts",
  choices: ["current", "original"],
  default: "current",
  group: BROKER,
} as const satisfies OptionSpec;

/** `--timeout`. */
export const TIMEOUT_OPTION = {
  name: "timeout",
  value: "duration",
  summary: "maximum wait for the broker, and then for the reply",
  default: "5s",
  parse: parseTimeout,
  group: BROKER,
} as const satisfies OptionSpec;

/** `--no-pager`. */
export const PAGER_OPTION = {
  name: "pager",
  summary: "print long output in a terminal at once, not in $PAGER",
  defaultOn: true,
} as const satisfies OptionSpec;

/** How a map is printed. */
export const FORMAT_OPTIONS = [
  {
    name: "format",
    value: "form",
    summary: "table, tsv (x, y, value, status, time, layer) or json",
    choices: ["table", "tsv", "json"],
    unset: "table in a terminal, tsv in a pipe",
  },
  {
    name: "json",
    summary: "the same as --format json",
    conflictsWith: ["format"],
    conflictHint: "--json is the same as --format json: use one of them.",
  },
  {
    name: "times",
    value: "form",
    summary: "times of the cells: RFC 3339, or milliseconds since 1970",
    choices: ["rfc3339", "ms"],
    unset: "rfc3339 in tsv, ms in json",
  },
  PAGER_OPTION,
] as const satisfies readonly OptionSpec[];

/** Flags of {@linkcode FORMAT_OPTIONS}. */
export type FormatFlags = FlagsOf<typeof FORMAT_OPTIONS>;
