import { redactUrl } from "../../mqtt/url.ts";
import { parseBroker, parseTimeout } from "./values.ts";
import type { OptionSpec } from "./spec.ts";

const BROKER = "Broker";
const EVERY = "Every command";

/** Which broker, and as whom. */
export const BROKER_OPTIONS: readonly OptionSpec[] = [
  {
    name: "broker",
    short: "b",
    value: "url",
    summary:
      "broker to join: mqtt, mqtts, ws or wss, with user:password@ if it asks for them",
    unset: "mqtt://localhost:1883",
    parse: parseBroker,
    mask: redactUrl,
    group: BROKER,
  },
  {
    name: "ca",
    value: "file",
    summary: "PEM certificate authority to trust for TLS",
    file: true,
    group: BROKER,
  },
  {
    name: "prefix",
    value: "topic",
    summary: "what all topics begin with",
    default: "occupancy",
    group: BROKER,
  },
];

/** What every command takes. */
export const EVERY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "config",
    value: "file",
    summary: "TOML file that settings are read from",
    file: true,
    group: EVERY,
  },
  {
    name: "color",
    value: "when",
    summary: "colours; auto: in a terminal, unless NO_COLOR is set",
    choices: ["auto", "always", "never"],
    default: "auto",
    group: EVERY,
  },
  {
    name: "quiet",
    short: "q",
    summary: "say nothing but what is wrong",
    group: EVERY,
  },
  {
    name: "verbose",
    short: "v",
    summary: "say more",
    conflictsWith: ["quiet"],
    conflictHint: "One asks for more, one for less: leave one out.",
    group: EVERY,
  },
  {
    name: "help",
    short: "h",
    summary: "print this help",
    flagOnly: true,
    group: EVERY,
  },
];

/** Which map. */
export function layerOption(summary: string): OptionSpec {
  return { name: "layer", value: "name", summary, default: "default" };
}

/** Whose wire is spoken. */
export const WIRE_OPTION: OptionSpec = {
  name: "wire",
  value: "form",
  summary: "original: speak to a server of the original Python kind",
  choices: ["current", "original"],
  default: "current",
  group: BROKER,
};

/** How long is waited. */
export const TIMEOUT_OPTION: OptionSpec = {
  name: "timeout",
  value: "duration",
  summary: "how long to wait for the broker, and then for the answer",
  default: "5s",
  parse: parseTimeout,
  group: BROKER,
};

/** How a map is printed. */
export const FORMAT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "format",
    value: "form",
    summary: "table for people, tsv (x, y, value, status, time), or json",
    choices: ["table", "tsv", "json"],
    unset: "table in a terminal, tsv in a pipe",
  },
  {
    name: "json",
    summary: "the same as --format json",
    conflictsWith: ["format"],
    conflictHint: "--json is --format json: leave one out.",
  },
];
