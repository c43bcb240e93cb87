/**
 * `deno task demo`: runs server and clients in one process and prints the map.
 * With `--live` it draws the map of a simulated campus in the terminal, with the
 * address of the dashboard below it, which also shows its rooms.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { parseWait } from "../src/cli/arguments/number_values.ts";
import { describeError, usageError } from "../src/cli/errors.ts";
import { announceDownload } from "../src/cli/download_notice.ts";
import { printError } from "../src/cli/terminal/output.ts";

const USAGE = "deno task demo [--live [--for 30s]]";

/** Options of the demo. */
interface DemoFlags {
  readonly live: boolean;
  /** Duration of the live map, ms; undefined: until the user ends it. */
  readonly for?: number;
}

/** @throws {AppError} if an option is unknown, or `--live` cannot be shown */
function readFlags(args: readonly string[]): DemoFlags {
  const flags = parseFlags(args);
  if (
    flags.live &&
    (!Deno.stdout.isTerminal() || Deno.env.get("TERM") === "dumb")
  ) {
    throw usageError(
      "A live map needs a terminal",
      "Without --live the demo prints two maps and ends.",
    );
  }
  return flags;
}

function parseFlags(args: readonly string[]): DemoFlags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { live: { type: "boolean" }, for: { type: "string" } },
    });
    const live = values.live ?? false;
    if (values.for === undefined) return { live };
    if (!live) throw new RangeError("--for needs --live");
    return { live, for: parseWait(values.for) };
  } catch (error) {
    throw usageError((error as Error).message, USAGE, error);
  }
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  try {
    const flags = readFlags(args);
    announceDownload(flags.live ? ["mqtt", "prom-client", "ws"] : ["mqtt"]);
    const { showLive, showSamples } = await import("./demo/demo.ts");
    return flags.live ? await showLive(flags.for) : await showSamples();
  } catch (error) {
    const { message, hint, exitCode } = describeError(error);
    printError(`demo: ${message}`);
    if (hint !== undefined) printError(`  hint: ${hint}`);
    return exitCode;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
