import { type CommandEntry, loadSpecs } from "../../arguments/spec.ts";
import { Exit } from "../../exit_codes.ts";
import { writeOut } from "../../terminal/output.ts";

/**
 * Runs `occupancy completions`.
 *
 * @param _flags not used
 * @param operands the shell
 * @param commands all commands
 */
export async function completions(
  _flags: unknown,
  [shell]: readonly string[],
  commands: readonly CommandEntry[],
): Promise<number> {
  const loaded = await loadSpecs(commands);
  if (shell === "bash") {
    writeOut((await import("./bash.ts")).bashCompletions(loaded));
  } else if (shell === "zsh") {
    writeOut((await import("./zsh.ts")).zshCompletions(loaded));
  } else {
    writeOut((await import("./fish.ts")).fishCompletions(loaded));
  }
  return Exit.ok;
}
