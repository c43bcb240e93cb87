/**
 * Reads the flags and operands of a command from the command line, the
 * environment and the configuration file.
 *
 * @module
 */
import { env } from "../env.ts";
import type { AppError } from "../../common/errors.ts";
import { redactUrl } from "../../mqtt/url.ts";
import { announceDownload } from "../download_notice.ts";
import { usageError } from "../errors.ts";
import type { ColorMode } from "../terminal/capabilities.ts";
import { printError } from "../terminal/output.ts";
import { hintForWord } from "./hints.ts";
import { type FlagValue, readWords } from "./parse.ts";
import {
  assertComplete,
  flagsOf,
  resolveSettings,
  type Setting,
} from "./settings.ts";
import type { CommandEntry, CommandSpec, OptionSpec } from "./spec.ts";
import { didYouMean } from "./suggest.ts";
import { unknownVariables } from "./unknown_variables.ts";

/** The variable of `--config`. */
export const CONFIG_VARIABLE = "OCCUPANCY_CONFIG";

/** The flags and operands of a command. */
export interface CommandArguments {
  /** Values by the options' names in camel case. */
  readonly flags: Record<string, unknown>;
  readonly operands: readonly string[];
}

/**
 * Reads the words after a command's name, and its settings.
 *
 * @param name the command's name
 * @param spec its option table
 * @param words the words after its name
 * @param commands all commands, to check the configuration file
 * @returns flags and operands, or with `--help` the value of `--color`
 * @throws {AppError} (usage) if a word or a setting is wrong
 */
export async function readArguments(
  name: string,
  spec: CommandSpec,
  words: readonly string[],
  commands: readonly CommandEntry[],
): Promise<CommandArguments | { readonly help: ColorMode }> {
  const { operand } = spec;
  const command = `occupancy ${name}`;
  const { flags, operands } = readWords(words, spec.options, command, {
    rest: operand?.rest,
    operandOption: operand?.option,
  });
  if (flags.has("help")) {
    const color = flags.get("color");
    return { help: color === "always" || color === "never" ? color : "auto" };
  }
  checkOperands(operands, spec, command);
  for (const line of await unknownVariables(Deno.env.toObject(), commands)) {
    printError(`Warning: ${line}`);
  }
  const settings = await settingsOf(name, spec, flags, commands);
  assertComplete(settings, command);
  return { flags: flagsOf(settings), operands };
}

/**
 * All options of a command with their values and sources.
 *
 * @param name the command's name
 * @param spec its option table
 * @param flags the flags of the command line
 * @param commands all commands, to check the configuration file
 * @throws {AppError} (usage) if a setting is wrong
 */
export async function settingsOf(
  name: string,
  { options }: CommandSpec,
  flags: ReadonlyMap<string, FlagValue>,
  commands: readonly CommandEntry[],
): Promise<Setting[]> {
  const path = flags.get("config") ?? env(CONFIG_VARIABLE);
  if (!path) return resolveSettings(options, { flags, env });
  announceDownload(
    ["smol-toml"],
    flags.get("quiet") === true ? { quiet: true } : {},
  );
  const { readConfigFile } = await import("./config_file.ts");
  const file = await readConfigFile(String(path), name, commands);
  return resolveSettings(options, { flags, env, file });
}

function checkOperands(
  operands: readonly string[],
  { operand, options }: CommandSpec,
  command: string,
): void {
  const [word, second] = operands;
  const extra = operand === undefined
    ? word
    : operand.rest || operand.more
    ? undefined
    : second;
  if (extra !== undefined) throw unexpectedWord(extra, options, command);
  if (operand === undefined) return;
  const { name, choices, required } = operand;
  if (choices === undefined) return;
  const list = `Use one of: ${choices.join(", ")}.`;
  if (required && word === undefined) {
    throw usageError(`Missing ${name} after ${command}`, list);
  }
  if (word !== undefined && !choices.includes(word)) {
    throw usageError(
      `Unknown ${name}: ${word}`,
      didYouMean(word, choices) || list,
    );
  }
}

/** The error for a word that a command does not take. */
export function unexpectedWord(
  word: string,
  options: readonly OptionSpec[],
  command: string,
): AppError {
  const hint = hintForWord(word, options) ||
    "Remove it, or quote a value that contains spaces.";
  return usageError(
    `Unexpected argument: ${redactUrl(word)}`,
    `${hint} See ${command} --help.`,
  );
}
