import type { ColorWhen } from "../terminal/color.ts";
import { CliError, Exit } from "../exit.ts";
import type { CommandSpec } from "./spec.ts";
import { assertComplete, flagsOf, type Setting, settle } from "./settings.ts";
import { readWords } from "./parse.ts";

/** What a command is given. */
export interface Prepared {
  /** Its options, by their names in code. */
  readonly flags: Record<string, unknown>;
  readonly operands: string[];
}

/**
 * Reads the words behind a command.
 *
 * @returns what the command is given, or in which colours help was asked for
 * @throws {CliError} (usage) if they are wrong
 */
export async function prepare(
  name: string,
  spec: CommandSpec,
  words: readonly string[],
): Promise<Prepared | { readonly help: ColorWhen }> {
  const { operand } = spec;
  const command = `occupancy ${name}`;
  const { flags, operands } = readWords(words, spec.options, command, {
    rest: operand?.rest,
  });
  if (flags.has("help")) {
    const color = flags.get("color");
    return { help: color === "always" || color === "never" ? color : "auto" };
  }
  const [word, ...more] = operands;
  if (operand === undefined ? word !== undefined : more[0] && !operand.rest) {
    const extra = operand === undefined ? word : more[0];
    throw usage(
      `${command} does not know what to do with "${extra}"`,
      `Leave it out, or put quotes around what belongs together. See ${command} --help.`,
    );
  }
  if (operand?.required && word === undefined) {
    throw usage(
      `${command} needs a ${operand.name}`,
      `Write one of: ${operand.choices.join(", ")}.`,
    );
  }
  if (operand && word !== undefined && !operand.choices.includes(word)) {
    const { didYouMean } = await import("./suggest.ts");
    throw usage(
      `There is no ${operand.name} ${word}`,
      didYouMean(word, operand.choices) ||
        `Write one of: ${operand.choices.join(", ")}.`,
    );
  }
  const settings = await settingsOf(name, spec, flags);
  assertComplete(settings, command);
  return { flags: flagsOf(settings), operands: [...operands] };
}

/** Each option of a command with where it comes from; reads the file if one is named. */
export async function settingsOf(
  name: string,
  { options }: CommandSpec,
  flags: ReadonlyMap<string, string | boolean>,
): Promise<Setting[]> {
  const env = (name: string) => Deno.env.get(name);
  const path = flags.get("config") ?? env("OCCUPANCY_CONFIG");
  const file = path
    ? await (await import("./config_file.ts")).readConfigFile(
      String(path),
      name,
    )
    : undefined;
  return settle(options, { flags, env, file });
}

function usage(message: string, hint: string): CliError {
  return new CliError(message, { exitCode: Exit.usage, hint });
}
