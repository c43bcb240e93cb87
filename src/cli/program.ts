/**
 * Runs a command line: finds the command, reads its flags and settings, runs
 * it, and prints errors.
 *
 * @module
 */
import type { CommandEntry } from "./arguments/spec.ts";
import { COMMANDS } from "./commands/mod.ts";
import { describeError, isBrokenPipe, usageError } from "./errors.ts";
import { Exit } from "./exit_codes.ts";
import { CommandEnded } from "./terminal/ending.ts";
import { helpLayout } from "./terminal/capabilities.ts";
import { printError, writeError, writeOut } from "./terminal/output.ts";

/**
 * Runs one command line.
 *
 * @param args the arguments after the program's name
 * @returns the exit code; an error has been printed to stderr
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (isBrokenPipe(error)) return Exit.ok;
    if (error instanceof CommandEnded) return error.exitCode;
    const { message, hint, exitCode } = describeError(error);
    printError(`occupancy: ${message}`);
    if (hint) printError(`  hint: ${hint}`);
    if (isDebugging()) Deno.inspect(error).split("\n").forEach(printError);
    return exitCode;
  }
}

function isDebugging(): boolean {
  try {
    return Boolean(Deno.env.get("OCCUPANCY_DEBUG"));
  } catch {
    return true; // set, but not to valid Unicode
  }
}

async function dispatch([first, ...rest]: readonly string[]): Promise<number> {
  switch (first) {
    case undefined:
      writeError(await programHelp(Deno.stderr));
      return Exit.usage;
    case "-h":
    case "--help":
      if (rest[0] !== undefined && !rest[0].startsWith("-")) {
        return await dispatch([rest[0], "--help"]);
      }
      writeOut(await programHelp(Deno.stdout));
      return Exit.ok;
    case "-V":
    case "--version":
    case "version":
      writeOut(`${await (await import("./version.ts")).versionLine()}\n`);
      return Exit.ok;
    case "help":
      if (rest[0] === undefined) return await dispatch(["--help"]);
      return await dispatch([rest[0], "--help"]);
  }
  const command = await findCommand(first);
  const { name, loadSpec, loadAction } = command;
  const spec = await loadSpec();
  const { readArguments } = await import("./arguments/read_arguments.ts");
  const args = await readArguments(name, spec, rest, COMMANDS);
  if ("help" in args) {
    const { commandHelp } = await import("./help/help_text.ts");
    writeOut(commandHelp(name, spec, helpLayout(Deno.stdout, args.help)));
    return Exit.ok;
  }
  revokeUnused(command);
  const action = await loadAction();
  return await action(args.flags, args.operands, COMMANDS);
}

/**
 * Gives up the kinds of permissions that a command never uses: an executable is
 * started with those of all commands. Deno cannot narrow a kind to fewer files
 * or hosts, so the launcher does that.
 */
function revokeUnused(
  { runsPrograms, writesFiles, limitsMemory, isOffline }: CommandEntry,
): void {
  if (!runsPrograms) Deno.permissions.revokeSync({ name: "run" });
  if (!writesFiles) Deno.permissions.revokeSync({ name: "write" });
  if (!limitsMemory) Deno.permissions.revokeSync({ name: "sys" });
  if (isOffline) Deno.permissions.revokeSync({ name: "net" });
}

/** @throws {AppError} (usage) if there is no such command */
async function findCommand(word: string): Promise<CommandEntry> {
  const entry = COMMANDS.find(({ name }) => name === word);
  if (entry !== undefined) return entry;
  if (word.startsWith("-")) {
    throw usageError(
      `Unknown option: ${word.split("=")[0]}`,
      "Write the command first, such as occupancy request --json. " +
        "See occupancy --help.",
    );
  }
  const { didYouMean } = await import("./arguments/suggest.ts");
  const { redactUrl } = await import("../mqtt/url.ts");
  const names = [...COMMANDS.map(({ name }) => name), "help"];
  const meant = didYouMean(word, names);
  throw usageError(
    `Unknown command: ${redactUrl(word)}`,
    `${meant}${meant && " "}See occupancy --help.`,
  );
}

async function programHelp(to: typeof Deno.stdout): Promise<string> {
  const { programHelp } = await import("./help/help_text.ts");
  return programHelp(COMMANDS, helpLayout(to));
}
