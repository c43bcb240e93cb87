/**
 * Hints for words that a command does not accept: what the user probably meant.
 *
 * @module
 */
import { redactUrl } from "../../mqtt/url.ts";
import { flagsAmong, type OptionSpec } from "./spec.ts";
import { didYouMean } from "./suggest.ts";

/** Kinds of values by their form, and the options that take them. */
const FORMS: readonly (readonly [form: RegExp, options: readonly string[]])[] =
  [
    [/^(?:mqtts?|wss?):\/\//i, ["broker"]],
    [/^-?\d+,-?\d+$/, ["at"]],
    [/^-?\d+(?:,-?\d+){3}$/, ["region"]],
    [/\.toml$/i, ["config"]],
    [/^sqlite:|^memory:$/, ["store"]],
    [/\.ya?ml$/i, ["map-file"]],
    [/\.(?:pem|crt|cer)$/i, ["ca"]],
    [/\.key$/i, ["key"]],
    [/^[\w.-]*:\d{1,5}$/, ["listen", "broker"]],
    [/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/, ["for", "duration", "timeout"]],
    [/^[a-z][\w/-]*$/i, ["layer"]],
  ];

/** Only `occupancy client` takes a file with readings. */
const READINGS_FILE = /\.(?:json|ndjson|jsonl|csv|tsv)$/i;
/** The path of a store needs the prefix of its address. */
const STORE_FILE = /\.(?:db|sqlite3?)$/i;

/**
 * Options of mosquitto_pub, mosquitto_sub and similar programs, by the option
 * that does the same.
 */
const FOREIGN:
  readonly (readonly [names: readonly string[], option: string])[] = [
    [["-p", "--port", "--host", "--hostname", "--bind"], "listen"],
    [
      ["-p", "--port", "--host", "--hostname", "--server", "-L", "--url"],
      "broker",
    ],
    [["-u", "--username", "--login"], "user"],
    [["-P", "--pw", "--password", "--pass"], "password"],
    [["--cafile", "--capath", "--cacert"], "ca"],
    [["--certfile", "--client-cert"], "cert"],
    [["--keyfile", "--client-key"], "key"],
    [["-t", "--topic"], "prefix"],
    [["-i", "--id", "--client-id"], "name"],
  ];

const FOREIGN_HINTS: Readonly<Record<string, string>> = {
  listen:
    "Use --listen HOST:PORT for the embedded broker, or connect to another with --broker mqtt://HOST:PORT.",
  broker: "Host and port are one address: --broker mqtt://HOST:PORT.",
  user: "Use --user NAME.",
  password:
    "All users of this machine can see a command line: write the password into a file and use --password-file FILE, or set OCCUPANCY_PASSWORD.",
  ca: "Use --ca FILE.",
  cert: "Use --cert FILE.",
  key: "Use --key FILE.",
  prefix:
    "Topics follow from --prefix, and from --layer where there are layers.",
  name: "Use --name ID.",
};

/**
 * The hint for a word that a command does not take.
 *
 * @param word the word
 * @param options the command's options
 * @returns such as `Did you mean --at=3,4?`; empty if nothing is likely
 */
export function hintForWord(
  word: string,
  options: readonly OptionSpec[],
): string {
  const meant = optionForWord(word, options);
  return meant === undefined ? "" : `Did you mean ${meant}?`;
}

function optionForWord(
  word: string,
  options: readonly OptionSpec[],
): string | undefined {
  const known = new Map(
    flagsAmong(options).map((option) => [option.name, option]),
  );
  const own = known.get(word);
  if (own !== undefined) {
    return own.value === undefined ? `--${word}` : `--${word} <${own.value}>`;
  }
  if (STORE_FILE.test(word) && known.has("store")) {
    return `--store sqlite:${word}`;
  }
  const chosen = options.find(({ choices }) => choices?.includes(word));
  if (READINGS_FILE.test(word)) {
    return known.has("file")
      ? `--file ${word}`
      : `occupancy client --file ${word}`;
  }
  const name = chosen?.name ??
    FORMS.find(([form]) => form.test(word))?.[1]
      .find((name) => known.has(name));
  if (name === undefined) return undefined;
  const value = known.get(name)!.mask?.(word) ?? redactUrl(word);
  return `--${name}${value.startsWith("-") ? "=" : " "}${value}`;
}

/**
 * The hint for an option that a command does not have.
 *
 * @param given as written, such as `--host`
 * @param options the command's options
 * @param names the flags that exist, with their dashes
 * @returns the hint; empty if nothing is likely
 */
export function hintForOption(
  given: string,
  options: readonly OptionSpec[],
  names: readonly string[],
): string {
  const has = (option: string) => options.some(({ name }) => name === option);
  if (/^-\d$/.test(given) && has("at")) {
    return "Write negative coordinates after =, such as --at=-1,4.";
  }
  const foreign = FOREIGN.find(([names, option]) =>
    names.includes(given) && has(option)
  );
  if (foreign !== undefined) return FOREIGN_HINTS[foreign[1]]!;
  return didYouMean(given, names);
}
