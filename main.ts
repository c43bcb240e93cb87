/**
 * The command table. A command is loaded when it is chosen, so that `--help`
 * costs nothing of what a server needs.
 *
 * @module
 */
import { run } from "./src/cli/program.ts";

if (import.meta.main) {
  Deno.exit(
    await run(Deno.args, {
      server: async () => (await import("./src/cli/server.ts")).server,
      client: async () => (await import("./src/cli/client.ts")).client,
      request: async () => (await import("./src/cli/request.ts")).request,
      simulate: async () => (await import("./src/cli/simulate.ts")).simulate,
    }),
  );
}
