import { messageOf } from "../../common/errors.ts";
import { parse, TomlDate, TomlError } from "smol-toml";
import { COMMANDS } from "../commands/mod.ts";
import { CliError, Exit } from "../exit.ts";
import type { OptionSpec } from "./spec.ts";
import { didYouMean } from "./suggest.ts";

/** One setting of the file. */
interface Kept {
  readonly value: string | boolean;
  /** `server.timeout in occupancy.toml` */
  readonly where: string;
}

/** What a file has for one command, by the option's name. */
export type FileSettings = ReadonlyMap<string, Kept>;

/** The options of each command, by its name. */
type Tables = ReadonlyMap<string, readonly OptionSpec[]>;

/** Options that the file cannot have: it would name itself. */
const NOT_HERE = new Set(["config", "help"]);

/**
 * Reads a configuration file. Keys at its top are for every command that has
 * such an option, those in a table (`[server]`) for that command, and these win.
 * All names in it are checked, whatever the command.
 *
 * TOML (https://toml.io/en/v1.0.0), for it is written by people: it has comments,
 * and a table per command is what it is for.
 *
 * @throws {CliError} (usage) if it is no TOML, or has keys that mean nothing
 */
export async function readConfigFile(
  path: string,
  command: string,
): Promise<FileSettings> {
  const tables: Tables = new Map(
    await Promise.all(COMMANDS.map(async ({ name, load }) => {
      const { options } = await load();
      const own = options.filter((option) => !NOT_HERE.has(option.name));
      return [name, own] as const;
    })),
  );
  const top = parseToml(await readText(path), path);
  const settings = new Map<string, Kept>();
  const sections: [string, unknown][] = [];
  for (const [key, value] of Object.entries(top)) {
    if (isTable(value)) {
      sections.push([key, value]);
      continue;
    }
    const kept = {
      value: textOf(value, key, path),
      where: `${key} in ${path}`,
    };
    if (![...tables.values()].some((options) => has(options, key))) {
      throw unknown(key, [...tables.values()].flat(), path, [...tables.keys()]);
    }
    if (has(tables.get(command)!, key)) settings.set(key, kept);
  }
  for (const [section, table] of sections) {
    const options = tables.get(section);
    if (options === undefined) {
      throw usage(
        `There is no command ${section} for [${section}] in ${path}`,
        didYouMean(section, [...tables.keys()]) ||
          `The commands are ${[...tables.keys()].join(", ")}.`,
      );
    }
    for (const [key, value] of Object.entries(table as object)) {
      const full = `${section}.${key}`;
      const kept = {
        value: textOf(value, full, path),
        where: `${full} in ${path}`,
      };
      if (!has(options, key)) throw unknown(full, options, path);
      if (section === command) settings.set(key, kept);
    }
  }
  return settings;
}

function has(options: readonly OptionSpec[], key: string): boolean {
  return options.some(({ name }) => name === key);
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : messageOf(error);
    throw usage(
      `Cannot read the settings in ${path}: ${why}`,
      "Check the path behind --config (or in OCCUPANCY_CONFIG).",
    );
  }
}

function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    // The first line says it; the others draw the place.
    const why = error.message.split("\n")[0]!.replace(/^.*?: /, "");
    throw usage(
      `${path}, line ${line}, column ${column}: ${why}`,
      'Settings are written in TOML, like stale-after = "5m".',
    );
  }
}

/** A value as it would be written behind a flag. */
function textOf(value: unknown, key: string, path: string): string | boolean {
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") {
    return String(value);
  }
  if (Array.isArray(value) && value.every((one) => typeof one === "number")) {
    return value.join(",");
  }
  throw usage(
    `${key} in ${path} is ${
      value instanceof TomlDate ? "a date" : "a table or a list"
    }`,
    'Write a text, a number, true or false, like stale-after = "5m".',
  );
}

function isTable(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof TomlDate);
}

function unknown(
  key: string,
  options: readonly OptionSpec[],
  path: string,
  commands: readonly string[] = [],
): CliError {
  const bare = key.slice(key.indexOf(".") + 1);
  const names = [...new Set(options.map(({ name }) => name))];
  return usage(
    `There is no setting ${key} (${path})`,
    didYouMean(bare.replaceAll("_", "-"), [...names, ...commands]) ||
      "Settings are named as the flags are, without dashes at the start.",
  );
}

function usage(message: string, hint: string): CliError {
  return new CliError(message, { exitCode: Exit.usage, hint });
}
