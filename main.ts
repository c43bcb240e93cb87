/**
 * The program. A command is loaded when it is chosen, so that `--help` costs
 * nothing of what a server needs.
 *
 * @module
 */
import { run } from "./src/cli/program.ts";

if (import.meta.main) {
  // In a turn of its own: V8's compiled code is kept for the next start once
  // this module has been run, which a process that ends within it never does.
  setTimeout(async () => Deno.exit(await run(Deno.args)));
  // Should the program run dry without an end, that is a failure.
  Deno.exitCode = 1;
}
