/**
 * From the words of a command line to a command that runs: finds the command,
 * settles its options, and says failures in words for people.
 *
 * @module
 */
import { COMMANDS } from "./commands/mod.ts";
import { CliError, Exit } from "./exit.ts";
import { describeError, isBrokenPipe } from "./failure.ts";
import type { Action, CommandEntry } from "./arguments/spec.ts";
import { helpLook, printError, writeOut } from "./terminal/output.ts";

/**
 * Runs one command line.
 *
 * @param args what came after the program's name
 * @returns the exit code; every failure has been told on stderr
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (isBrokenPipe(error)) return Exit.ok;
    const told = describeError(error);
    printError(`occupancy: ${told.message}`);
    if (told.hint) printError(`  hint: ${told.hint}`);
    if (Deno.env.get("OCCUPANCY_DEBUG")) console.error(error);
    return told.exitCode;
  }
}

async function dispatch([first, ...rest]: readonly string[]): Promise<number> {
  switch (first) {
    case undefined:
      printError((await programHelp(Deno.stderr)).trimEnd());
      return Exit.usage;
    case "-h":
    case "--help":
      writeOut(await programHelp(Deno.stdout));
      return Exit.ok;
    case "-V":
    case "--version":
      writeOut(`${await (await import("./version.ts")).versionLine()}\n`);
      return Exit.ok;
    case "help":
      if (rest[0] === undefined) return await dispatch(["--help"]);
      return await dispatch([rest[0], "--help"]);
  }
  const entry = await entryOf(first);
  const spec = await entry.load();
  const { prepare } = await import("./arguments/prepare.ts");
  const prepared = await prepare(entry.name, spec, rest);
  if ("help" in prepared) {
    const { commandHelp } = await import("./help/help.ts");
    const look = helpLook(Deno.stdout, prepared.help);
    writeOut(commandHelp(entry.name, spec, look));
    return Exit.ok;
  }
  const action: Action = await spec.load();
  return await action(prepared.flags, prepared.operands);
}

/** @throws {CliError} (usage) if there is no such command */
async function entryOf(word: string): Promise<CommandEntry> {
  const entry = COMMANDS.find(({ name }) => name === word);
  if (entry !== undefined) return entry;
  if (word.startsWith("-")) {
    throw new CliError(
      `There is no option ${word.split("=")[0]} before a command`,
      {
        exitCode: Exit.usage,
        hint:
          "Name the command first, as in occupancy request --json. See occupancy --help.",
      },
    );
  }
  const { didYouMean } = await import("./arguments/suggest.ts");
  const meant = didYouMean(word, [...COMMANDS.map(({ name }) => name), "help"]);
  throw new CliError(`There is no command ${word}`, {
    exitCode: Exit.usage,
    hint: `${meant}${meant && " "}See occupancy --help.`,
  });
}

async function programHelp(to: typeof Deno.stdout): Promise<string> {
  const { programHelp } = await import("./help/help.ts");
  return programHelp(COMMANDS, helpLook(to));
}
