/**
 * The program. A command is loaded when it is chosen, so that `--help` costs
 * nothing of what a server needs.
 *
 * @module
 */
import { run } from "./src/cli/program.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
