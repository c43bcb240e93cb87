import { COMMANDS } from "../commands/mod.ts";
import type { CommandSpec } from "../arguments/spec.ts";

/** A command with all that is known of it. */
export interface LoadedCommand {
  readonly name: string;
  readonly summary: string;
  readonly spec: CommandSpec;
}

/** All commands, in the order of help. */
export async function loadedCommands(): Promise<LoadedCommand[]> {
  return await Promise.all(COMMANDS.map(async ({ name, summary, load }) => ({
    name,
    summary,
    spec: await load(),
  })));
}
