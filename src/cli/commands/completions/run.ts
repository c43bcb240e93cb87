import { Exit } from "../../exit.ts";
import { loadedCommands } from "../../help/loaded.ts";
import { writeOut } from "../../terminal/output.ts";

/** `occupancy completions`: a script for a shell, made from the table of commands. */
export async function completions(
  _flags: unknown,
  [shell]: string[],
): Promise<number> {
  const commands = await loadedCommands();
  if (shell === "bash") {
    writeOut((await import("./bash.ts")).bashCompletions(commands));
  } else if (shell === "zsh") {
    writeOut((await import("./zsh.ts")).zshCompletions(commands));
  } else {
    writeOut((await import("./fish.ts")).fishCompletions(commands));
  }
  return Exit.ok;
}
