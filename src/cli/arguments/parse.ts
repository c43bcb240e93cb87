/** Splits the words of a command line into flags and operands. */
import { parseArgs } from "node:util";
import { usageError } from "../errors.ts";
import { hintForOption } from "./hints.ts";
import { flagsAmong, type OptionSpec, takesNextWord } from "./spec.ts";

/** The value of a flag as written. */
export type FlagValue = string | boolean | readonly string[];

/** The words of a command line. */
export interface Words {
  /**
   * By the option's long name: its text, for a switch whether it is on, and all
   * texts for an option that may be given several times.
   */
  readonly flags: ReadonlyMap<string, FlagValue>;
  /** The words that are not options. */
  readonly operands: readonly string[];
}

/**
 * Reads the words after a command's name. Each switch also has a `--no-` form.
 *
 * @param words the words
 * @param all the command's options; those with `settingOnly` are unknown here
 * @param command for hints, such as `occupancy server`
 * @param extra `rest`: all words after the first operand are operands;
 * `operandOption`: the option that operands are added to
 * @throws {AppError} (usage) if an option is unknown or repeated, or its value
 * is missing
 */
export function readWords(
  words: readonly string[],
  all: readonly OptionSpec[],
  command: string,
  { rest = false, operandOption }: {
    rest?: boolean | undefined;
    operandOption?: string | undefined;
  } = {},
): Words {
  const options = flagsAmong(all);
  const known = new Map(options.map((option) => [option.name, option]));
  const { tokens } = parseArgs({
    args: [...words],
    strict: false,
    tokens: true,
    options: Object.fromEntries(options.map((option) => [option.name, {
      type: takesNextWord(option) ? "string" : "boolean",
      ...(option.short !== undefined && { short: option.short }),
    }])),
  });
  const flags = new Map<string, FlagValue>();
  const lists = new Map<string, string[]>();
  const operands: string[] = [];
  const invalid = (message: string, hint: string) =>
    usageError(message, `${hint}${hint && " "}See ${command} --help.`);
  const last = (name: string) =>
    tokens.findLast((token) => token.kind === "option" && token.name === name);
  // Help is printed even if other words are wrong.
  if (last("help")) {
    const color = last("color");
    flags.set("help", true);
    if (color?.kind === "option" && color.value) {
      flags.set("color", color.value);
    }
    return { flags, operands };
  }
  const append = (name: string, value: string) => {
    lists.set(name, [...lists.get(name) ?? [], value]);
    flags.set(name, lists.get(name)!);
  };
  const repeated = (name: string, given: string) =>
    invalid(
      `Cannot use ${given} twice`,
      operandOption === undefined
        ? `Give --${name} once.`
        : `Give --${name} once; only --${operandOption} may be repeated.`,
    );
  for (const [i, token] of tokens.entries()) {
    if (token.kind === "positional") {
      if (operandOption !== undefined) {
        append(operandOption, token.value);
        continue;
      }
      if (rest) return { flags, operands: words.slice(token.index) };
      const before = tokens[i - 1];
      if (
        before?.kind === "option" && before.value === undefined &&
        known.get(before.name)?.implied !== undefined
      ) {
        throw invalid(
          `Unexpected argument: ${token.value}`,
          `Write ${before.rawName}=${token.value}.`,
        );
      }
      operands.push(token.value);
    }
    if (token.kind !== "option") continue;
    const { rawName, value, inlineValue } = token;
    const negated = token.name.startsWith("no-") && !known.has(token.name);
    const option = known.get(negated ? token.name.slice(3) : token.name);
    if (option === undefined || (negated && takesNextWord(option))) {
      throw invalid(
        `Unknown option: ${rawName}`,
        hintForOption(rawName, all, flagNames(options)),
      );
    }
    const hasOwnValue = option.implied !== undefined && value !== undefined &&
      !negated;
    if (!takesNextWord(option) && !hasOwnValue) {
      if (value !== undefined) {
        throw invalid(
          `${rawName} does not take a value`,
          `Write ${rawName} without "=".`,
        );
      }
      const given = flags.get(option.name);
      if (given !== undefined && (given === false) !== negated) {
        throw invalid(
          `Cannot use --${option.name} with --no-${option.name}`,
          "Use one of them.",
        );
      }
      if (typeof given === "string") throw repeated(option.name, rawName);
      flags.set(option.name, negated ? false : option.implied ?? true);
      continue;
    }
    // A value that starts like an option is one, unless it follows "=".
    if (
      value === undefined || value === "" && hasOwnValue ||
      (!inlineValue && /^--?[A-Za-z]/.test(value))
    ) {
      throw invalid(
        `Missing value of ${rawName}`,
        hasOwnValue
          ? `Write ${rawName}, or ${rawName}=<${option.value}>.`
          : `Write ${rawName} <${option.value}>.`,
      );
    }
    if (option.multiple) append(option.name, value);
    else if (flags.has(option.name)) throw repeated(option.name, rawName);
    else flags.set(option.name, value);
  }
  return { flags, operands };
}

/** All flags as in help; a switch that is on by default in both forms. */
function flagNames(options: readonly OptionSpec[]): string[] {
  return options.flatMap(({ name, defaultOn }) =>
    defaultOn ? [`--no-${name}`, `--${name}`] : [`--${name}`]
  );
}
