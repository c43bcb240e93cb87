/**
 * The command-line program. A command is loaded only when it runs, so that
 * `--help` does not load what a server needs.
 *
 * @module
 */
import { run } from "./src/cli/program.ts";

if (import.meta.main) {
  // In a later turn of the event loop: V8 caches its compiled code only after
  // this module has been evaluated.
  setTimeout(async () => Deno.exit(await run(Deno.args)));
  // The exit code if the event loop ends before run() does.
  Deno.exitCode = 1;
}
