import { parseArgs } from "node:util";
import { CliError, Exit } from "../exit.ts";
import type { OptionSpec } from "./spec.ts";
import { didYouMean } from "./suggest.ts";

/** What a command line says. */
export interface Words {
  /** By the option's long name: its text, or for a switch whether it is on. */
  readonly flags: ReadonlyMap<string, string | boolean>;
  /** The words that are no options. */
  readonly operands: readonly string[];
}

/**
 * Reads the words behind a command. Each switch has a `--no-` form too; of an
 * option that is given twice the last counts.
 *
 * @param command for hints, such as `occupancy server`
 * @param extra `rest`: from the first word that is no option on, all are operands
 * @throws {CliError} (usage) if there is no such option, or its value is missing
 */
export function readWords(
  words: readonly string[],
  options: readonly OptionSpec[],
  command: string,
  { rest = false }: { rest?: boolean | undefined } = {},
): Words {
  const known = new Map(options.map((option) => [option.name, option]));
  const { tokens } = parseArgs({
    args: [...words],
    strict: false,
    tokens: true,
    options: Object.fromEntries(options.map(({ name, short, value }) => [name, {
      type: value === undefined ? "boolean" : "string",
      ...(short !== undefined && { short }),
    }])),
  });
  const flags = new Map<string, string | boolean>();
  const operands: string[] = [];
  const wrong = (message: string, hint: string) =>
    new CliError(message, {
      exitCode: Exit.usage,
      hint: `${hint}${hint && " "}See ${command} --help.`,
    });
  const named = (name: string) =>
    tokens.findLast((token) => token.kind === "option" && token.name === name);
  // Help is given whatever else is wrong.
  if (named("help")) {
    const color = named("color");
    flags.set("help", true);
    if (color?.kind === "option" && color.value) {
      flags.set("color", color.value);
    }
    return { flags, operands };
  }
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (rest) return { flags, operands: words.slice(token.index) };
      operands.push(token.value);
    }
    if (token.kind !== "option") continue;
    const { rawName, value, inlineValue } = token;
    const negated = token.name.startsWith("no-") && !known.has(token.name);
    const option = known.get(negated ? token.name.slice(3) : token.name);
    if (option === undefined || (negated && option.value !== undefined)) {
      throw wrong(
        `There is no option ${rawName}`,
        didYouMean(rawName, flagNames(options)),
      );
    }
    if (option.value === undefined) {
      if (value !== undefined) {
        throw wrong(`${rawName} takes no value`, `Write just ${rawName}.`);
      }
      flags.set(option.name, !negated);
      continue;
    }
    // What looks like another option is one, unless it stands behind a "=".
    if (value === undefined || (!inlineValue && /^--?[A-Za-z]/.test(value))) {
      throw wrong(
        `${rawName} needs a value`,
        `Write ${rawName} <${option.value}>.`,
      );
    }
    flags.set(option.name, value);
  }
  return { flags, operands };
}

/** All flags as they are written, with `--no-` where help shows it. */
function flagNames(options: readonly OptionSpec[]): string[] {
  return options.flatMap(({ name, defaultOn }) =>
    defaultOn ? [`--no-${name}`, `--${name}`] : [`--${name}`]
  );
}
