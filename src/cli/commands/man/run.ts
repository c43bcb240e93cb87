import { Exit } from "../../exit.ts";
import { loadedCommands } from "../../help/loaded.ts";
import { manPage } from "./page.ts";
import { writeOut } from "../../terminal/output.ts";
import { VERSION } from "../../version.ts";

/** `occupancy man`: the manual page, made from the table of commands. */
export async function man(): Promise<number> {
  writeOut(manPage(await loadedCommands(), VERSION));
  return Exit.ok;
}
