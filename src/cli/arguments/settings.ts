import { CliError, Exit } from "../exit.ts";
import { flagOf, keyOf, type OptionSpec, variableOf } from "./spec.ts";
import type { FileSettings } from "./config_file.ts";

/** Where a setting can come from, the strongest first. */
export type Source = "flag" | "environment" | "file" | "default" | "unset";

/** One option as it is in force. */
export interface Setting {
  readonly option: OptionSpec;
  readonly source: Source;
  /** `--timeout`, `OCCUPANCY_TIMEOUT`, `occupancy.toml: server.timeout`; empty for the rest. */
  readonly where: string;
  /** As it was written; `true` and `false` for a switch, undefined if it is not set. */
  readonly text: string | undefined;
  /** What it means. */
  readonly value: unknown;
}

/** What settings are taken from. */
export interface Sources {
  readonly flags: ReadonlyMap<string, string | boolean>;
  readonly env: (name: string) => string | undefined;
  /** The settings that the file has for this command. */
  readonly file?: FileSettings | undefined;
}

const STRENGTH: readonly Source[] = [
  "unset",
  "default",
  "file",
  "environment",
  "flag",
];

/**
 * Settles each option of a command: a flag wins over the environment, that over
 * the file, and that over the default.
 *
 * @throws {CliError} (usage) if a value is wrong, or two options contradict
 */
export function settle(
  options: readonly OptionSpec[],
  sources: Sources,
): Setting[] {
  const settings = options.filter(({ flagOnly }) => !flagOnly)
    .map((option) => read(option, sources));
  return settings.map((setting) => withoutExcluded(setting, settings));
}

/** The settings by their names in code, for a command; what is not set is left out. */
export function flagsOf(settings: readonly Setting[]): Record<string, unknown> {
  return Object.fromEntries(
    settings.filter(({ value }) => value !== undefined)
      .map(({ option, value }) => [keyOf(option), value]),
  );
}

/** @throws {CliError} (usage) if a setting that must be there is not */
export function assertComplete(
  settings: readonly Setting[],
  command: string,
): void {
  for (const { option, value } of settings) {
    if (!option.required || value !== undefined) continue;
    throw new CliError(`${flagOf(option)} is missing`, {
      exitCode: Exit.usage,
      hint: `Add ${flagOf(option)} <${option.value}>: ${option.summary}. ` +
        `See ${command} --help.`,
    });
  }
}

function read(option: OptionSpec, { flags, env, file }: Sources): Setting {
  const flag = flags.get(option.name);
  if (flag !== undefined) {
    const shown = flag === false ? `--no-${option.name}` : flagOf(option);
    return setting(option, "flag", shown, flag);
  }
  // An empty variable is one that is not there (as of NO_COLOR).
  const variable = env(variableOf(option));
  if (variable) {
    return setting(option, "environment", variableOf(option), variable);
  }
  const kept = file?.get(option.name);
  if (kept) return setting(option, "file", kept.where, kept.value);
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
    value: undefined,
  };
}

function setting(
  option: OptionSpec,
  source: Source,
  where: string,
  given: string | boolean,
): Setting {
  const text = String(given);
  const value = option.value === undefined
    ? readSwitch(given, where)
    : readValue(option, text, where);
  // A switch that is off is as if it were not given, unless off says something.
  const isOff = option.value === undefined && value === false;
  const means = isOff && !option.defaultOn ? undefined : value;
  return { option, source, where, text, value: means };
}

function readValue(option: OptionSpec, text: string, where: string): unknown {
  const { choices, parse, mask = (text) => text } = option;
  const wrong = (hint: string) =>
    new CliError(`${where} cannot be "${mask(text)}"`, {
      exitCode: Exit.usage,
      hint,
    });
  if (choices !== undefined && !choices.includes(text)) {
    throw wrong(`Write ${listed(choices)}.`);
  }
  if (parse === undefined) return text;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw wrong(error.message);
    const { hint } = error as { hint?: string };
    if (!(error instanceof Error) || hint === undefined) throw error;
    throw new CliError(`${error.message} (${where})`, {
      exitCode: Exit.usage,
      hint,
      cause: error,
    });
  }
}

const ON = ["true", "1", "yes", "on"];
const OFF = ["false", "0", "no", "off"];

function readSwitch(given: string | boolean, where: string): boolean {
  if (typeof given === "boolean") return given;
  const word = given.toLowerCase();
  if (ON.includes(word)) return true;
  if (OFF.includes(word)) return false;
  throw new CliError(`${where} cannot be "${given}"`, {
    exitCode: Exit.usage,
    hint: "Write true or false.",
  });
}

/** Of two that exclude each other the one from the weaker source falls away. */
function withoutExcluded(one: Setting, all: readonly Setting[]): Setting {
  if (one.value === undefined) return one;
  for (const other of all) {
    if (other.value === undefined) continue;
    const mine = one.option.conflictsWith?.includes(other.option.name);
    const theirs = other.option.conflictsWith?.includes(one.option.name);
    if (!mine && !theirs) continue;
    const weaker = STRENGTH.indexOf(other.source) -
      STRENGTH.indexOf(one.source);
    if (weaker > 0) return unset(one.option);
    if (weaker < 0) continue;
    const [first, second] = mine ? [one, other] : [other, one];
    throw new CliError(`${first.where} cannot be used with ${second.where}`, {
      exitCode: Exit.usage,
      hint: first.option.conflictHint ?? "Leave one of them out.",
    });
  }
  return one;
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
