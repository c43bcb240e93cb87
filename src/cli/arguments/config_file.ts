/**
 * Reads the configuration file: TOML (https://toml.io/en/v1.0.0), which has
 * comments, and a table for each command.
 *
 * @module
 */
import { parse, TomlDate, TomlError } from "smol-toml";
import { AppError, messageOf } from "../../common/errors.ts";
import { usageError } from "../errors.ts";
import { decodeFile } from "../files.ts";
import { type CommandEntry, loadSpecs, type OptionSpec } from "./spec.ts";
import { didYouMean } from "./suggest.ts";

/** A value and its place in the file. */
interface Entry {
  readonly value: string | boolean | readonly string[];
  /** Such as `server.timeout in occupancy.toml`. */
  readonly where: string;
}

/** The file's settings for one command, by the options' names. */
export type FileSettings = ReadonlyMap<string, Entry>;

/** The options of each command, by its name. */
type Tables = ReadonlyMap<string, readonly OptionSpec[]>;

/**
 * Reads a configuration file. Keys at the top level are for all commands that
 * have such an option. Keys in a table such as `[server]` are for that command,
 * and override those at the top level. The keys of all commands are checked.
 *
 * @param path the file
 * @param command the name of the command to read settings for
 * @param commands all commands
 * @throws {AppError} (usage) if it is not TOML, or has unknown keys
 */
export async function readConfigFile(
  path: string,
  command: string,
  commands: readonly CommandEntry[],
): Promise<FileSettings> {
  const tables: Tables = new Map(
    (await loadSpecs(commands)).map(({ name, spec }) => [
      name,
      spec.options.filter(({ name, flagOnly }) =>
        !flagOnly && name !== "config"
      ),
    ]),
  );
  const settings = new Map<string, Entry>();
  const sections: [string, object][] = [];
  for (const [key, value] of Object.entries(await readToml(path))) {
    if (isTable(value)) {
      sections.push([key, value]);
      continue;
    }
    const entry = entryOf(value, key, path);
    if (![...tables.values()].some((options) => has(options, key))) {
      const options = [...tables.values()].flat();
      throw unknownSetting(key, options, path, [...tables.keys()]);
    }
    if (has(tables.get(command)!, key)) settings.set(key, entry);
  }
  for (const [section, table] of sections) {
    const options = tables.get(section);
    if (options === undefined) {
      throw usageError(
        `Unknown command: [${section}] in ${path}`,
        didYouMean(section, [...tables.keys()]) ||
          `Use one of: ${[...tables.keys()].join(", ")}.`,
      );
    }
    for (const [key, value] of Object.entries(table)) {
      const full = `${section}.${key}`;
      const entry = entryOf(value, full, path);
      if (!has(options, key)) throw unknownSetting(full, options, path);
      if (section === command) settings.set(key, entry);
    }
  }
  return settings;
}

function has(options: readonly OptionSpec[], key: string): boolean {
  return options.some(({ name }) => name === key);
}

async function readToml(path: string): Promise<Record<string, unknown>> {
  try {
    return parse(decodeFile(path, await Deno.readFile(path)));
  } catch (error) {
    if (error instanceof AppError) {
      throw usageError(error.message, error.hint ?? "", error);
    }
    if (error instanceof TomlError) throw syntaxError(error, path);
    const reason = error instanceof Deno.errors.NotFound
      ? "no such file"
      : messageOf(error);
    throw usageError(
      `Cannot read the settings in ${path}: ${reason}`,
      "Check the path after --config or in OCCUPANCY_CONFIG.",
      error,
    );
  }
}

function syntaxError(error: TomlError, path: string): AppError {
  const { line, column } = error;
  // The other lines of the message show an excerpt of the file.
  const reason = error.message.split("\n")[0]!.replace(/^.*?: /, "");
  return usageError(
    `${path}, line ${line}, column ${column}: ${reason}`,
    'Write settings in TOML, such as stale-after = "5m".',
    error,
  );
}

/** A value as it would be written after a flag. */
function entryOf(value: unknown, key: string, path: string): Entry {
  const where = `${key} in ${path}`;
  if (typeof value === "boolean" || typeof value === "string") {
    return { value, where };
  }
  if (typeof value === "number" || typeof value === "bigint") {
    return { value: String(value), where };
  }
  if (Array.isArray(value) && value.every((one) => typeof one === "number")) {
    return { value: value.join(","), where };
  }
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) {
    return { value, where };
  }
  const kind = value instanceof TomlDate ? "a date" : "a table or a list";
  throw usageError(
    `Invalid ${where}: ${kind}`,
    'Use a text, a number, true or false, such as stale-after = "5m".',
  );
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof TomlDate);
}

function unknownSetting(
  key: string,
  options: readonly OptionSpec[],
  path: string,
  commands: readonly string[] = [],
): AppError {
  const bare = key.slice(key.indexOf(".") + 1);
  const names = [...new Set(options.map(({ name }) => name))];
  return usageError(
    `Unknown setting: ${key} in ${path}`,
    didYouMean(bare.replaceAll("_", "-"), [...names, ...commands]) ||
      "Settings have the names of the flags, without the leading dashes.",
  );
}
