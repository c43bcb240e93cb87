/**
 * Determines the value and the source of each option. A flag wins over
 * an environment variable, a variable over the configuration file, the file
 * over the default.
 *
 * @module
 */
import { AppError } from "../../common/errors.ts";
import { usageError } from "../errors.ts";
import type { FileSettings } from "./config_file.ts";
import type { FlagValue } from "./parse.ts";
import { flagOf, keyOf, type OptionSpec, variableOf } from "./spec.ts";

/** Where a setting comes from. */
export type Source = "flag" | "environment" | "file" | "default" | "unset";

/** The effective value of one option. */
export interface Setting {
  readonly option: OptionSpec;
  readonly source: Source;
  /**
   * `--timeout`, `OCCUPANCY_TIMEOUT` or `server.timeout in occupancy.toml`;
   * empty for a default.
   */
  readonly where: string;
  /**
   * As written; `true` or `false` for a switch; several values with commas;
   * undefined if not set.
   */
  readonly text: string | undefined;
  /** The same without passwords. */
  readonly shown: string | undefined;
  /** The parsed value. */
  readonly value: unknown;
}

/** Where {@linkcode resolveSettings} looks for settings. */
export interface Sources {
  readonly flags: ReadonlyMap<string, FlagValue>;
  readonly env: (name: string) => string | undefined;
  /** The settings of this command in the configuration file. */
  readonly file?: FileSettings | undefined;
}

/** Weakest first. */
const STRENGTH: readonly Source[] = [
  "unset",
  "default",
  "file",
  "environment",
  "flag",
];

/**
 * Finds and parses the value of each option; an option for the command line
 * only is left out if it is not there.
 *
 * @throws {AppError} (usage) if a value is invalid, or two options conflict
 */
export function resolveSettings(
  options: readonly OptionSpec[],
  sources: Sources,
): Setting[] {
  const settings = options
    .filter(({ flagOnly, name }) => !flagOnly || sources.flags.has(name))
    .map((option) => read(option, sources));
  return settings.map((setting) => withoutConflict(setting, settings));
}

/**
 * The values by the options' names in camel case; options that are not set are
 * absent.
 */
export function flagsOf(settings: readonly Setting[]): Record<string, unknown> {
  return Object.fromEntries(
    settings.filter(({ value }) => value !== undefined)
      .map(({ option, value }) => [keyOf(option), value]),
  );
}

/** @throws {AppError} (usage) if a required setting is missing */
export function assertComplete(
  settings: readonly Setting[],
  command: string,
): void {
  for (const { option, value } of settings) {
    if (!option.required || value !== undefined) continue;
    throw usageError(
      `Missing ${flagOf(option)}`,
      `Add ${flagOf(option)} <${option.value}>: ${option.summary}. ` +
        `See ${command} --help.`,
    );
  }
}

function read(option: OptionSpec, { flags, env, file }: Sources): Setting {
  const flag = flags.get(option.name);
  if (flag !== undefined) {
    const shown = flag === false ? `--no-${option.name}` : flagOf(option);
    return setting(option, "flag", shown, flag);
  }
  // An empty variable counts as not set (as with NO_COLOR).
  const variable = env(variableOf(option));
  if (variable) {
    const given = option.words ? variable.trim().split(/\s+/) : variable;
    return setting(option, "environment", variableOf(option), given);
  }
  const stored = file?.get(option.name);
  if (stored) {
    const { where, value } = stored;
    if (Array.isArray(value) && !option.multiple) {
      throw usageError(`Invalid ${where}: a list`, "Use one value.");
    }
    return setting(option, "file", where, value);
  }
  if (option.default !== undefined) {
    return setting(option, "default", "", option.default);
  }
  if (option.defaultOn) return setting(option, "default", "", true);
  return unset(option);
}

function unset(option: OptionSpec): Setting {
  return {
    option,
    source: "unset",
    where: "",
    text: undefined,
    shown: undefined,
    value: undefined,
  };
}

function setting(
  option: OptionSpec,
  source: Source,
  where: string,
  given: FlagValue,
): Setting {
  const texts = [given].flat().map(String);
  const text = texts.join(", ");
  // Each on its own: the mask of an address does not know lists.
  const shown = texts.map((one) => option.mask?.(one) ?? one).join(", ");
  const isOn = switchState(text);
  const parsed = option.value === undefined
    ? parseSwitch(text, where)
    : option.implied !== undefined && isOn !== undefined
    ? isOn ? parseValue(option, option.implied, where) : undefined
    : option.multiple
    ? [given].flat().map((one) => parseValue(option, String(one), where))
    : parseValue(option, text, where);
  // A switch that is off counts as absent, unless it is on by default.
  const isOff = option.value === undefined && parsed === false;
  const value = isOff && !option.defaultOn ? undefined : parsed;
  return { option, source, where, text, shown, value };
}

function parseValue(option: OptionSpec, text: string, where: string): unknown {
  const { choices, parse, mask = (text) => text } = option;
  const invalid = (hint: string) =>
    usageError(`Invalid ${where} "${mask(text)}"`, hint);
  if (choices !== undefined && !choices.includes(text)) {
    throw invalid(`Use ${listed(choices)}.`);
  }
  if (parse === undefined) return text;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(error.message);
    if (!(error instanceof AppError)) throw error;
    throw usageError(`${error.message} (${where})`, error.hint, error);
  }
}

const ON = ["true", "1", "yes", "on"];
const OFF = ["false", "0", "no", "off"];

function parseSwitch(given: string, where: string): boolean {
  const isOn = switchState(given);
  if (isOn !== undefined) return isOn;
  throw usageError(`Invalid ${where} "${given}"`, "Use true or false.");
}

/** Returns undefined for other words. */
function switchState(given: string): boolean | undefined {
  const word = given.toLowerCase();
  return ON.includes(word) ? true : OFF.includes(word) ? false : undefined;
}

/** The setting; unset if it conflicts with one from a stronger source. */
function withoutConflict(one: Setting, all: readonly Setting[]): Setting {
  if (one.value === undefined) return one;
  for (const other of all) {
    if (other.value === undefined) continue;
    const declared = one.option.conflictsWith?.includes(other.option.name);
    const reverse = other.option.conflictsWith?.includes(one.option.name);
    if (!declared && !reverse) continue;
    const difference = STRENGTH.indexOf(other.source) -
      STRENGTH.indexOf(one.source);
    if (difference > 0) return unset(one.option);
    if (difference < 0) continue;
    const [first, second] = declared ? [one, other] : [other, one];
    throw usageError(
      `Cannot use ${first.where} with ${second.where}`,
      first.option.conflictHint ?? "Use one of them.",
    );
  }
  return one;
}

/** `table, tsv or json`. */
function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
